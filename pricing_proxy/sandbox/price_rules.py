"""What the simulated F&O makes of the questions that F&O's documentation leaves open.

The defaults are what a live F&O is taken to do until one says otherwise; tests try the others.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRules:
    """One company's ways.

    Attributes:
        find_next_no: What a row without find next ends.
        zero_price: What a price of 0 without find next does.
        dimensions: Whether rows that name fewer dimensions compete with those that name more.
        other_unit: On which quantity brackets of the inventory unit are tested; whether at all.
        amounts: When amounts come off under line times multiline.
        charges_over: Over what charges within the price are spread.
        price_rounding: A step, and how; as `line_rounding`. None rounds nothing.
        prices_off: Account codes, such as Table, that nobody looks at for prices.
        discounts_off: Pairs of account and item code that nobody looks at for line discounts.
        multiline_for_all: The lines that multiline discounts for all items are for.
        total_rest: Which line gets what rounding leaves of a total discount.
        generic_currency: Rows in it that allow it are converted, where no other row is found.
    """

    find_next_no: Literal["search", "combination"] = "search"
    row_order: Literal["from_quantity", "record"] = "from_quantity"
    zero_price: Literal["ends", "ignored", "counts"] = "ends"
    zero_base_price: Literal["none", "free"] = "none"
    dimensions: Literal["filter", "specific"] = "filter"
    other_unit: Literal["converted", "requested", "none"] = "converted"
    upper_bound: Literal["inclusive", "exclusive"] = "inclusive"
    amounts: Literal["first", "stepwise"] = "first"
    blank_currency: Literal["equal", "matches"] = "equal"
    charges_over: Literal["charges_quantity", "line_quantity"] = "charges_quantity"
    price_rounding: tuple[Decimal, Literal["normal", "down", "up"]] | None = None
    line_rounding: tuple[Decimal, Literal["normal", "down", "up"]] | None = None
    prices_off: frozenset[str] = field(default_factory=frozenset)
    discounts_off: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    generic_currency: str = ""
    multiline_for_all: Literal["without_group", "unmatched", "every_line"] = "without_group"
    multiline_off: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    total_off: frozenset[str] = field(default_factory=frozenset)
    total_rest: Literal["last", "largest"] = "last"


def to_step(
    amount: Fraction, rounding: tuple[Decimal, Literal["normal", "down", "up"]] | None
) -> Fraction:
    """Return the nearest whole step, the one below or the one above; halves go up in size."""
    if rounding is None:
        return amount
    step, way = Fraction(rounding[0]), rounding[1]
    below = amount - amount % step
    above = below if below == amount else below + step
    if way != "normal":
        return below if way == "down" else above
    to_below, to_above = amount - below, above - amount
    if to_below == to_above:
        return above if amount > 0 else below
    return below if to_below < to_above else above
