"""The arithmetic of order lines: nothing is lost, and the ERP reaches the shop's amount."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sync.sales.amounts import (
    Taxed,
    document_tax,
    expected_tax,
    line_amount,
    rounded,
    shared,
    unit_price,
)

CENTS = st.integers(0, 10**9).map(lambda cents: Decimal(cents).scaleb(-2))
AMOUNTS = st.integers(0, 10**11).map(lambda units: Decimal(units).scaleb(-4))
QUANTITIES = st.integers(1, 10**8).map(lambda units: Decimal(units).scaleb(-4))


@given(AMOUNTS, QUANTITIES, st.integers(2, 6))
def test_the_erp_comes_to_the_shops_amount(net: Decimal, quantity: Decimal, places: int) -> None:
    """Up to 10,000 pieces and a price of two decimals: some price unit always hits."""
    price = unit_price(net, quantity, price_decimals=places, amount_decimals=2)

    assert price.amount == rounded(net, 2)
    assert abs(price.amount - net) <= Decimal("0.005")
    assert price.amount == line_amount(price.price, quantity, unit=price.unit, decimals=2)
    exponent = price.price.as_tuple().exponent
    assert isinstance(exponent, int)
    assert -exponent <= places


@given(AMOUNTS, QUANTITIES)
def test_the_smallest_price_unit_that_hits_is_taken(net: Decimal, quantity: Decimal) -> None:
    found = unit_price(net, quantity, price_decimals=2, amount_decimals=2)

    unit = 1
    while unit < found.unit:
        exact = Fraction(rounded(net, 2)) * unit / Fraction(quantity)
        price = Decimal(int(exact * 100 + Fraction(1, 2))).scaleb(-2)
        assert line_amount(price, quantity, unit=unit, decimals=2) != found.amount
        unit *= 10


@given(AMOUNTS, st.lists(QUANTITIES, min_size=1, max_size=8))
def test_shares_add_up_to_the_whole(amount: Decimal, weights: list[Decimal]) -> None:
    parts = shared(amount, weights, decimals=2)

    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)
    total = sum(map(Fraction, weights))
    for part, weight in zip(parts, weights, strict=True):
        fair = Fraction(amount) * Fraction(weight) / total
        assert abs(Fraction(part) - fair) <= Fraction(len(parts), 100)


@given(CENTS, st.integers(1, 5))
def test_a_part_without_weight_gets_nothing(amount: Decimal, count: int) -> None:
    parts = shared(amount, [*[Decimal(1)] * count, Decimal(0)], decimals=2)

    assert parts[-1] == 0
    assert sum(parts) == amount


@given(CENTS, st.integers(0, 300_000).map(lambda rate: Decimal(rate).scaleb(-4)))
def test_foretold_tax_is_rounded_half_up_once(net: Decimal, rate: Decimal) -> None:
    tax = expected_tax(net, rate, decimals=2)

    exact = Fraction(net) * Fraction(rate) / 100
    assert -Fraction(1, 200) < Fraction(tax) - exact <= Fraction(1, 200)
    assert tax.as_tuple().exponent == -2


PARTS = st.lists(
    st.builds(
        Taxed, st.sampled_from(["A", "B"]), CENTS, st.sampled_from([Decimal(19), Decimal(7)])
    ),
    max_size=8,
)


def half_up(value: Fraction) -> Fraction:
    """The oracle: cents, away from zero at the half."""
    return Fraction(int(value * 100 + Fraction(1, 2)), 100)


@given(PARTS)
def test_tax_is_rounded_for_each_line_or_once_for_each_rate(parts: list[Taxed]) -> None:
    exact: dict[tuple[str, Decimal], Fraction] = {}
    for one in parts:
        key = one.code, one.rate
        exact[key] = exact.get(key, Fraction(0)) + Fraction(one.net * one.rate) / 100

    by_line = document_tax(parts, rounding="line", decimals=2)
    by_total = document_tax(parts, rounding="total", decimals=2)

    assert by_line == sum(half_up(Fraction(one.net * one.rate) / 100) for one in parts)
    assert by_total == sum(map(half_up, exact.values()))
    # What the tolerance for each line is for: no more than half a cent of each, twice.
    assert abs(by_line - by_total) <= Decimal("0.005") * (len(parts) + len(exact))
