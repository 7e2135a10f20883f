"""Exact to the last digit: quotients against fractions, and number texts against themselves."""

import json
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pricing_proxy.money import NumberText, divide, number_text

# Every form that JSON has.
NUMBERS = st.from_regex(
    re.compile(r"-?(0|[1-9]\d{0,19})(\.\d{1,20})?([eE][+-]?\d{1,2})?", re.ASCII), fullmatch=True
)
# What `number_text` accepts: at most 20 digits on each side, the exponent written out.
PLAIN = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", re.ASCII)
PLAUSIBLE = NUMBERS.filter(lambda text: PLAIN.fullmatch(f"{Decimal(text):f}") is not None)
POSITIVE = NUMBERS.filter(lambda text: Decimal(text) > 0)


def rounded_half_up(value: Fraction, scale: int) -> str:
    """The oracle: away from zero at the half, in integers only."""
    units, rest = divmod(abs(value) * 10**scale, 1)
    if rest >= Fraction(1, 2):
        units += 1
    whole, decimals = divmod(units, 10**scale)
    sign = "-" if value < 0 and units else ""
    return f"{sign}{whole}.{decimals:0{scale}}" if scale else f"{sign}{whole}"


@given(dividend=NUMBERS, divisor=POSITIVE, scale=st.integers(0, 12))
@example(dividend="99999999999999999999e99", divisor="1e-99", scale=12)
@example(dividend="0.00005", divisor="1", scale=4)
@example(dividend="-0.00004", divisor="1", scale=4)
@example(dividend="2", divisor="3", scale=0)
@example(dividend="171.00", divisor="10", scale=4)
def test_a_quotient_is_exact_and_rounded_once(dividend: str, divisor: str, scale: int) -> None:
    expected = rounded_half_up(Fraction(dividend) / Fraction(divisor), scale)
    assert divide(Decimal(dividend), Decimal(divisor), scale=scale) == expected


@given(dividend=NUMBERS, divisor=NUMBERS.filter(lambda text: Decimal(text) < 0))
@example(dividend="1000E40", divisor="-10000000000000000000.000000001")
def test_a_negative_divisor_turns_the_sign(dividend: str, divisor: str) -> None:
    # Not by `-`, which rounds to the 28 digits of the decimal context.
    turned = divide(Decimal(dividend).copy_negate(), Decimal(divisor).copy_negate(), scale=4)
    assert divide(Decimal(dividend), Decimal(divisor), scale=4) == turned


def test_rounding_twice_would_be_seen() -> None:
    """0.44445 rounds to 0.4444 or 0.4445, never by way of 0.4445 to 0.445."""
    assert divide(Decimal("0.44445"), Decimal(1), scale=3) == "0.444"
    assert divide(Decimal("0.4445"), Decimal(1), scale=3) == "0.445"


@given(text=PLAUSIBLE)
def test_a_number_keeps_its_text_and_knows_its_value(text: str) -> None:
    read = json.loads(text, parse_float=number_text, parse_int=number_text)
    assert type(read) is NumberText
    assert read == text
    assert Fraction(read.value) == Fraction(text)


@given(text=st.text(alphabet="0123456789.eE+-٣ \n", max_size=60))
def test_what_is_no_plausible_number_is_refused(text: str) -> None:
    plain = re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?", text)
    assume(plain is None)
    with pytest.raises(ValueError, match="not a plausible number"):
        number_text(text)


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "1e400", "1e99", "1e20", "1e-21", "1" * 21, "0." + "1" * 21, "1\n", ""],
)
def test_numbers_that_no_money_has_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a plausible number"):
        number_text(text)
