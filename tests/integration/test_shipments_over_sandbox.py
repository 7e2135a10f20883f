"""Shipments through everything: simulated ERP, watching and events, simulated shop."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sync.console.order_story import OrderReader, SalesBook
from sync.given import Given
from sync.magento.shipment_models import Shipment
from sync.order_status.building import watching
from sync.store.states import EventState
from tests.integration.sync_running import (
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    World,
    followed,
    posted,
)

CARRIER = "UPS"
RULES: dict[str, Any] = {
    "website_id": WEBSITE,
    "store_ids": [STORE],
    "flows": ["orders", "customers", "order_status"],
    "orders": ORDER_RULES,
    "stock": {"stock_id": 3, "sources": {"berlin": ["13"], "hamburg": ["14", "24"]}},
    # Here somebody looks twenty times a second, whom the usual budget would keep waiting.
    "order_status": {
        "carriers": {CARRIER: {"code": "ups", "title": "UPS"}},
        "reads_a_minute": 6000,
    },
}
SYNC: dict[str, Any] = {"markets": {MARKET: RULES}}


def shipments(world: World, number: str) -> list[Shipment]:
    orders = world.sandbox.shop.orders.values()
    [order] = (each for each in orders if each["increment_id"] == number)
    rows = world.sandbox.shop.shipments.values()
    own = [row for row in rows if row["order_id"] == order["entity_id"]]
    return [Shipment.model_validate(row) for row in own]


async def seen(world: World, given: Given, number: str, *, many: int) -> list[Shipment]:
    """Return the shipments of an order once there are so many of them."""

    async def are_there() -> bool:
        await watching(given)[MARKET].look()
        return len(shipments(world, number)) >= many

    try:
        await world.until(are_there)
    except TimeoutError:
        events = await world.running.stores.overview.by_key(number)
        raise AssertionError([(each.flow, each.state, each.trouble) for each in events]) from None
    return shipments(world, number)


def told(world: World, number: str) -> list[str]:
    """Return what stands on an order, without marks."""
    orders = world.sandbox.shop.orders.values()
    [order] = (each for each in orders if each["increment_id"] == number)
    return [each["comment"].split(" [")[0] for each in order["status_histories"][::-1]]


async def test_a_confirmed_day_and_a_cancellation_come_into_the_shop(
    tmp_path: Path, database_url: str
) -> None:
    async with followed(tmp_path, database_url, **SYNC) as (world, given):
        await watching(given)[MARKET].look()
        # Whatever is found within the first minutes is taken as it is.
        mark = f"order_status.{MARKET}.begins"
        hour_ago = given.polling.clock.utc() - timedelta(hours=1)
        await given.polling.watermarks.put(mark, hour_ago.isoformat())
        [number] = await world.place(lines=[{"sku": "LAMP-01", "quantity": 3}], customer=1)
        await world.arrived(number)
        await posted(world, number, "confirm", ships="2026-12-04")

        async def is_told() -> bool:
            await watching(given)[MARKET].look()
            return len(told(world, number)) >= 2

        await world.until(is_told)
        market = given.markets[MARKET]
        book = SalesBook(
            erp=given.sales_orders(market),
            company=market.company,
            prefixes={STORE: {""}},
            flows=market.own.flows,
        )
        reader = OrderReader(world.running.stores, given.shop, books={MARKET: book})
        [story] = await reader.read(number)
        assert [each.what for each in story.came_back] == ["comment", "comment"]
        assert sorted(told(world, number)) == [
            "The order is confirmed.",
            "To be shipped on 2026-12-04.",
        ]
        await posted(world, number, "close-short")

        async def is_cancelled() -> bool:
            await watching(given)[MARKET].look()
            return "The order is cancelled." in told(world, number)

        await world.until(is_cancelled)
        orders = world.sandbox.shop.orders.values()
        assert next(o["state"] for o in orders if o["increment_id"] == number) == "canceled"

        async def is_all_done() -> bool:
            events = await world.running.stores.overview.by_key(number)
            return all(each.state is EventState.DONE for each in events)

        await world.until(is_all_done)


async def test_two_slips_from_two_warehouses_and_a_late_parcel_arrive_once_each(
    tmp_path: Path, database_url: str
) -> None:
    async with followed(tmp_path, database_url, **SYNC) as (world, given):
        await watching(given)[MARKET].look()
        lines = [{"sku": "LAMP-01", "quantity": 3}, {"sku": "LAMP-06", "quantity": 1}]
        [number] = await world.place(lines=lines, customer=1)
        await world.arrived(number)

        await posted(world, number, "ship", lines={"1": 2}, carrier=CARRIER)
        [first] = await seen(world, given, number, many=1)
        assert [(line.qty, first.source) for line in first.items] == [(Decimal(2), "berlin")]
        assert first.comments[0].comment.startswith("demf/")
        assert first.comments[0].comment.endswith("/berlin")

        await posted(world, number, "ship", lines={"2": None}, warehouse="14", carrier=CARRIER)
        both = await seen(world, given, number, many=2)
        assert sum(line.qty for each in both for line in each.items) == 3
        assert both[1].source == "hamburg"

        await posted(world, number, "track", parcel="1Z999")

        async def is_tracked() -> bool:
            await watching(given)[MARKET].look()
            return any(each.tracks for each in shipments(world, number))

        await world.until(is_tracked)
        await watching(given)[MARKET].look()
        tracks = [t.track_number for each in shipments(world, number) for t in each.tracks]
        assert tracks == ["1Z999"]
        assert len(shipments(world, number)) == 2
