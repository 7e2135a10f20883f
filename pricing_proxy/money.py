"""Exact decimal arithmetic for prices; nothing here touches a float.

Dynamics 365 sends numbers as JSON numbers. Their texts are kept as they came
(`NumberText`) and reach the answer unchanged; whatever is derived from them is
computed exactly and rounded once, half up.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

_PLAIN = re.compile(r"-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?", re.ASCII)


class NumberText(str):
    """The text of a JSON number exactly as the other system wrote it."""

    __slots__ = ()

    @property
    def value(self) -> Decimal:
        """The number, exactly."""
        return Decimal(self)


@dataclass(frozen=True, slots=True)
class ImplausibleNumber:
    """A number with more digits or a larger exponent than any money amount: never computed with.

    Attributes:
        text: How it was written; its beginning, where it is long.
    """

    text: str


def number_text(text: str) -> NumberText:
    """Return `text` marked as a number's text; for `parse_float` and `parse_int` of `json.loads`.

    Raises:
        ValueError: The text has more digits or a larger exponent than any money amount.
    """
    found = _PLAIN.fullmatch(text)
    # With its exponent written out, it may have no more digits than one without.
    if found is None or (found[2] and _PLAIN.fullmatch(f"{Decimal(text):f}") is None):
        raise ValueError(f"not a plausible number: {text[:40]!r}")
    return NumberText(text)


def divide(dividend: Decimal, divisor: Decimal, *, scale: int) -> str:
    """Return the quotient as text with exactly `scale` decimals, rounded half up once.

    Args:
        dividend: An amount of money.
        divisor: Units the amount is for; not zero.
        scale: Decimals to show, zeros kept.
    """
    shifted = Fraction(dividend) / Fraction(divisor) * 10**scale
    doubled = abs(shifted.numerator) * 2 + shifted.denominator
    units = doubled // (2 * shifted.denominator)
    sign = "-" if shifted < 0 and units else ""
    # Integers all the way: a decimal context would round again where its digits end.
    whole, decimals = divmod(units, 10**scale)
    return f"{sign}{whole}.{decimals:0{scale}}" if scale else f"{sign}{whole}"
