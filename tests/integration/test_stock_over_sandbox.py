"""Stock through everything: simulated ERP, plans and chunks in a database, simulated shop."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from pricing_proxy.clock import SystemClock
from pricing_proxy.sandbox.shop import states
from pricing_proxy.sandbox.shop.shipments import ship
from pricing_proxy.sandbox.stock.ledger import place_of
from sync.given import Given
from sync.mirroring import Mirroring
from sync.serve.building import given_of
from sync.serve.systems import systems
from sync.stock.building import layout_of, mirrors, open_orders
from sync.store.lines import Urgency
from sync.store.mirror_records import RunState
from tests.integration.sync_running import (
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    World,
    running_sync,
    sync_settings,
)

SKU, OTHER = "LAMP-01", "LAMP-03"
RULES: dict[str, Any] = {
    "website_id": WEBSITE,
    "store_ids": [STORE],
    "flows": ["orders", "customers", "stock"],
    "orders": ORDER_RULES,
    "stock": {
        "stock_id": 3,
        "sources": {"berlin": ["13"], "hamburg": ["14", "24"]},
        "safety_stock": "2",
    },
}
SYNC: dict[str, Any] = {"markets": {MARKET: RULES}}


@asynccontextmanager
async def stocked(folder: Path, database_url: str) -> AsyncIterator[tuple[World, Given]]:
    """Run the sync with stock on, and what it is built out of once more, to be told by hand."""
    async with running_sync(folder, database_url, **SYNC) as world:
        settings = sync_settings(world.sandbox, database_url, **SYNC)
        async with systems(settings, clock=SystemClock()) as ways:
            yield world, given_of(settings, world.running.stores, ways, clock=SystemClock())


def held(world: World, sku: str, source: str) -> Decimal:
    item = world.sandbox.shop.inventory.items.get(sku, source)
    return Decimal(0) if item is None else item.quantity


def salable(world: World, sku: str) -> Decimal:
    return world.sandbox.shop.inventory.salable(sku, 3)


async def adopted(world: World, mirroring: Mirroring) -> int:
    """Take the ERP's numbers over the shop's own, and return how many rows differed."""
    waiting: list[int] = []

    async def is_compared() -> bool:
        waiting[:] = [
            run.id for run in await mirroring.plans.views.open() if run.state is RunState.WAITING
        ]
        return bool(waiting)

    await world.until(is_compared)
    rows = await mirroring.plans.decisions.adopt(waiting[0], by="a test", how="overwrite")
    run = await mirroring.plans.run(waiting[0])
    assert run is not None
    await mirroring.entries.enter_first(run.id, run, Urgency.FRESH)
    return rows


async def is_so(world: World, what: Callable[[], bool]) -> None:
    async def ask() -> bool:
        return what()

    await world.until(ask)


async def test_an_order_on_its_way_is_counted_once_from_its_placing_to_a_late_shipment(
    tmp_path: Path, database_url: str
) -> None:
    async with stocked(tmp_path, database_url) as (world, given):
        [mirror] = mirrors(given)
        reads = given.mirroring.reads(mirror)
        orders = open_orders(given, layout_of(given))
        await adopted(world, given.mirroring)
        ledger = world.sandbox.documents.stock
        # 120 less 2 in one source, 40 and 15 less 2 in the other.
        await is_so(world, lambda: held(world, SKU, "berlin") == 118)
        await is_so(world, lambda: held(world, SKU, "hamburg") == 53)

        [number] = await world.place(lines=[{"sku": SKU, "quantity": 5}], customer=1)
        await world.arrived(number)
        assert salable(world, SKU) == 118 + 53 - 5
        await orders.watch()
        await reads.change()
        # In the ERP five are wanted, and in the shop reserved: once is right.
        await settled(world, orders.watch, reads.change, at=166)
        assert held(world, SKU, "berlin") == 118

        [line] = ledger.lines_at(place_of(SKU, "13"))
        ledger.ship(line.lot, Decimal(5))
        ledger.put(place_of(OTHER, "13"), Decimal(12))
        await settled(world, orders.watch, reads.change, at=166)
        await reads.full()
        await is_so(world, lambda: held(world, OTHER, "berlin") == 10)

        order = next(iter(world.sandbox.shop.orders.values()))
        source = {"extension_attributes": {"source_code": "berlin"}}
        ship(world.sandbox.shop, order["entity_id"], {"arguments": source})
        await settled(world, orders.watch, reads.change, at=166)
        assert held(world, SKU, "berlin") == 113


async def test_what_the_shop_cancels_stays_unsold_while_the_erp_wants_it(
    tmp_path: Path, database_url: str
) -> None:
    async with stocked(tmp_path, database_url) as (world, given):
        [mirror] = mirrors(given)
        reads = given.mirroring.reads(mirror)
        orders = open_orders(given, layout_of(given))
        await adopted(world, given.mirroring)
        await is_so(world, lambda: held(world, SKU, "berlin") == 118)
        [number] = await world.place(lines=[{"sku": SKU, "quantity": 8}], customer=1)
        await world.arrived(number)
        await settled(world, orders.watch, reads.change, at=163)

        states.cancel(world.sandbox.shop, next(iter(world.sandbox.shop.orders)))
        assert salable(world, SKU) == 171
        await settled(world, orders.watch, reads.change, at=163)


async def is_written(world: World) -> None:
    """Wait until nothing is to be written any more."""

    async def ask() -> bool:
        return not await world.running.stores.mirrors.views.open()

    await world.until(ask)


async def settled(
    world: World,
    watch: Callable[[], Awaitable[None]],
    change: Callable[[], Awaitable[None]],
    at: int,
) -> None:
    """Look and read as the schedules do, at least twice, until so many are salable.

    Whether an order that came within the last second was in what was read, nobody can say: until
    then it is taken off twice.
    """
    rounds = 0

    async def is_right() -> bool:
        nonlocal rounds
        rounds += 1
        await watch()
        await change()
        await is_written(world)
        return rounds >= 2 and salable(world, SKU) == at

    await world.until(is_right)


async def test_a_source_that_the_shop_refuses_is_held_by_name_and_the_others_follow_the_erp(
    tmp_path: Path, database_url: str
) -> None:
    """Parts of a bundle that ships together may lie in one source only: recorded."""
    async with stocked(tmp_path, database_url) as (world, given):
        [mirror] = mirrors(given)
        reads, shop = given.mirroring.reads(mirror), world.sandbox.shop
        bundle, part = shop.catalog.named("LAMP-SET"), "LAMP-04"
        parts = [shop.catalog.by_id(number).sku for number, _ in bundle.parts]
        for each in parts:
            shop.inventory.write(each, "hamburg", Decimal(1))
        await adopted(world, given.mirroring)
        await is_so(world, lambda: held(world, SKU, "berlin") == 118)
        await is_written(world)
        assert held(world, part, "hamburg") > 1
        for each in parts:
            shop.inventory.erase(each, "hamburg")
        ledger = world.sandbox.documents.stock
        ledger.put(place_of(part, "13"), Decimal(5))
        ledger.put(place_of(part, "14"), Decimal(77))
        await reads.full()

        await is_so(world, lambda: held(world, part, "berlin") == 3)
        overview = world.running.stores.overview
        found: list[Any] = []

        async def is_held() -> bool:
            held_now = await overview.stuck(most=20)
            found[:] = [each for each in held_now if each.name == part]
            return bool(found)

        await world.until(is_held)
        [event] = found
        assert event.trouble is not None
        assert event.trouble.field == "source hamburg"
        assert "Ship Together" in event.trouble.text

        ledger.put(place_of(part, "13"), Decimal(4))
        await given.mirroring.plans.want("stock", MARKET, [part], is_forced=False, reason="a test")
        await reads.change()
        await is_so(world, lambda: held(world, part, "berlin") == 2)
        assert held(world, part, "hamburg") == 0


async def test_what_somebody_sets_in_the_shop_is_found_in_rotation_recorded_and_set_right(
    tmp_path: Path, database_url: str
) -> None:
    """The ERP says nothing new of it: no read of the ERP would ever find it."""
    async with stocked(tmp_path, database_url) as (world, given):
        [mirror] = mirrors(given)
        reads, looks = given.mirroring.reads(mirror), given.mirroring.looks(mirror)
        await adopted(world, given.mirroring)
        await is_so(world, lambda: held(world, SKU, "berlin") == 118)
        await is_written(world)
        right, inventory = held(world, OTHER, "berlin"), world.sandbox.shop.inventory
        inventory.write(SKU, "berlin", Decimal(999))
        inventory.write(OTHER, "berlin", right, 0)

        await looks.whole_round()
        await reads.change()

        await is_so(world, lambda: held(world, SKU, "berlin") == 118)

        def is_on_sale() -> bool:
            item = inventory.items.get(OTHER, "berlin")
            return item is not None and (item.quantity, item.status) == (right, 1)

        await is_so(world, is_on_sale)
        views = given.mirroring.plans.views
        edited = [await views.edited(run.id) for run in await views.newest(flow="stock", most=5)]
        assert sum(each.get("free/berlin", 0) for each in edited) == 2
