"""What a source of the shop must hold, from what the ERP has on hand. Pure.

    free   = the measure, over the source's warehouses, in sales units, rounded down
    source = max(0, free - safety stock - elsewhere) + added back

The shop takes off every source what orders have reserved (m), and the ERP takes off what it
has on hand what the same orders want. So m of whatever is in both is added back, after the
maximum: a source never falls below what must still ship from it, or the shop refuses the
shipment. What is reserved in another stock, and not in the ERP yet, nobody else takes off; it
is off before the maximum for the same reason.

Where the shop ended reservations twice, it takes so much less off its sources for good (`m` is
below zero): so much is taken off what is free, in any source of the stock, as none holds less than
what must still ship from it.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal, NamedTuple

VERSION = 1

Term = Literal[
    "OnHandQuantity",
    "-ReservedOnHandQuantity",
    "AvailableOnHandQuantity",
    "OrderedQuantity",
    "-ReservedOrderedQuantity",
    "AvailableOrderedQuantity",
    "-OnOrderQuantity",
    "TotalAvailableQuantity",
]
"""A quantity of the ERP, and whether it is added or taken off."""

UNRESERVED_AND_UNWANTED: tuple[Term, ...] = (
    "AvailableOnHandQuantity",
    "-OnOrderQuantity",
    "-ReservedOrderedQuantity",
)
"""The measure that falls when an order enters the ERP, and stays when it is delivered."""


class UnitRules(NamedTuple):
    """How units convert: times the ratio, a quantity in the first is one in the second.

    Attributes:
        of_all: For all products, by both units.
        of_product: For one, by its number and both units; it wins.
    """

    of_all: Mapping[tuple[str, str], Fraction]
    of_product: Mapping[tuple[str, str, str], Fraction]

    def ratio(self, product: str, *, unit: str, into: str) -> Fraction | None:
        """Return the ratio, from a rule of either direction; None where there is none."""
        if unit == into:
            return Fraction(1)
        own, back = (product, unit, into), (product, into, unit)
        if own in self.of_product:
            return self.of_product[own]
        if back in self.of_product:
            return 1 / self.of_product[back]
        if (unit, into) in self.of_all:
            return self.of_all[unit, into]
        return 1 / self.of_all[into, unit] if (into, unit) in self.of_all else None

    def conversions(self, product: str, units: Collection[str]) -> frozenset[Fraction]:
        """Return all ratios that concern a product which is held or sold in these units."""
        of_product = (ratio for key, ratio in self.of_product.items() if key[0] == product)
        of_all = (ratio for key, ratio in self.of_all.items() if {*key} & {*units})
        found = frozenset((*of_product, *of_all))
        return found | {1 / ratio for ratio in found}


def measured(quantities: Mapping[str, Decimal], measure: Iterable[Term]) -> Decimal:
    """Return what a measure says of one warehouse, in the inventory unit."""
    return sum(
        (-quantities[term[1:]] if term.startswith("-") else quantities[term] for term in measure),
        Decimal(0),
    )


def in_sales_units(quantity: Decimal, ratio: Fraction, *, decimals: int) -> Decimal:
    """Return a quantity in the sales unit, rounded down: what is not whole is not sold."""
    return Decimal(floor(Fraction(quantity) * ratio * 10**decimals)).scaleb(-decimals)


def source_quantity(
    free: Decimal, *, safety_stock: Decimal, added_back: Decimal, elsewhere: Decimal
) -> Decimal:
    """Return what a source must hold.

    Args:
        free: What the ERP has for it; below zero where more is wanted than there is.
        safety_stock: What is never sold.
        added_back: Reserved in its stock, by lines whose order was in the ERP at the read.
        elsewhere: Reserved in other stocks fed by its warehouses, by lines that were not.
    """
    return max(Decimal(0), free - safety_stock - elsewhere) + added_back


def without_ended_twice(
    free: Mapping[str, Decimal], ended_twice: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """Return what sources hold beside what is added back, less what the shop ended twice.

    Args:
        free: What they would hold, by their codes.
        ended_twice: How much to take off, by the sources that it left from; where these have less,
            the others give the rest.
    """
    held, rest = dict(free), Decimal(0)
    for source, quantity in ended_twice.items():
        own = min(quantity, held[source])
        held[source] -= own
        rest += quantity - own
    for source, quantity in held.items():
        more = min(rest, quantity)
        held[source] -= more
        rest -= more
    return held


def plain(quantity: Decimal) -> str:
    """Return a quantity as the mirror keeps numbers, without trailing zeros."""
    return f"{quantity.normalize():f}" if quantity else "0"
