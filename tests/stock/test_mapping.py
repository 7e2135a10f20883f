"""What a source must hold, from what is free and what orders take."""

from decimal import Decimal
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given

from sync.stock.mapping import (
    UNRESERVED_AND_UNWANTED,
    UnitRules,
    in_sales_units,
    measured,
    plain,
    source_quantity,
    without_ended_twice,
)

QUANTITIES = {
    "AvailableOnHandQuantity": Decimal(95),
    "OnOrderQuantity": Decimal(7),
    "ReservedOrderedQuantity": Decimal(3),
}
AMOUNTS = st.decimals(min_value=-1000, max_value=1000, places=2)
POSITIVE = st.decimals(min_value=0, max_value=1000, places=2)


def test_what_orders_want_and_what_is_kept_of_what_comes_is_not_free() -> None:
    assert measured(QUANTITIES, UNRESERVED_AND_UNWANTED) == 85


def test_another_measure_counts_what_it_names() -> None:
    assert measured(QUANTITIES, ["AvailableOnHandQuantity"]) == 95


@pytest.mark.parametrize(
    ("pieces", "per_box", "boxes"), [(25, 12, 2), (24, 12, 2), (11, 12, 0), (-1, 12, -1)]
)
def test_what_is_not_a_whole_box_is_not_sold(pieces: int, per_box: int, boxes: int) -> None:
    assert in_sales_units(Decimal(pieces), Fraction(1, per_box), decimals=0) == boxes


def test_what_is_sold_by_weight_keeps_its_decimals() -> None:
    assert in_sales_units(Decimal("2.559"), Fraction(1), decimals=2) == Decimal("2.55")


def test_a_products_own_rule_wins_and_works_both_ways() -> None:
    rules = UnitRules(
        of_all={("box", "pcs"): Fraction(10)}, of_product={("lamp", "box", "pcs"): Fraction(12)}
    )
    assert rules.ratio("lamp", unit="pcs", into="box") == Fraction(1, 12)
    assert rules.ratio("cable", unit="pcs", into="box") == Fraction(1, 10)
    assert rules.ratio("cable", unit="box", into="pcs") == 10
    assert rules.ratio("cable", unit="pcs", into="pcs") == 1
    assert rules.ratio("cable", unit="pcs", into="pal") is None


@given(free=AMOUNTS, safety=POSITIVE, inside=POSITIVE, elsewhere=POSITIVE)
def test_a_source_never_falls_below_what_must_ship_from_it(
    free: Decimal, safety: Decimal, inside: Decimal, elsewhere: Decimal
) -> None:
    held = source_quantity(free, safety_stock=safety, added_back=inside, elsewhere=elsewhere)

    assert held >= inside
    assert held - inside == max(Decimal(0), free - safety - elsewhere)


@given(free=st.lists(POSITIVE, min_size=1, max_size=3), twice=st.lists(POSITIVE, max_size=3))
def test_what_the_shop_ended_twice_is_taken_off_as_far_as_there_is_any(
    free: list[Decimal], twice: list[Decimal]
) -> None:
    sources = {f"source {number}": each for number, each in enumerate(free)}
    ended = dict(zip(sources, twice, strict=False))

    held = without_ended_twice(sources, ended)

    assert sum(held.values()) == max(Decimal(0), sum(free) - sum(ended.values()))
    assert all(0 <= held[source] <= each for source, each in sources.items())
    enough = all(ended.get(source, 0) <= each for source, each in sources.items())
    assert not enough or held == {
        source: each - ended.get(source, 0) for source, each in sources.items()
    }


@pytest.mark.parametrize(
    ("quantity", "text"), [("95.0000", "95"), ("0.000", "0"), ("12.50", "12.5"), ("100", "100")]
)
def test_numbers_are_kept_without_zeros_at_their_ends(quantity: str, text: str) -> None:
    assert plain(Decimal(quantity)) == text
