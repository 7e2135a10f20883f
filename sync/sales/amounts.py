"""The arithmetic between two systems that round in different places: exact, in decimals.

The ERP stores a price per price unit and computes a line as price times quantity, divided by
the price unit and rounded half up. Magento stores the line and derives the price. So the
price is derived from the line here, with the smallest price unit (1, 10, 100, ...) that
brings the ERP to the very same amount.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import Literal

from pricing_proxy.money import divide

# Wide enough for any two amounts; what it cannot hold raises instead of being rounded.
_EXACT = Context(prec=80, traps=[Inexact])
# Beyond it no order has a quantity that a price of two decimals could not hit.
_LARGEST_PRICE_UNIT = 1_000_000


TaxRounding = Literal["line", "total"]
"""How the ERP rounds tax: each line's, or once for each rate of a document."""


@dataclass(frozen=True, slots=True)
class Taxed:
    """An amount and what is charged on it.

    Attributes:
        code: Names the rate; amounts of one are taxed together where tax is rounded once.
        net: Without tax.
        rate: In percent.
    """

    code: str
    net: Decimal
    rate: Decimal


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """A price as the ERP takes it.

    Attributes:
        price: Net, for `unit` pieces.
        unit: The price unit: 1, 10, 100, ...
        amount: What the ERP makes of the whole line.
    """

    price: Decimal
    unit: int
    amount: Decimal


def unit_price(
    net: Decimal, quantity: Decimal, *, price_decimals: int, amount_decimals: int
) -> UnitPrice:
    """Return the price that makes the ERP's line equal `net`, rounded to what it can store.

    Args:
        net: Of the whole line; not negative.
        quantity: Greater than zero.
        price_decimals: Decimals the ERP keeps of a price.
        amount_decimals: Decimals of a line's amount.
    """
    target = rounded(net, amount_decimals)
    unit = 1
    while True:
        price = Decimal(divide(_EXACT.multiply(target, unit), quantity, scale=price_decimals))
        amount = line_amount(price, quantity, unit=unit, decimals=amount_decimals)
        if amount == target or unit >= _LARGEST_PRICE_UNIT:
            return UnitPrice(price, unit, amount)
        unit *= 10


def line_amount(price: Decimal, quantity: Decimal, *, unit: int, decimals: int) -> Decimal:
    """Return a line's net amount as the ERP computes it."""
    return Decimal(divide(_EXACT.multiply(price, quantity), Decimal(unit), scale=decimals))


def expected_tax(net: Decimal, rate: Decimal, *, decimals: int) -> Decimal:
    """Return the tax the ERP computes on a line.

    Args:
        net: The line's amount.
        rate: In percent.
        decimals: Decimals of the currency.
    """
    return Decimal(divide(_EXACT.multiply(net, rate), Decimal(100), scale=decimals))


def document_tax(parts: Iterable[Taxed], *, rounding: TaxRounding, decimals: int) -> Decimal:
    """Return the tax the ERP computes on a document of these parts."""
    if rounding == "total":
        nets: dict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
        for part in parts:
            nets[part.code, part.rate] += part.net
        parts = [Taxed(code, net, rate) for (code, rate), net in nets.items()]
    return sum((expected_tax(part.net, part.rate, decimals=decimals) for part in parts), Decimal(0))


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """Return the amount rounded half up, away from zero."""
    return Decimal(divide(amount, Decimal(1), scale=decimals))


def shared(amount: Decimal, weights: Sequence[Decimal], *, decimals: int) -> list[Decimal]:
    """Return `amount` in parts by weight; the parts add up to it exactly.

    Each part but the last non-zero one is cut to `decimals`; the rest goes to that one, so a
    part of the amount that is smaller than a cent is not lost either.

    Args:
        amount: To be shared; not negative.
        weights: None negative, at least one greater than zero.
        decimals: Decimals of all parts but one.
    """
    total = sum(map(Fraction, weights))
    scale = 10**decimals
    parts = [
        Decimal(int(Fraction(amount) * Fraction(weight) / total * scale)) / scale
        for weight in weights
    ]
    last = max(index for index, weight in enumerate(weights) if weight > 0)
    parts[last] += amount - sum(parts, Decimal(0))
    return parts
