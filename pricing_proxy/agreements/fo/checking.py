"""Check rows once, before any search: what can never apply is kept out, what is in doubt is marked.

A row that F&O itself can never apply (a period or bracket without content, another item) is left
out and named: no price depends on it. A row that F&O might apply in a way that nobody here knows
(a negative price, a price unit of 0, attributes) stays in the search, and a line whose search
meets it is refused, with the row named: leaving it out could make a wrong price. Customers who
never get that far are priced as ever.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias, TypeVar

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
R = TypeVar("R", AgreedPrice, AgreedDiscount)

_NONE = Fraction(0)

# F&O's amounts have 32 digits, of which nobody uses half: a longer one is a slip, or an attack.
_HIGHEST = Decimal(10) ** 15
_MOST_DECIMALS = 12


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


CheckedRows: TypeAlias = dict[Party, tuple[CheckedRow, ...]]
"""By whose they are; each party's rows in the order in which they are looked at."""


def checked_prices(
    rows: Iterable[AgreedPrice], item: PricedItem, terms: PricingTerms
) -> tuple[CheckedRows, tuple[KeptOutRow, ...]]:
    """Return an item's price rows by whose they are, and what was kept out."""
    once, kept_out = _once(rows)
    kept: list[tuple[Party, CheckedRow]] = []
    for row, is_contradicted in once:
        reason = _never_applies(row, terms) or _not_of(row, item)
        if reason is not None:
            kept_out.append(KeptOutRow(row, reason))
        else:
            kept.append((row.party, _price(row, item, terms.rules, is_contradicted)))
    return _by_party(kept), tuple(kept_out)


def checked_discounts(
    rows: Iterable[AgreedDiscount], item_party: Party, terms: PricingTerms
) -> tuple[CheckedRows, tuple[KeptOutRow, ...]]:
    """Return the discount rows for an item, a group of items or all, by whose they are."""
    once, kept_out = _once(rows)
    kept: list[tuple[Party, CheckedRow]] = []
    for row, is_contradicted in once:
        reason = _never_applies(row, terms)
        if reason is None and row.item_party != item_party:
            reason = KeptOutReason.OTHER_ITEM
        if reason is not None:
            kept_out.append(KeptOutRow(row, reason))
        else:
            kept.append((row.party, _discount(row, terms.rules, is_contradicted)))
    return _by_party(kept), tuple(kept_out)


def are_plausible(*numbers: Decimal) -> bool:
    """Return whether numbers can be amounts or quantities of anybody."""
    return all(
        number.is_finite()
        and abs(number) < _HIGHEST
        and -int(number.as_tuple().exponent) <= _MOST_DECIMALS
        for number in numbers
    )


def _once(rows: Iterable[R]) -> tuple[list[tuple[R, bool]], list[KeptOutRow]]:
    """Return each record once with whether another row contradicts it, and what came again.

    Rows that move between pages while they are read come twice; a discount would count double.
    """
    found: dict[int, list[R]] = {}
    again = []
    for row in rows:
        same = found.setdefault(row.record_id, [])
        if row in same:
            again.append(KeptOutRow(row, KeptOutReason.READ_TWICE))
        else:
            same.append(row)
    once = [(row, len(same) > 1) for same in found.values() for row in same]
    return once, again


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


def _not_of(row: AgreedPrice, item: PricedItem) -> KeptOutReason | None:
    if not is_same_name(row.item, item.number):
        return KeptOutReason.OTHER_ITEM
    if not row.unit.strip() or item.factor(row.unit, item.inventory_unit) is None:
        return KeptOutReason.UNKNOWN_UNIT
    return None


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
        unit_price = Fraction(row.price) / Fraction(row.price_unit)
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


def _by_party(kept: Iterable[tuple[Party, CheckedRow]]) -> CheckedRows:
    found: defaultdict[Party, list[CheckedRow]] = defaultdict(list)
    for party, row in kept:
        found[party].append(row)
    return {party: tuple(sorted(rows, key=_order)) for party, rows in found.items()}


def _order(row: CheckedRow) -> tuple[Fraction | int, ...]:
    return row.order
