"""What mirrors send is what was recorded, and what the real shop answered is read to the end."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from pricing_proxy.resilience.errors import UpstreamContractError
from sync.magento.answers import MagentoRejectedError
from sync.magento.base_prices import BasePrice
from sync.magento.bulk_models import OperationState
from sync.magento.exact_json import exact_json
from sync.magento.search import Search, sku_groups
from sync.magento.shop import Shop
from tests.magento.loopback import client_of, playing
from tests.magento.recordings import recordings

CATALOG = recordings("catalog")
PRICES = recordings("prices")
BULK = recordings("async_bulk")
UUID = "6e677ba5-fa27-4a65-b4c1-5f3810ad6ba9"
Ask = Callable[[Shop], Awaitable[Any]]


async def test_a_bulk_is_followed_to_the_end_of_each_row() -> None:
    async with playing(BULK["14b_bulk_put_by_sku_product_sku_inside_detailed_status"]) as (
        client,
        _,
    ):
        end = await client.bulks.follow(UUID, rows=3, wait=timedelta(0))
    assert not end.is_overdue
    assert {row: each.status for row, each in end.ended.items()} == {
        0: OperationState.COMPLETE,
        1: OperationState.FAILED,
        2: OperationState.COMPLETE,
    }
    assert end.ended[1].result_message == "Invalid product data: Invalid attribute set entity type"
    assert end.ended[0].result["price"] == 11


async def test_rows_that_killed_the_consumer_are_overdue_and_the_others_are_done() -> None:
    async with playing(BULK["07c_bulk_put_by_sku_detailed_status_after_consumer"]) as (client, _):
        end = await client.bulks.follow(UUID, rows=3, wait=timedelta(0))
    assert end.is_overdue
    assert [row for row, each in end.ended.items() if each.status == OperationState.COMPLETE] == [1]


async def test_how_stock_is_sold_is_told_by_a_product_that_is_read_alone() -> None:
    async with playing(CATALOG["18_product_get_with_options"]) as (client, _):
        settings = await client.products.stock_settings("LAB-O1")
    assert settings is not None
    assert (settings.min_qty, settings.use_config_min_qty) == (Decimal(0), True)


async def test_a_product_without_its_sku_never_leaves() -> None:
    """The consumer of the real shop died of it, and the operation stayed open for ever."""
    async with playing(BULK["07_bulk_put_by_sku"]) as (client, shop):
        with pytest.raises(ValueError, match="sku"):
            await client.bulks.change_products([{"price": 11}], store="all")
    assert not shop.requests


async def test_what_a_complete_operation_refused_is_in_its_result() -> None:
    async with playing(BULK["10c_bulk_base_prices_detailed_status_after_consumer"]) as (client, _):
        (operation,) = await client.bulks.operations(UUID)
    assert operation.status == OperationState.COMPLETE
    assert [each.text for each in operation.row_faults] == ["Invalid attribute SKU = BULK-NOPE."]


async def test_a_bulk_that_the_shop_does_not_know_is_an_error() -> None:
    async with playing(BULK["04_bulk_status_unknown_uuid"]) as (client, _):
        with pytest.raises(MagentoRejectedError):
            await client.bulks.operations(UUID)


async def test_a_malformed_row_refuses_its_whole_bulk() -> None:
    async with playing(BULK["05c_bulk_unknown_field_at_post"]) as (client, _):
        with pytest.raises(MagentoRejectedError) as caught:
            await client.bulks.create_products([{"sku": "BULK-00006", "nonsense": "abc"}])
    assert caught.value.status == 400


async def test_options_are_read_with_the_empty_one_and_added_once() -> None:
    async with playing(CATALOG["03_attribute_options_list"]) as (client, _):
        options = await client.attributes.options("lab_color")
    assert [(each.label, each.value) for each in options] == [
        (" ", ""),
        ("Red", "4"),
        ("Blue", "5"),
        ("Green", "6"),
    ]
    async with playing(CATALOG["02_attribute_option_add"]) as (client, _):
        assert await client.attributes.add_option("lab_color", "Green") == "6"
    async with playing(CATALOG["20_product_get_not_found"]) as (client, _):
        assert await client.catalog.product("NOPE") is None
    async with playing(CATALOG["02b_attribute_option_add_duplicate"]) as (client, _):
        with pytest.raises(MagentoRejectedError, match="400"):
            await client.attributes.add_option("lab_color", "Green")


async def test_an_attribute_is_read_with_what_its_values_are() -> None:
    async with playing(CATALOG["01_attribute_create"]) as (client, _):
        attribute = await client.attributes.attribute("lab_color")
    assert attribute is not None
    assert (attribute.attribute_id, attribute.is_chosen) == (137, True)


async def test_refused_prices_are_told_by_sku_and_those_without_one_apart() -> None:
    recording = PRICES["02_base_prices_post_bad_rows"]
    async with playing(recording) as (client, _):
        sent = [BasePrice(**each) for each in recording.body["prices"]]
        faults = await client.base_prices.set_prices(sent)
    assert {sku: fault.text for sku, fault in faults.rows.items()} == {
        "NOPE": "Invalid attribute SKU = NOPE.",
        "LAB-O1": "Requested store is not found. Row ID: SKU = LAB-O1, Store ID: 99.",
        "LAB-C1": "Invalid attribute SKU = LAB-C1.",
    }
    assert [fault.text for fault in faults.nameless] == ["Invalid attribute Price = -1."]


async def test_prices_are_exact() -> None:
    async with playing(PRICES["02b_base_prices_good_row_applied"]) as (client, _):
        prices = await client.base_prices.prices(["LAB-S1"])
    assert [(each.sku, each.price) for each in prices] == [
        ("LAB-S1", Decimal("25.5")),
        ("LAB-O1", Decimal(51)),
    ]


async def test_a_configurable_is_read_with_its_variants_and_stock_settings() -> None:
    async with playing(CATALOG["19_configurable_get"]) as (client, _):
        product = await client.catalog.product("LAB-C1")
    assert product is not None
    assert product.extension_attributes.configurable_product_links == (2, 3)
    assert product.attribute("tax_class_id") == "2"
    settings = product.extension_attributes.stock_item
    assert settings is not None
    assert settings.use_config_min_sale_qty
    assert not settings.enable_qty_increments
    async with playing(CATALOG["16_configurable_children"]) as (client, _):
        assert await client.configurables.variants("LAB-C1") == ["LAB-C1-RED", "LAB-C1-BLUE"]


async def test_a_trimmed_list_with_empty_objects_is_read() -> None:
    async with playing(CATALOG["40_list_fields"]) as (client, _):
        with pytest.raises(UpstreamContractError, match="id is missing"):
            await client.catalog.listed(["LAB-S1"])
    answer = {"items": [{"id": 1, "sku": "A", "extension_attributes": [], "weight": None}]}

    async def play(_: web.Request) -> web.Response:
        return web.json_response(answer)

    async with client_of(play) as (client, _):
        (product,) = await client.catalog.listed(["A"])
    assert product.weight is None
    assert product.price == 0


async def test_skus_are_searched_for_in_few_calls_and_those_with_commas_apart() -> None:
    skus = [f"SKU-{number}" for number in range(250)] + ["A,B", "C,D"]
    groups = list(sku_groups(skus))
    assert [names for _, names in groups] == [100, 100, 50, 2]
    long = list(sku_groups([f"{number:03}" + "ß" * 61 for number in range(100)]))
    assert sum(names for _, names in long) == 100
    assert all(len(Search(groups=[group]).query()) < 6_000 for group, _ in [*groups, *long])


async def test_following_asks_ever_less_often() -> None:
    answers = iter([4, 4, 1])

    async def play(_: web.Request) -> web.Response:
        operation = {"id": 0, "status": next(answers)}
        return web.json_response({"operations_list": [operation], "operation_count": 1})

    async with client_of(play) as (client, shop):
        async with asyncio.timeout(5):
            end = await client.bulks.follow(UUID, rows=1, wait=timedelta(seconds=5))
    assert len(shop.requests) == 3
    assert not end.is_overdue


async def test_a_slow_bulk_is_followed_while_it_moves_and_given_up_when_it_stops() -> None:
    """Rows that a live consumer is at, written one by one too, would be in its way."""
    asked = 0
    stops_after = 1_000

    async def play(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        ended = min(asked, stops_after)
        operations = [{"id": row, "status": 1 if row < ended else 4} for row in range(4)]
        return web.json_response({"operations_list": operations, "operation_count": 4})

    wait = timedelta(seconds=0.5)
    async with client_of(play) as (client, _):
        end = await client.bulks.follow(UUID, rows=4, wait=wait)
        assert (len(end.ended), end.is_overdue) == (4, False), "it took longer than the wait"
        asked, stops_after = 0, 2
        end = await client.bulks.follow(UUID, rows=4, wait=wait)
    assert (len(end.ended), end.is_overdue) == (2, True)


def test_json_keeps_the_digits() -> None:
    body = {"price": Decimal("19.900000"), "names": ["Ü", None, True], "count": 2}
    assert exact_json(body) == b'{"price":19.900000,"names":["\\u00dc",null,true],"count":2}'
    with pytest.raises(TypeError):
        exact_json({"price": 1.5})
    with pytest.raises(ValueError, match="no number"):
        exact_json(Decimal("NaN"))
