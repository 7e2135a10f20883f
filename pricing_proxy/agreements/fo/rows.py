"""Posted trade agreements as they were read, and the items and customers that they name.

Values only: nothing here is checked. What F&O cannot have meant is found by `checking`.
Amounts and quantities are exact decimals. A date of None and an upper bound of 0 are open ends;
the ERP's first of January 1900 is None. Codes are compared without case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, TypeAlias

from pricing_proxy.names import same_name_key

ZERO = Decimal(0)
ONE = Decimal(1)


class Code(StrEnum):
    """Whom or what an agreement names: one, a group, or all of them."""

    TABLE = "table"
    GROUP = "group"
    ALL = "all"


Party: TypeAlias = tuple[Code, str]
"""An account code with its value as `same_name_key` makes it; likewise for items."""

EVERYBODY: Party = (Code.ALL, "")


class ItemDimensions(NamedTuple):
    """Product and storage dimensions; on an agreement an empty one fits any."""

    config: str = ""
    size: str = ""
    color: str = ""
    style: str = ""
    version: str = ""
    site: str = ""
    warehouse: str = ""

    def folded(self) -> tuple[str, ...]:
        """Return them as they are compared."""
        return tuple(same_name_key(name) if name else "" for name in self)


NO_DIMENSIONS = ItemDimensions()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agreement:
    """What all posted agreements have.

    Attributes:
        record_id: F&O's own number of the row within its set.
        account: A customer's; it decides where a group is named too.
        group: Of customers; with neither the row is for everybody.
        unit: Of the bracket, and of what a price is for; a discount without one fits any unit.
        find_next: Whether wider agreements are looked at too; None is no.
        is_generic: Where there is no row in the document's currency, one in the generic
            currency is converted.
    """

    record_id: int
    account: str = ""
    group: str = ""
    currency: str = ""
    unit: str = ""
    from_quantity: Decimal = ZERO
    to_quantity: Decimal = ZERO
    from_date: date | None = None
    to_date: date | None = None
    find_next: bool | None = None
    is_generic: bool = False

    @property
    def party(self) -> Party:
        """Whose agreement it is."""
        return _party(self.account, self.group)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedPrice(_Agreement):
    """A row of `SalesPriceAgreements`: `price` for `price_unit` units of one item.

    Attributes:
        charges: Of a whole line, or part of the price where the item says so.
        attribute_pricing_id: Not empty: a formula over attributes decides, which is not known.
    """

    item: str
    price: Decimal
    price_unit: Decimal = ONE
    charges: Decimal = ZERO
    dimensions: ItemDimensions = NO_DIMENSIONS
    attribute_pricing_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedDiscount(_Agreement):
    """A row of `SalesLineDiscountAgreements`, or of those for multiline or total discounts.

    For a total discount the bounds of its bracket are amounts of money.

    Attributes:
        item: The item; it decides where a group is named too.
        item_group: Of items; with neither the row is for all items.
        percent1: In percent, as `percent2`, which is taken of what is left.
        amount: Of money per price unit.
    """

    item: str = ""
    item_group: str = ""
    percent1: Decimal = ZERO
    percent2: Decimal = ZERO
    amount: Decimal = ZERO
    dimensions: ItemDimensions = NO_DIMENSIONS

    @property
    def item_party(self) -> Party:
        """What it is for."""
        return _party(self.item, self.item_group)


@dataclass(frozen=True, kw_only=True)
class PricedItem:
    """A released product, as far as its price depends on it.

    Attributes:
        base_price: In the company's currency, for `base_price_unit` sales units.
        charges: That go with the base price.
        charges_included: Charges of agreements and of the base price are part of the unit price,
            spread over `charges_quantity` units (0 is one).
        counts_for_total: A cart's total discount is taken of it too.
        conversions: How many of the second unit one of the first is, of this item or of all;
            each holds both ways.
    """

    number: str
    sales_unit: str
    inventory_unit: str
    base_price: Decimal = ZERO
    base_price_unit: Decimal = ONE
    charges: Decimal = ZERO
    charges_included: bool = False
    charges_quantity: Decimal = ZERO
    line_discount_group: str = ""
    multiline_discount_group: str = ""
    counts_for_total: bool = True
    conversions: Mapping[tuple[str, str], Fraction] = field(default_factory=dict)

    def factor(self, source: str, target: str) -> Fraction | None:
        """Return how many `target` one `source` is; None where no conversion says so."""
        ends = same_name_key(source), same_name_key(target)
        return Fraction(1) if ends[0] == ends[1] else self._factors.get(ends)

    @cached_property
    def _factors(self) -> dict[tuple[str, str], Fraction]:
        known = {
            (same_name_key(source), same_name_key(target)): factor
            for (source, target), factor in self.conversions.items()
        }
        return {(target, source): 1 / factor for (source, target), factor in known.items()} | known

    def parties(self) -> tuple[Party | None, Party | None, Party]:
        """Return what line discounts call it, from narrow to wide; None where it has no group."""
        group = same_name_key(self.line_discount_group)
        return (
            (Code.TABLE, same_name_key(self.number)),
            (Code.GROUP, group) if group else None,
            EVERYBODY,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreedSale:
    """A line of a sales agreement that is in force: its price goes before every trade agreement.

    Attributes:
        agreement: F&O's number of it.
        item: Empty where it is for more than one item.
        from_date: Its first day, None for ever; as `to_date`, its last.
    """

    agreement: str
    item: str = ""
    from_date: date | None = None
    to_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCustomer:
    """A customer with the groups that agreements name.

    Attributes:
        agreed_sales: Lines of sales agreements, past and to come too.
        is_contradicted: It was read twice with different groups: somebody changes it just now.
    """

    account: str
    price_group: str = ""
    line_discount_group: str = ""
    multiline_discount_group: str = ""
    total_discount_group: str = ""
    agreed_sales: tuple[AgreedSale, ...] = ()
    is_contradicted: bool = False

    def parties(self, group: str) -> tuple[Party, ...]:
        """Return what agreements call the customer, from narrow to wide.

        Args:
            group: That the customer is in for this kind of agreement; empty for none.
        """
        own = (Code.TABLE, same_name_key(self.account))
        folded = same_name_key(group)
        return (own, (Code.GROUP, folded), EVERYBODY) if folded else (own, EVERYBODY)


Dated: TypeAlias = AgreedPrice | AgreedDiscount | AgreedSale


def last_day_alike(dated: Dated, on: date) -> date | None:
    """Return the last day until which something dated applies, or does not, as it does on a day."""
    if dated.from_date is not None and dated.from_date > on:
        return date.fromordinal(dated.from_date.toordinal() - 1)
    if dated.to_date is not None and dated.to_date >= on:
        return dated.to_date
    return None


def is_in_period(dated: Dated, on: date) -> bool:
    """Return whether a day is within its period; its first and last day are."""
    return (dated.from_date is None or dated.from_date <= on) and (
        dated.to_date is None or dated.to_date >= on
    )


def _party(one: str, group: str) -> Party:
    if name := same_name_key(one):
        return Code.TABLE, name
    name = same_name_key(group)
    return (Code.GROUP, name) if name else EVERYBODY
