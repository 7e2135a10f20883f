"""A price that cannot be right is told by its unit price, exactly."""

from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pricing_proxy.domain.price import word_of
from pricing_proxy.domain.price_limits import PriceLimits

ANY, FREE = PriceLimits(), PriceLimits(lowest=Decimal(0))
BETWEEN = PriceLimits(lowest=Decimal("0.05"), highest=Decimal(1000))


def admits(
    limits: PriceLimits, total: str, quantity: str, *, price: str = "1", price_unit: str = "1"
) -> bool:
    return limits.admit(
        price=Decimal(price),
        price_unit=Decimal(price_unit),
        line_total=Decimal(total),
        quantity=Decimal(quantity),
    )


@pytest.mark.parametrize(
    ("limits", "total", "quantity", "is_right"),
    [
        (ANY, "0.01", "1000000", True),
        (ANY, "0", "1", False),
        (ANY, "0.00", "1", False),
        (ANY, "-0.01", "1", False),
        (ANY, "99999999999999999999", "1", True),
        (FREE, "0", "1", True),
        (FREE, "-0.01", "1", False),
        (BETWEEN, "0.5", "10", True),
        (BETWEEN, "0.4999", "10", False),
        (BETWEEN, "3000", "3", True),
        (BETWEEN, "3000.01", "3", False),
    ],
)
def test_the_unit_price_is_judged(
    limits: PriceLimits, total: str, quantity: str, is_right: object
) -> None:
    assert admits(limits, total, quantity) is is_right


@pytest.mark.parametrize("members", [{"price": "-1"}, {"price_unit": "0"}, {"price_unit": "-1"}])
def test_no_charge_makes_a_price_below_zero_or_for_nothing_right(members: dict[str, str]) -> None:
    assert not admits(FREE, "5", "1", **members)


@given(code=st.text())
def test_a_code_becomes_a_word_that_answers_can_hold(code: str) -> None:
    word = word_of(code)
    if word is not None:
        assert 0 < len(word) <= 40
        assert set(word) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("CustomerBlocked", "customer_blocked"),
        ("SYS-4711: gesperrt", "sys_4711_gesperrt"),
        ("already_a_word", "already_a_word"),
        ("X" * 1000, "x" * 40),
        ('","unit_price":"0', "unit_price_0"),
        ("\u0085", None),
        ("", None),
    ],
)
def test_a_code_keeps_what_can_be_told_of_it(code: str, word: str | None) -> None:
    assert word_of(code) == word
