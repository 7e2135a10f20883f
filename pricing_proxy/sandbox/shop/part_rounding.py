"""How Magento rounds the parts of a document: what a line loses by it, the next one gets.

One remainder goes on from amount to amount of a document, in the order in which its totals are
collected: rows of all lines, then their discounts, then tax and compensation line by line.
Discounts are taken off, so that the remainder turns round for them. Magento computes in binary
fractions and rounds as PHP 8.2 does, to fifteen digits first; so does this, since recorded cents
depend on it.
"""

from decimal import ROUND_HALF_UP, Decimal
from math import floor, log10

_CENT = Decimal("0.01")
# What PHP takes a binary fraction to be exact to.
_DIGITS = 14


class PartRounding:
    """The remainder of one document in one currency."""

    def __init__(self) -> None:
        self._left = 0.0

    def part(
        self,
        whole: Decimal,
        done: Decimal,
        available: Decimal,
        quantity: Decimal,
        *,
        is_taken_off: bool = False,
    ) -> Decimal:
        """Return the share of what is left of an amount, all of it for the last pieces.

        Args:
            whole: The amount.
            done: How much of it went into documents before.
            available: Pieces that the rest is for.
            quantity: Pieces of this document.
            is_taken_off: Whether the amount is a discount.
        """
        if quantity == available or not available:
            return whole - done
        exact = (float(whole) - float(done)) / float(available) * float(quantity)
        if not exact:
            return Decimal(0)
        sign = -1.0 if is_taken_off else 1.0
        exact += sign * self._left
        rounded = cents_of(exact)
        self._left = sign * (exact - float(rounded))
        return rounded


def cents_of(value: float) -> Decimal:
    """Return a binary fraction in cents, as PHP rounds it."""
    if not value:
        return Decimal(0)
    places = _DIGITS - floor(log10(abs(value)))
    first = Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return first.quantize(_CENT, ROUND_HALF_UP)
