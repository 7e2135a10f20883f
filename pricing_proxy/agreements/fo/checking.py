"""Check rows once, before any search: what can never apply is kept out, what is in doubt is marked.

A row that F&O itself can never apply (a period or bracket without content, another item) is left
out and named: no price depends on it. A row that F&O might apply in a way that nobody here knows
(a negative price, a price unit of 0, attributes) stays in the search, and a line whose search
meets it is refused, with the row named: leaving it out could make a wrong price. Customers who
never get that far are priced as ever.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from pricing_proxy.agreements.fo.rows import (
    ONE,
    ZERO,
    AgreedDiscount,
    AgreedPrice,
    Party,
    PricedItem,
)
from pricing_proxy.agreements.fo.rules import ChargesSpread, PricingTerms, RowOrder, SearchRules
from pricing_proxy.names import is_same_name, same_name_key

AgreedRow: TypeAlias = AgreedPrice | AgreedDiscount

_NONE = Fraction(0)

# F&O's amounts have 32 digits, of which nobody uses half: a larger or smaller one is a slip, or
# an attack.
_MOST_DIGITS = 15
_MOST_DECIMALS = -13


class KeptOutReason(StrEnum):
    """Why a row is left out: F&O can never apply it to what it stands among."""

    EMPTY_PERIOD = "from_date_after_to_date"
    EMPTY_BRACKET = "from_quantity_above_to_quantity"
    OTHER_ITEM = "names_another_item"
    UNKNOWN_ITEM = "names_an_unknown_item"
    UNKNOWN_CURRENCY = "unknown_currency"
    UNKNOWN_UNIT = "unit_without_conversion"
    READ_TWICE = "read_twice"


class RefusalReason(StrEnum):
    """Why a line is refused: the ERP has to be asked."""

    UNIFIED_PRICING = "unified_pricing"
    SALES_AGREEMENT = "sales_agreement_in_force"
    ATTRIBUTES = "attribute_based_row"
    GENERIC_CURRENCY = "generic_currency_not_allowed"
    UNKNOWN_CURRENCY = "unknown_currency"
    UNKNOWN_UNIT = "unit_without_conversion"
    NEGATIVE_PRICE = "negative_price"
    PRICE_UNIT = "price_unit_not_above_zero"
    IMPLAUSIBLE_NUMBER = "implausible_number"
    CUSTOMER_CHANGES = "customer_read_with_different_groups"
    CONTRADICTION = "two_rows_of_one_record_id"
    MIXED_UNITS = "quantities_of_different_units"
    """Of lines whose sum decides a cart's multiline discount."""
    TOO_MANY_ROWS = "too_many_rows"


@dataclass(frozen=True, slots=True)
class KeptOutRow:
    """A row that was left out, and why."""

    row: AgreedRow
    reason: KeptOutReason


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CheckedRow:
    """A row ready to be searched; codes are folded, numbers are fractions.

    Attributes:
        lower: Of the bracket, in the row's own unit.
        upper: None for no end.
        is_last: No wider row is looked at after it.
        order: Rows of one combination are looked at by it.
        named: How many dimensions it names.
        unit_price: Of one unit of the row's own; with the charges that are part of it, unless
            these are spread over a line's quantity. 0 for a discount.
        line_charges: Charges that are spread over a line's quantity.
        doubt: Why a search that meets it cannot be trusted.
    """

    row: AgreedRow
    currency: str
    unit: str
    lower: Fraction
    upper: Fraction | None
    is_last: bool
    order: tuple[Fraction | int, ...]
    dimensions: tuple[str, ...]
    named: int
    unit_price: Fraction = Fraction(0)
    line_charges: Fraction = Fraction(0)
    doubt: RefusalReason | None = None


RowCheck: TypeAlias = Callable[[AgreedRow, bool], CheckedRow | KeptOutReason]
"""Returns a row ready to be searched, or why it is left out; it is told of contradicted rows."""


def price_check(item: PricedItem, terms: PricingTerms) -> RowCheck:
    """Return how the price rows of an item are checked."""

    def check(row: AgreedRow, is_contradicted: bool) -> CheckedRow | KeptOutReason:  # noqa: FBT001
        if not isinstance(row, AgreedPrice) or not is_same_name(row.item, item.number):
            return KeptOutReason.OTHER_ITEM
        if not row.unit.strip() or item.factor(row.unit, item.inventory_unit) is None:
            return KeptOutReason.UNKNOWN_UNIT
        return _never_applies(row, terms) or _price(row, item, terms.rules, is_contradicted)

    return check


def discount_check(item_party: Party, terms: PricingTerms) -> RowCheck:
    """Return how the discounts for an item, a group of items or all are checked."""

    def check(row: AgreedRow, is_contradicted: bool) -> CheckedRow | KeptOutReason:  # noqa: FBT001
        if not isinstance(row, AgreedDiscount) or row.item_party != item_party:
            return KeptOutReason.OTHER_ITEM
        return _never_applies(row, terms) or _discount(row, terms.rules, is_contradicted)

    return check


def read_once(
    rows: Iterable[AgreedRow],
) -> tuple[list[AgreedRow], frozenset[int], list[KeptOutRow]]:
    """Return each row once, the record ids of which rows differ, and the rows that came again.

    Rows that move between pages while they are read come twice; a discount would count double.
    """
    listed = list(rows)
    if len({row.record_id for row in listed}) == len(listed):
        return listed, frozenset(), []
    found: dict[int, list[AgreedRow]] = {}
    again = []
    for row in listed:
        same = found.setdefault(row.record_id, [])
        if row in same:
            again.append(KeptOutRow(row, KeptOutReason.READ_TWICE))
        else:
            same.append(row)
    contradicted = frozenset(number for number, same in found.items() if len(same) > 1)
    return [row for same in found.values() for row in same], contradicted, again


def are_plausible(*numbers: Decimal) -> bool:
    """Return whether numbers can be amounts or quantities of anybody."""
    return all(
        number.is_finite() and _MOST_DECIMALS < number.adjusted() < _MOST_DIGITS
        for number in numbers
    )


def _never_applies(row: AgreedRow, terms: PricingTerms) -> KeptOutReason | None:
    if row.from_date is not None and row.to_date is not None and row.from_date > row.to_date:
        return KeptOutReason.EMPTY_PERIOD
    if are_plausible(row.from_quantity, row.to_quantity) and _is_empty_bracket(row):
        return KeptOutReason.EMPTY_BRACKET
    is_blank_discount = isinstance(row, AgreedDiscount) and not row.currency.strip()
    if not is_blank_discount and terms.rate(row.currency) is None:
        return KeptOutReason.UNKNOWN_CURRENCY
    return None


def _is_empty_bracket(row: AgreedRow) -> bool:
    return row.to_quantity != 0 and row.to_quantity < max(row.from_quantity, ZERO)


def _price(
    row: AgreedPrice,
    item: PricedItem,
    rules: SearchRules,
    is_contradicted: bool,  # noqa: FBT001 -- private, and always the last
) -> CheckedRow:
    numbers = row.price, row.price_unit, row.charges
    doubt = _doubt(row, numbers, is_contradicted) or _price_doubt(row)
    unit_price = line_charges = Fraction(0)
    if doubt is None:
        unit_price = Fraction(row.price)
        if row.price_unit != 1:
            unit_price /= Fraction(row.price_unit)
        if item.charges_included and rules.charges_spread is ChargesSpread.LINE_QUANTITY:
            line_charges = Fraction(row.charges)
        elif item.charges_included:
            unit_price += Fraction(row.charges) / Fraction(item.charges_quantity or ONE)
    return _checked(row, rules, doubt, unit_price=unit_price, line_charges=line_charges)


def _discount(
    row: AgreedDiscount,
    rules: SearchRules,
    is_contradicted: bool,  # noqa: FBT001 -- private, and always the last
) -> CheckedRow:
    numbers = row.percent1, row.percent2, row.amount
    return _checked(row, rules, _doubt(row, numbers, is_contradicted))


def _checked(
    row: AgreedRow,
    rules: SearchRules,
    doubt: RefusalReason | None,
    *,
    unit_price: Fraction = _NONE,
    line_charges: Fraction = _NONE,
) -> CheckedRow:
    lower, upper = _NONE, None
    if are_plausible(row.from_quantity, row.to_quantity):
        lower = Fraction(row.from_quantity)
        upper = Fraction(row.to_quantity) if row.to_quantity else None
    dimensions = row.dimensions.folded()
    named = sum(map(bool, dimensions))
    order: tuple[Fraction | int, ...] = (lower, row.record_id)
    if rules.row_order is RowOrder.RECORD:
        order = (row.record_id,)
    if isinstance(row, AgreedDiscount):
        # Rows with dimensions come before all without.
        order = (int(not named), *order)
    return CheckedRow(
        row=row,
        currency=same_name_key(row.currency),
        unit=same_name_key(row.unit),
        lower=lower,
        upper=upper,
        is_last=not row.find_next,
        order=order,
        dimensions=dimensions,
        named=named,
        unit_price=unit_price,
        line_charges=line_charges,
        doubt=doubt,
    )


def _doubt(
    row: AgreedRow,
    numbers: Sequence[Decimal],
    is_contradicted: bool,  # noqa: FBT001 -- private, and always the last
) -> RefusalReason | None:
    if is_contradicted:
        return RefusalReason.CONTRADICTION
    if not are_plausible(*numbers, row.from_quantity, row.to_quantity):
        return RefusalReason.IMPLAUSIBLE_NUMBER
    return None


def _price_doubt(row: AgreedPrice) -> RefusalReason | None:
    if row.attribute_pricing_id.strip():
        return RefusalReason.ATTRIBUTES
    if row.price < 0 or row.charges < 0:
        return RefusalReason.NEGATIVE_PRICE
    return RefusalReason.PRICE_UNIT if row.price_unit <= 0 else None
