"""The shop's lines are kept once, and what the shop has reserved of each only ever falls."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.engine.writes import written
from sync.store.links import MarketLinks
from sync.store.order_writes import ADD_LINE, DELETE_ORDER, ORDER_LINK, OrderWrites
from sync.store.shop_lines import ShopLines
from sync.store.sku_locks import SkuLocks
from tests.stock.lines import NOON, at, line
from tests.sync_engine.engine import MARKET, Engine


async def test_an_earlier_look_does_not_bring_back_what_a_later_one_saw_leave(
    store: AsyncEngine,
) -> None:
    lines = ShopLines(store)
    await lines.put([line(quantity=5)])
    await lines.put([line(quantity=2, erp_number="SO-1")])
    await lines.put([line(quantity=4)])

    [kept] = await lines.of_orders([7])

    assert kept.reserved == 2


async def test_what_the_erp_said_stays_when_the_shop_is_looked_at_again(store: AsyncEngine) -> None:
    lines = ShopLines(store)
    await lines.put([line()])
    await lines.note_present({70: at(3)})
    await lines.note_present({70: at(9)})
    await lines.note_warehouses({70: "21"})
    await lines.note_asked({7: "SO-1"})
    await lines.note_counted([line(counted="hamburg", inside=Decimal(5))])
    await lines.put([line(quantity=3, inside=Decimal(3))])

    [kept] = await lines.of_skus(["lamp"])

    assert (kept.present_since, kept.warehouse, kept.asked_as) == (at(3), "21", "SO-1")
    assert kept.counted == "hamburg"
    assert [kept.reserved, kept.inside] == [Decimal(3), Decimal(3)]


async def test_skus_of_open_and_of_dropped_lines_are_watched_and_forced_until_added_back(
    store: AsyncEngine,
) -> None:
    lines = ShopLines(store)
    await lines.put(
        [
            line(70),
            line(71, sku="CABLE", folded="cable"),
            line(72, 0, sku="PLUG", folded="plug", dropped_at=at(0)),
            line(73, 0, sku="FUSE", folded="fuse", dropped_at=at(0) - timedelta(days=20)),
        ]
    )
    await lines.note_counted([line(71, counted="berlin", inside=Decimal(5))])

    watched = await lines.watched([1], dropped_since=NOON - timedelta(days=14))

    assert dict(watched) == {"LAMP": True, "CABLE": False, "PLUG": False}


async def test_orders_take_what_the_last_write_of_their_sku_did_not_add_back(
    store: AsyncEngine,
) -> None:
    lines = ShopLines(store)
    await lines.put(
        [
            line(70),
            line(71, 2),
            line(72, store_id=2),
            line(73, store_id=2),
            line(74, store_id=9),
            line(75, 0, sku="PLUG", folded="plug"),
        ]
    )
    added_back = [line(71, 2, counted="berlin"), line(73, store_id=2, counted="wh2")]
    await lines.note_counted([replace(each, inside=each.reserved) for each in added_back])

    assert await lines.not_counted([1], []) == {"lamp": 5}
    assert await lines.not_counted([1], [2]) == {"lamp": 15}
    assert await lines.not_counted([], []) == {}


async def test_only_lines_of_which_nothing_is_reserved_are_forgotten(store: AsyncEngine) -> None:
    lines = ShopLines(store)
    await lines.put([line(70), line(71, 0)])
    assert await lines.forget(timedelta(days=1)) == 0
    assert await lines.forget(timedelta(seconds=-5)) == 1
    assert [each.item_id for each in await lines.of_orders([7])] == [70]


async def test_whoever_holds_a_sku_keeps_others_from_it_and_from_nothing_else(
    store: AsyncEngine,
) -> None:
    locks, done = SkuLocks(store, most=4), list[str]()

    async def hold(name: str, *skus: str) -> None:
        async with locks.hold(skus):
            done.append(name)

    async with locks.hold(["lamp", "cable"]):
        waiting = asyncio.create_task(hold("waits", "plug", "cable"))
        await hold("goes on", "fuse")
        assert done == ["goes on"]
        assert not waiting.done()
    await waiting
    assert done == ["goes on", "waits"]


async def test_locks_leave_connections_to_those_who_hold_some(store: AsyncEngine) -> None:
    """Whoever holds one writes the journal too: all of them would wait for one more connection."""
    locks, waits = SkuLocks(store, most=1), asyncio.Event()

    async def wait() -> None:
        async with locks.hold(["cable"]):
            waits.set()

    async with locks.hold(["lamp"]):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        async with store.connect() as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1
        assert not waits.is_set()
    await waiting


async def test_the_journal_tells_which_lines_the_erp_was_told_of(
    engine: Engine, store: AsyncEngine
) -> None:
    """One that was refused did not happen; the whole order is there once it ended as done."""
    sent = {"SalesOrderNumber": "SO-1", "OrderLineReference": "000000007-70"}

    async def carry(work: Work) -> Done:
        async def send(*, guard: Guard) -> str:
            await guard()
            return "LOT-1"

        await written(work, "fo", ADD_LINE, sent, send)
        await written(work, "fo", DELETE_ORDER, {"SalesOrderNumber": "SO-2"}, send)
        call = work.call("fo", ADD_LINE, {**sent, "OrderLineReference": "000000007-71"})
        await call.sent()
        await call.acked(400, {"refused": "no such item"})
        open_call = work.call("fo", ADD_LINE, {**sent, "OrderLineReference": "000000007-72"})
        await open_call.sent()
        await work.links.remember(ORDER_LINK, "7", "SO-1")
        return Done("is in the ERP")

    engine.orders.carry_with = carry
    event = await engine.receive("000000007", document="7")
    await engine.carry(event)

    traces = await OrderWrites(store).of([7, 8])

    assert list(traces) == [7]
    told = [(each.is_deletion, each.reference, each.done_at is None) for each in traces[7].writes]
    assert told == [
        (False, "000000007-70", False),
        (True, "", False),
        (False, "000000007-72", True),
    ]
    assert traces[7].whole_since is not None


async def test_an_order_that_is_not_done_is_not_whole(engine: Engine, store: AsyncEngine) -> None:
    await engine.receive("000000007", document="7")
    await MarketLinks(store, MARKET).remember(ORDER_LINK, "7", "SO-1")
    assert await OrderWrites(store).of([7]) == {}
