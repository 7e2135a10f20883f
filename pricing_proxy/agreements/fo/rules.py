"""How this F&O answers what its documentation leaves open, and what its parameters say.

One setting per open question of the search, each with the answer that holds until a live
environment says otherwise. Nothing of this is in an OData set: whoever sets up a market
compares prices and chooses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from pricing_proxy.agreements.fo.rows import Code
from pricing_proxy.names import same_name_key


class FindNextNo(StrEnum):
    """What a row without "find next" ends."""

    ENDS_SEARCH = "search"
    ENDS_COMBINATION = "combination"


class RowOrder(StrEnum):
    """In which order the rows of one combination are looked at."""

    QUANTITY = "from_quantity_then_record"
    RECORD = "record"


class ZeroPrice(StrEnum):
    """What a price of 0 without "find next" is; with it, it is never a price."""

    ENDS = "ends_the_search"
    """No price, but the search ends, and the base price applies."""
    IGNORED = "ignored"
    COUNTS = "counts"


class ZeroBasePrice(StrEnum):
    """What a base price of 0 means."""

    NO_PRICE = "no_price"
    FREE = "free"


class DimensionMatch(StrEnum):
    """Which prices of one combination compete."""

    ALL_THAT_FIT = "filter"
    MOST_SPECIFIC = "most_specific"
    """Only those that name the most dimensions."""


class OtherUnit(StrEnum):
    """What is tried where there is no price in the asked unit."""

    CONVERTED_QUANTITY = "inventory_unit_converted_quantity"
    REQUESTED_QUANTITY = "inventory_unit_requested_quantity"
    """Prices of the inventory unit, brackets tested on the quantity as it was asked."""
    NONE = "none"


class UpperBound(StrEnum):
    """Whether the upper bound is within its bracket."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"


class AmountsInProduct(StrEnum):
    """When the multiline discount's amount is taken off under line times multiline."""

    FIRST = "both_first"
    STEPWISE = "stepwise"


class BlankCurrency(StrEnum):
    """Which document a discount without a currency fits."""

    NONE = "must_equal"
    ANY = "matches"


class ChargesSpread(StrEnum):
    """Over what charges that are part of the price are spread."""

    CHARGES_QUANTITY = "charges_quantity"
    LINE_QUANTITY = "line_quantity"
    """Each quantity has a price of its own: there are no price breaks."""


class DiscountPolicy(StrEnum):
    """How line and multiline discount combine."""

    LINE = "line"
    MULTILINE = "multiline"
    MAX = "max"
    MIN = "min"
    LINE_PLUS_MULTILINE = "line_plus_multiline"
    LINE_TIMES_MULTILINE = "line_times_multiline"


class MultilineForAll(StrEnum):
    """Which lines multiline discounts for all items are for."""

    WITHOUT_GROUP = "lines_without_group"
    UNMATCHED = "lines_without_a_group_row"
    EVERY_LINE = "every_line"


class TotalRest(StrEnum):
    """Which line gets what rounding leaves of a total discount's amount."""

    LAST_LINE = "last_line"
    LARGEST_LINE = "largest_line"


class RoundingMethod(StrEnum):
    """F&O's three ways; what lies on a step stays."""

    NORMAL = "normal"
    DOWN = "down"
    UP = "up"


# Wider than any amount: nothing is rounded but by the rule.
_EXACT = Context(prec=80)


@dataclass(frozen=True, slots=True)
class AmountRounding:
    """A rule of a currency: to whole `step`s, such as 0.05; amounts are not negative."""

    step: Decimal
    method: RoundingMethod = RoundingMethod.NORMAL

    def apply(self, amount: Fraction) -> Decimal:
        """Return an amount as a whole number of steps."""
        steps = amount / Fraction(self.step)
        if self.method is RoundingMethod.NORMAL:
            # Half goes away from zero; floor division of a fraction is exact.
            size = (2 * abs(steps) + 1) // 2
            whole = size if steps >= 0 else -size
        else:
            whole = -(-steps // 1) if self.method is RoundingMethod.UP else steps // 1
        return _EXACT.multiply(Decimal(whole), self.step)


Combination: TypeAlias = tuple[Code, Code]
"""Account code and item code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The combinations that are looked at (parameters, "Activate price/discount")."""

    price: frozenset[Code] = frozenset(Code)
    line_discount: frozenset[Combination] = frozenset((a, i) for a in Code for i in Code)
    multiline_discount: frozenset[Combination] = frozenset(
        (a, i) for a in Code for i in (Code.GROUP, Code.ALL)
    )
    total_discount: frozenset[Code] = frozenset(Code)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRules:
    """The answers to the open questions."""

    find_next_no: FindNextNo = FindNextNo.ENDS_SEARCH
    row_order: RowOrder = RowOrder.QUANTITY
    zero_price: ZeroPrice = ZeroPrice.ENDS
    zero_base_price: ZeroBasePrice = ZeroBasePrice.NO_PRICE
    dimensions: DimensionMatch = DimensionMatch.ALL_THAT_FIT
    other_unit: OtherUnit = OtherUnit.CONVERTED_QUANTITY
    upper_bound: UpperBound = UpperBound.INCLUSIVE
    multiline_for_all: MultilineForAll = MultilineForAll.WITHOUT_GROUP
    amounts_in_product: AmountsInProduct = AmountsInProduct.FIRST
    blank_currency: BlankCurrency = BlankCurrency.NONE
    charges_spread: ChargesSpread = ChargesSpread.CHARGES_QUANTITY
    total_rest: TotalRest = TotalRest.LAST_LINE
    price_rounding: AmountRounding | None = None
    line_rounding: AmountRounding | None = None


@dataclass(frozen=True, kw_only=True)
class PricingTerms:
    """What holds for a whole legal entity.

    Attributes:
        currency: The company's, which base prices are in.
        rates: What one unit of it is worth in each other currency that is used.
        generic_currency: Prices in it are converted where a row allows that; None where this is
            not to be done: a line that needs it is refused.
        unified_pricing: Discounts follow rules that are not trade agreements: all is refused.
    """

    currency: str
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    rules: SearchRules = field(default_factory=SearchRules)
    switches: Switches = field(default_factory=Switches)
    policy: DiscountPolicy = DiscountPolicy.LINE
    generic_currency: str | None = None
    unified_pricing: bool = False

    def rate(self, currency: str) -> Fraction | None:
        """Return what one unit of the company's currency is worth; None where nobody says."""
        return self._worth.get(same_name_key(currency))

    @cached_property
    def _worth(self) -> dict[str, Fraction]:
        known = {same_name_key(code): Fraction(r) for code, r in self.rates.items() if r > 0}
        return {**known, same_name_key(self.currency): Fraction(1)}
