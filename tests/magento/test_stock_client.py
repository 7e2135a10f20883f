"""What stock asks of the shop is what was recorded, and every recorded answer is read whole."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest

from pricing_proxy.resilience.errors import UpstreamError, UpstreamUnavailableError
from pricing_proxy.sandbox.shop.criteria import parse_criteria
from sync.engine.windows import Window
from sync.magento.answers import MagentoRejectedError
from sync.magento.shop import Shop
from sync.magento.source_items import SourceQuantity
from tests.magento.loopback import playing
from tests.magento.recordings import Recording, recordings

INVENTORY, EDGES = recordings("inventory"), recordings("inventory_edges")
SHAPES = recordings("order_shapes")
BUNDLED = SHAPES["inventory_second_source_refused_for_ship_together_bundle_part"]
ALL = {**INVENTORY, **EDGES, BUNDLED.name: BUNDLED}
Ask = Callable[[Shop], Awaitable[Any]]

# Nothing of the product calls these; the simulated shop answers them all the same.
NEVER_ASKED = {
    *(name for name, each in ALL.items() if "source-items-delete" in each.path),
    *(name for name, each in ALL.items() if "/ship" in each.path and each.method == "POST"),
    *(name for name, each in ALL.items() if "product-salable" in each.path),
    *(name for name, each in ALL.items() if "products-salable" in each.path),
    *(name for name, each in ALL.items() if "product-salable-quantity" in each.path),
    *("02_source_create", "02b_source_create_missing_field", "03_stock_create"),
    *("05_stock_source_links", "31_stock_status_legacy", "32_reservations_route_missing"),
    *("51_dump_stock_index_default_stock", "51b_dump_stock_index_second_stock", "059_dump"),
    *("23c_are_product_salable_for_requested_qty", "043_resolver_type", "045_export_nocrit"),
    *("046_source_unknown", "047_source_ok", "049_stock_unknown"),
}


def of_path(part: str) -> dict[str, Recording]:
    """Return the recordings of a route that the product asks."""
    return {
        name: each
        for name, each in ALL.items()
        if part in each.path.partition("?")[0] and name not in NEVER_ASKED
    }


POSTS = {name: each for name, each in of_path("source-items").items() if each.method == "POST"}
# Of these the body is one that we would send.
OURS = {
    name: each
    for name, each in POSTS.items()
    if (rows := (each.body or {}).get("sourceItems"))
    and all({*row} == {"sku", "source_code", "quantity", "status"} for row in rows)
    and all(isinstance(row["quantity"], int) and row["status"] == 1 for row in rows)
}


@pytest.mark.parametrize("name", OURS)
async def test_source_items_are_sent_as_recorded(name: str) -> None:
    recording = OURS[name]
    rows = [
        SourceQuantity(row["sku"], row["source_code"], Decimal(row["quantity"]))
        for row in recording.body["sourceItems"]
    ]
    async with playing(recording) as (client, shop):
        if recording.status == 200:
            await client.source_items.write_source_items(rows)
        else:
            with pytest.raises(MagentoRejectedError):
                await client.source_items.write_source_items(rows)
    assert shop.requests[0].method == "POST"
    assert route(shop.requests[0].path) == "inventory/source-items"
    assert json.loads(shop.bodies[0]) == json.loads(json.dumps(recording.body, default=float))


@pytest.mark.parametrize("name", POSTS)
async def test_every_recorded_answer_to_a_batch_is_taken_or_refused_in_the_shops_words(
    name: str,
) -> None:
    recording = POSTS[name]
    async with playing(recording) as (client, _):
        write = client.source_items.write_source_items([SourceQuantity("A", "b", Decimal(1))])
        if recording.status == 200:
            await write
            return
        with pytest.raises(UpstreamError) as caught:
            await write
    if recording.status == 500:
        assert isinstance(caught.value, UpstreamUnavailableError)
        return
    assert isinstance(caught.value, MagentoRejectedError)
    [said] = caught.value.reasons[:1]
    assert said
    assert "%" not in said


async def test_why_a_part_of_a_bundle_may_not_lie_elsewhere_is_told_whole() -> None:
    async with playing(BUNDLED) as (client, _):
        with pytest.raises(MagentoRejectedError) as caught:
            await client.source_items.write_source_items([SourceQuantity("A", "b", Decimal(1))])
    told = " ".join(caught.value.reasons)
    assert 'Not able to assign "wh2" to product "OS-STD"' in told
    assert "Ship Together" in told


def route(path: str) -> str:
    """Return what is behind the version in a path."""
    return path.partition("?")[0].rpartition("/V1/")[2]


def asked_for(recording: Recording) -> dict[str, tuple[str, set[str]]]:
    """Return what a list was asked for: the condition and the values of each field."""
    return meant(
        parse_criteria(parse_qsl(recording.path.partition("?")[2], keep_blank_values=True))
    )


def meant(criteria: Any) -> dict[str, tuple[str, set[str]]]:
    return {
        one.field: ("in", set(one.value.split(",")))
        for group in criteria.groups
        for one in group
        if one.condition in ("eq", "in")
    }


LISTED: list[tuple[str, Ask]] = [
    (
        "14_source_items_get",
        lambda shop: shop.source_items.source_items(
            ["LAB-S1", "LAB-O1", "NOPE"], sources=["default", "wh2"]
        ),
    ),
    (
        "20_source_item_before_shipping",
        lambda shop: shop.source_items.source_items(["LAB-S1"], sources=["default"]),
    ),
    ("01_sources_list", lambda shop: shop.stocks.sources()),
    ("048_sources_list", lambda shop: shop.stocks.sources()),
    ("04_stocks_list", lambda shop: shop.stocks.stocks()),
    ("050_stocks_list", lambda shop: shop.stocks.stocks()),
    ("051_links", lambda shop: shop.stocks.links()),
    (
        "50_export_stock_salable_qty",
        lambda shop: shop.stocks.salable("base", ["LAB-S1", "LAB-C1-BLUE", "LAB-C1", "LAB-O1"]),
    ),
    (
        "064_export_in",
        lambda shop: shop.stocks.salable(
            "base", ["REAL-001", "REAL-002", "SHIRT", "VIRT-1", "NOPE"]
        ),
    ),
    ("060_export_p1", lambda shop: shop.stocks.salable("base", ["REAL-001"])),
    ("061_export_p2", lambda shop: shop.stocks.salable("base", ["REAL-001"])),
    ("062_export_past", lambda shop: shop.stocks.salable("base", ["REAL-001"])),
    ("063_export_all", lambda shop: shop.stocks.salable("base", ["REAL-001"])),
]
# Recorded without a filter, or for all sources at once.
_OTHERWISE = {"sku", "source_code"}


@pytest.mark.parametrize(("name", "ask"), LISTED, ids=[name for name, _ in LISTED])
async def test_lists_are_asked_for_and_read_as_recorded(name: str, ask: Ask) -> None:
    recording = ALL[name]
    async with playing(recording) as (client, shop):
        rows = await ask(client)
    request = shop.requests[0]
    assert request.method == "GET"
    assert route(request.path) == route(recording.path)
    sent = meant(parse_criteria(request.query.items()))
    for field, values in asked_for(recording).items():
        assert sent[field] == values
    assert {*sent} - {*asked_for(recording)} <= _OTHERWISE
    assert len(rows) == len(recording.answer["items"])
    for row, told in zip(rows, recording.answer["items"], strict=True):
        compare(row, told)


def compare(row: Any, told: Mapping[str, Any]) -> None:
    """Compare a row with what was recorded, member by member."""
    for name in type(row).model_fields:
        value, said = getattr(row, name), told[name]
        if isinstance(said, dict):
            channels = [(each.type, each.code) for each in value.sales_channels]
            assert channels == [(each["type"], each["code"]) for each in said["sales_channels"]]
        else:
            assert value == said, name


@pytest.mark.parametrize("name", ["06_stock_resolver", "041_resolver_ok", "042_resolver_unknown"])
async def test_a_websites_stock_is_found_or_there_is_none(name: str) -> None:
    recording = ALL[name]
    website = recording.path.rpartition("/")[2]
    async with playing(recording) as (client, shop):
        found = await client.stocks.stock_of(website)
    assert shop.requests[0].path.endswith(f"/stock-resolver/website/{website}")
    if recording.status == 404:
        assert found is None
        return
    assert found is not None
    assert (found.stock_id, found.name) == (recording.answer["stock_id"], recording.answer["name"])
    assert found.websites == [website]


@pytest.mark.parametrize("name", ["044_export_unknown_ws", "052_si_unknown_field"])
async def test_what_a_list_refuses_is_an_error(name: str) -> None:
    async with playing(ALL[name]) as (client, _):
        with pytest.raises(UpstreamError):
            await client.stocks.salable("nope", ["A"])


SHIPMENTS = {
    each.name: each
    for topic in ("orders", "order_shapes", "inventory_edges")
    for each in recordings(topic).values()
    if each.method == "GET" and "/V1/shipments?" in each.path and "fields=" not in each.path
}


@pytest.mark.parametrize("name", SHIPMENTS)
async def test_every_recorded_shipment_tells_of_its_order(name: str) -> None:
    recording = SHIPMENTS[name]
    async with playing(recording) as (client, _):
        pages = client.reserving_orders.shipped(Window(since=datetime(2020, 1, 1, tzinfo=UTC)))
        page = await anext(pages)
        await pages.aclose()
    assert not page.odd
    assert [(each.entity_id, each.order_id) for each in page.rows] == [
        (each["entity_id"], each["order_id"]) for each in recording.answer["items"]
    ]


_ORDER = {"items", "state", "increment_id", "store_id"}
ORDERS = {
    each.name: each
    for topic in ("orders", "order_shapes")
    for each in recordings(topic).values()
    if isinstance(each.answer, dict)
    and {"items", "state", "increment_id", "store_id"} <= {*each.answer}
}


async def test_every_recorded_order_is_read_with_what_its_lines_reserve() -> None:
    assert len(ORDERS) > 130
    for recording in ORDERS.values():
        body = {"items": [recording.answer], "total_count": 1}
        listed = Recording(**{**as_members(recording), "answer": body, "status": 200})
        async with playing(listed) as (client, _):
            page = await anext(client.reserving_orders.of([recording.answer["entity_id"]]))
        assert not page.odd, recording.name
        [order] = page.rows
        assert order.entity_id == recording.answer["entity_id"]
        for line, told in zip(order.items, recording.answer["items"], strict=True):
            for name in ("qty_ordered", "qty_shipped", "qty_refunded", "qty_invoiced"):
                assert getattr(line, name) == (told.get(name) or 0), (recording.name, name)
            assert line.qty_canceled == (told.get("qty_canceled") or 0)
            assert line.parent_item_id == told.get("parent_item_id")


def as_members(recording: Recording) -> dict[str, Any]:
    names = ("name", "method", "path", "body", "status", "content_type", "answer")
    return {name: getattr(recording, name) for name in names}


def test_no_recording_of_a_route_that_stock_asks_is_left_out() -> None:
    played = {*POSTS, *(name for name, _ in LISTED)}
    played |= {"06_stock_resolver", "041_resolver_ok", "042_resolver_unknown"}
    played |= {"044_export_unknown_ws", "052_si_unknown_field", "040_shipments_list"}
    assert {*ALL} - NEVER_ASKED == played
