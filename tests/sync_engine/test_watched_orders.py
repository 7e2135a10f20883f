"""Which orders are watched, and when they are looked at next."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from sync.alerts.conditions import behind
from sync.order_status.steps import STATUS, Step
from sync.papers.entering import FactEntry, Happened
from sync.store.document_events import DocumentEvents
from sync.store.links import MarketLinks
from sync.store.order_writes import ORDER_LINK
from sync.store.watched_order_record import OrderLook, OrderSeen, WatchedRecord
from sync.store.watched_orders import WatchedOrders
from tests.sync_engine.engine import MARKET, Engine

PICKED = OrderSeen(status="Picked", ships_on=date(2026, 12, 4), lines="ab12", steps=2)
EVER = datetime(1970, 1, 1, tzinfo=UTC)
# A statement has 65,535 parameters at the most.
SLIPS_OF_TWO_WEEKS = 70_000


async def test_orders_are_watched_from_their_link_on_and_found_by_any_spelling(
    store: AsyncEngine,
) -> None:
    watched, links = WatchedOrders(store), MarketLinks(store, MARKET)
    await links.remember(ORDER_LINK, "7", "SO-7")
    await links.remember("customer", "8", "C-8")
    await MarketLinks(store, "other").remember(ORDER_LINK, "9", "SO-9")

    since = await watched.take_in(MARKET, EVER)

    found = await watched.numbered(MARKET, ["so-7 ", "SO-9"])
    assert [(each.order_id, each.number) for each in found.values()] == [(7, "#7")]
    assert EVER < since < datetime.now(UTC)


async def test_what_was_looked_at_is_due_when_it_says_and_never_without(
    store: AsyncEngine,
) -> None:
    watched, links = WatchedOrders(store), MarketLinks(store, MARKET)
    for order in ("7", "8"):
        await links.remember(ORDER_LINK, order, f"SO-{order}")
    await watched.take_in(MARKET, EVER)
    now = datetime.now(UTC) + timedelta(minutes=1)
    due = await watched.due(MARKET, now=now, most=10)
    assert {each.order_id for each in due} == {7, 8}

    later = now + timedelta(minutes=5)
    by_id = {each.order_id: each for each in due}
    looks = [
        OrderLook(order=by_id[7], seen=PICKED, due_at=later),
        OrderLook(order=by_id[8], seen=OrderSeen(status="Invoiced"), due_at=None),
    ]
    await watched.note(MARKET, looks)

    assert await watched.due(MARKET, now=now, most=10) == []
    [again] = await watched.due(MARKET, now=later, most=10)
    assert (again.order_id, again.seen) == (7, PICKED)
    # Taken in once more, as the overlap does, nothing is due for that.
    await watched.take_in(MARKET, EVER)
    assert await watched.due(MARKET, now=now, most=10) == []
    assert await watched.want(MARKET, ["so-8", "SO-1"], now=now) == 1
    [told] = await watched.due(MARKET, now=now, most=10)
    assert told.order_id == 8


async def test_an_order_that_was_wanted_during_a_look_stays_due(store: AsyncEngine) -> None:
    """What the hint was about may have happened after the look had read it."""
    watched, links = WatchedOrders(store), MarketLinks(store, MARKET)
    await links.remember(ORDER_LINK, "7", "SO-7")
    await watched.take_in(MARKET, EVER)
    now = datetime.now(UTC) + timedelta(minutes=1)
    [order] = await watched.due(MARKET, now=now, most=9)
    await watched.want(MARKET, ["SO-7"], now=now)
    look = OrderLook(order=order, seen=PICKED, due_at=now + timedelta(hours=6))
    await watched.note(MARKET, [look])
    [again] = await watched.due(MARKET, now=now, most=9)
    assert again.seen == OrderSeen()
    await watched.note(MARKET, [replace(look, order=again)])
    assert await watched.due(MARKET, now=now, most=9) == []


async def test_it_is_told_how_far_behind_watching_is(store: AsyncEngine) -> None:
    watched, links = WatchedOrders(store), MarketLinks(store, MARKET)
    for order in ("7", "8", "9"):
        await links.remember(ORDER_LINK, order, f"SO-{order}")
    await watched.take_in(MARKET, EVER)
    now = datetime.now(UTC)
    looked = {7: now - timedelta(minutes=40), 8: now + timedelta(minutes=1), 9: None}
    due = await watched.due(MARKET, now=now + timedelta(minutes=1), most=9)
    looks = [OrderLook(order=one, seen=PICKED, due_at=looked[one.order_id]) for one in due]
    await watched.note(MARKET, looks)

    [state] = await watched.states()

    assert (state.market, state.moving, state.due) == (MARKET, 2, 1)
    assert timedelta(minutes=39) < state.behind < timedelta(minutes=45)
    [told] = behind([state])
    assert f"of {MARKET} in the ERP is 40 minutes behind" in told.title
    assert behind([replace(state, behind=timedelta(minutes=29))]) == []


async def test_an_order_that_is_sent_anew_is_watched_under_its_new_number(
    store: AsyncEngine,
) -> None:
    watched, links = WatchedOrders(store), MarketLinks(store, MARKET)
    await links.remember(ORDER_LINK, "7", "SO-7")
    await watched.take_in(MARKET, EVER)
    [order] = await watched.due(MARKET, now=datetime.now(UTC), most=9)
    seen = OrderSeen(status="Canceled", steps=3)
    await watched.note(MARKET, [OrderLook(order=order, seen=seen, due_at=None)])
    await links.remember(ORDER_LINK, "7", "SO-8")
    await watched.take_in(MARKET, EVER)
    found = await watched.numbered(MARKET, ["SO-7", "SO-8"])
    assert [each.erp_number for each in found.values()] == ["SO-8"]
    [again] = await watched.due(MARKET, now=datetime.now(UTC), most=9)
    # What was told of it counts on.
    assert again.seen == OrderSeen(steps=3)


async def test_slips_that_events_tell_of_are_found_by_their_day(store: AsyncEngine) -> None:
    watched, links = WatchedOrders(store), MarketLinks(store, MARKET)
    await links.remember(ORDER_LINK, "7", "SO-7")
    await watched.take_in(MARKET, EVER)
    slips = [
        {"SalesId": "so-7", "PackingSlipId": f"PS-{day}", "DeliveryDate": f"2026-11-{day}"}
        for day in (10, 20)
    ]
    payloads = [{"fact": "slip", "slip": each} for each in slips]
    for number, payload in enumerate([*payloads, {**payloads[1], "fact": "parcel"}]):
        await Engine(store).events.receive(
            flow="order_status",
            market=MARKET,
            business_key="7",
            document_id="7",
            source_key=f"order_status/{number}",
            payload=payload,
            lock_key="order_status/7",
        )

    assert await watched.slips_told(MARKET, date(2026, 11, 20)) == [("so-7", slips[1])]
    assert len(await watched.slips_told(MARKET, date(2026, 11, 1))) == 2
    assert await watched.slips_told("other", date(2026, 11, 1)) == []


async def test_the_orders_of_all_slips_of_two_weeks_are_found_at_once(store: AsyncEngine) -> None:
    watched = WatchedOrders(store)
    await MarketLinks(store, MARKET).remember(ORDER_LINK, "7", "SO-7")
    await watched.take_in(MARKET, EVER)
    numbers = [f"SO-{number}" for number in range(SLIPS_OF_TWO_WEEKS)]

    assert [*await watched.numbered(MARKET, numbers)] == ["so-7"]
    assert await watched.want(MARKET, numbers, now=EVER) == 1
    events = DocumentEvents(store)
    assert await events.of("order_status", MARKET, range(SLIPS_OF_TWO_WEEKS)) == {}


async def test_a_process_that_begins_enters_all_that_many_days_brought(engine: Engine) -> None:
    """It knows of none of it yet, and each event takes eight parameters."""
    order = WatchedRecord(order_id=7, number="7", erp_number="SO-7", since=EVER)
    steps = [
        Step(kind=STATUS, order_id=7, order="SO-7", number=number, told="Picked")
        for number in range(8_500)
    ]
    happened = [Happened(order, step, lane=step.lane) for step in steps]

    entered = await FactEntry(engine.events, "order_status", MARKET).enter(happened)

    assert entered == len(happened)
    assert await FactEntry(engine.events, "order_status", MARKET).enter(happened) == 0
