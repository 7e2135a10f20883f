"""Add a price answer up again: does the net amount follow from the price and its discounts?

    net = quantity x (price - amount discount) / price unit x (1 - percent) + charges

How line and multiline percentages combine is a parameter that F&O does not tell: any of its
policies will do. Exact and pure.
"""

from decimal import Decimal
from fractions import Fraction

from pricing_proxy.d365.fo.models import PriceLine
from pricing_proxy.money import NumberText

_HUNDRED = 100


def adds_up(line: PriceLine, quantity: Decimal, *, step: Decimal) -> bool:
    """Return whether the net amount is right, to half of the last rounding.

    Args:
        line: A line with a price.
        quantity: What was asked for.
        step: What the ERP rounds amounts to, such as 0.01.
    """
    tolerance = Fraction(step) / 2
    net = _fraction(line.netAmount)
    return any(abs(sum_ - net) <= tolerance for sum_ in _sums(line, quantity))


def expected(line: PriceLine, quantity: Decimal) -> Decimal:
    """Return the net amount by line discount alone, to four decimals, for people."""
    sum_ = _sums(line, quantity)[0]
    return round(Decimal(sum_.numerator) / Decimal(sum_.denominator), 4)


def _sums(line: PriceLine, quantity: Decimal) -> list[Fraction]:
    price_unit = _fraction(line.priceUnit) or Fraction(1)
    per_unit = (_fraction(line.unitPrice) - _fraction(line.lineDiscAmount)) / price_unit
    by_line = _fraction(line.lineDiscPercent) / _HUNDRED
    by_lines = _fraction(line.multilineDiscPercent) / _HUNDRED
    left = (1 - by_line, 1 - by_lines, 1 - by_line - by_lines, (1 - by_line) * (1 - by_lines))
    return [Fraction(quantity) * per_unit * part + _fraction(line.priceCharges) for part in left]


def _fraction(number: NumberText | None) -> Fraction:
    return Fraction(number.value) if number is not None else Fraction()
