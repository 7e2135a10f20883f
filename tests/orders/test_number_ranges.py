"""Whether two store views of a company number alike is seen in the numbers they gave."""

import logging

import pytest

from sync.orders.number_ranges import RangeWatch, look_at_ranges
from tests.fakes.order_shop import FakeShop
from tests.orders import recorded

SAMPLE = recorded.orders()["tax_excl_row__mixed_rates"]


def shop_with(*orders: tuple[int, str]) -> FakeShop:
    """Return a shop with orders of these store views and numbers."""
    shop = FakeShop()
    for entity_id, (store, number) in enumerate(orders, start=1):
        shop.put(recorded.numbered(SAMPLE, entity_id, number, store))
    return shop


async def test_a_number_that_was_given_twice_is_told_with_both_orders() -> None:
    shop = shop_with((2, "4000006164"), (3, "4000006164"))

    found = await look_at_ranges(shop, {2: "", 3: ""})

    (text,) = found.collisions
    assert text == "store views 2 and 3 both have an order 4000006164 (#1, #2)"


async def test_sequences_that_begin_alike_are_told_before_a_number_is_given_twice() -> None:
    shop = shop_with((2, "000000017"), (3, "000000203-1"), (4, "4000000001"))

    found = await look_at_ranges(shop, {2: "", 3: "", 4: ""})

    assert not found.collisions
    assert found.alike == ["store views 2 and 3 number alike, as 000000017 and 000000203-1"]


async def test_store_views_that_share_one_sequence_collide_never() -> None:
    shop = shop_with((1, "000000203"), (2, "000000204"), (1, "000000205"))

    found = await look_at_ranges(shop, {1: "", 2: ""})

    assert (len(found.collisions), len(found.alike)) == (0, 1)


async def test_a_count_of_another_width_is_told_from_the_beginning_of_a_number() -> None:
    """Magento 1 filled up to eight digits, and shops that came from there still do."""
    shop = shop_with((1, "100001234"), (2, "200000345"), (3, "1000001234"), (4, "123456789"))

    found = await look_at_ranges(shop, dict.fromkeys((1, 2, 3, 4), ""))

    assert (found.collisions, found.alike) == ([], [])


async def test_a_prefix_tells_them_apart() -> None:
    shop = shop_with((2, "000000017"), (3, "000000017"))

    assert not (await look_at_ranges(shop, {2: "", 3: "B-"})).collisions


async def test_a_prefix_that_makes_the_number_of_another_is_told() -> None:
    """Magento's own beginnings are digits, and so may a prefix be."""
    shop = shop_with((1, "000000001"), (2, "2000000001"))

    (text,) = (await look_at_ranges(shop, {1: "2", 2: ""})).collisions

    assert text == "store views 1 and 2 both have an order 2000000001 (#1, #2)"


async def test_letters_of_a_prefix_are_compared_as_the_erp_does() -> None:
    shop = shop_with((1, "000000001"), (2, "000000001"))

    assert (await look_at_ranges(shop, {1: "b-", 2: "B-"})).collisions


async def test_a_store_view_without_orders_is_not_known() -> None:
    found = await look_at_ranges(shop_with((1, "000000001")), {1: "", 2: ""})

    assert (found.collisions, found.unknown) == ([], [2])


async def test_one_store_view_numbers_each_order_once() -> None:
    assert not (await look_at_ranges(FakeShop(), {1: ""})).unknown


async def test_what_could_meet_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    shop = shop_with((2, "000000017"), (3, "000000017"))
    watch = RangeWatch(shop, {"erp/demf": {2: "", 3: ""}, "erp/usmf": {4: ""}})

    with caplog.at_level(logging.WARNING):
        assert await watch.look() == 1

    assert "in erp/demf, store views 2 and 3 both have an order 000000017" in caplog.text
