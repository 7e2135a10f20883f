"""A database of version 0004 is upgraded with events in every state, and both systems filled.

Nothing is sent again, nothing is lost, and locks, dependencies and doubts hold: what was
known by a number is known by the shop's id afterwards.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.clock import SystemClock
from sync.engine.database import database
from sync.engine.flow import Work
from sync.engine.odd_rows import OddRowBook
from sync.engine.outcomes import Done
from sync.engine.polling import Polling
from sync.engine.queue import ComeBackError, JobQueue
from sync.engine.runner import Runner
from sync.magento.order_models import Order
from sync.orders.flow import OrderFlow
from sync.orders.source import OrderSource
from sync.store.events import EventStore
from sync.store.interventions import Interventions
from sync.store.journal import Journal
from sync.store.lines import Urgency
from sync.store.links import MarketLinks
from sync.store.overview import Overview
from sync.store.records import EventRecord
from sync.store.reference_forms import ReferenceForms
from sync.store.states import EventState
from sync.store.watermarks import Watermarks
from tests.fakes.entering import FakeOddRows, unhinted
from tests.fakes.order_erp import FakeOrderErp, Fault
from tests.fakes.order_flow import order_flow, starts
from tests.fakes.order_shop import FakeShop, FakeWork, event_of
from tests.fakes.references import own_headers
from tests.integration.schema_0004 import Before, at_0004
from tests.orders import recorded
from tests.sync_engine.engine import ScriptedFlow
from tests.virtual_time import ManualClock

SAMPLE = recorded.orders()["tax_excl_row__mixed_rates"]
STORE_OF = {"b2b_de": 1, "b2c": 2}
START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = recorded.rules(guest_account="WEB", start_at=START.isoformat())


@dataclass
class World:
    """Both systems as the old program left them."""

    erp: FakeOrderErp = field(default_factory=lambda: FakeOrderErp(ManualClock(), iter(())))
    shop: FakeShop = field(default_factory=FakeShop)
    events: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.erp.tax = SAMPLE.tax_amount

    def place(self, entity_id: int, market: str = "b2b_de", **members: Any) -> Order:
        """Place an order; of two markets, those of one number have ids a hundred apart."""
        number = members.pop("increment_id", f"{entity_id % 100:09d}")
        made = {"created_at": START, "updated_at": START, "state": "new", **members}
        return self.shop.put(recorded.numbered(SAMPLE, entity_id, number, STORE_OF[market], **made))

    async def send(self, entity_id: int, *faults: Fault, market: str = "b2b_de") -> str:
        """Send an order as the old program did, perhaps until it died; return its number."""
        self.erp.faults = iter(faults)
        order = self.shop.orders[entity_id]
        work = FakeWork(event_of(order), self.erp.clock)
        try:
            await flow_of(self, market, {}).carry(work)
        except BaseException:  # noqa: BLE001 -- the process dies as the fault says
            assert faults
        self.erp.faults = iter(())
        return max(self.erp.headers)


def flow_of(world: World, market: str, more: dict[str, Any]) -> OrderFlow:
    """Return the flow of one market, which shares its company with the other."""
    own = own_headers(
        world.erp,
        world.shop,
        RULES,
        market=market,
        stores=[STORE_OF[market]],
        rules_of_others=dict.fromkeys(STORE_OF.values(), RULES),
        **more,
    )
    stores = {STORE_OF[market]}
    return order_flow(world.shop, world.erp, own, RULES, stores=stores, market=market)


class After:
    """The upgraded database, and the engine over it."""

    def __init__(self, world: World, store: AsyncEngine) -> None:
        self.world = world
        self.store = store
        self.overview = Overview(store)
        self.store_of_events = EventStore(store, JobQueue())
        self.customers = ScriptedFlow("customers", carry_with=self._link)
        self.returns = ScriptedFlow("returns")
        links = {market: MarketLinks(store, market) for market in STORE_OF}
        more = {"links": links, "forms": ReferenceForms(store)}
        self.flows = {market: flow_of(world, market, more) for market in STORE_OF}

    async def _link(self, work: Work) -> Done:
        await work.links.remember("customer", work.event.business_key, "WEB")
        return Done()

    async def event(self, name: str) -> EventRecord:
        """Return an event by the name that the test gave it."""
        found = await self.overview.event(self.world.events[name])
        assert found is not None
        return found

    async def states(self) -> dict[str, str]:
        """Return the state of each event."""
        return {name: (await self.event(name)).state.value for name in self.world.events}

    async def run(self) -> None:
        """Bring every job, as workers do, until none is left that is due."""
        for _ in range(100):
            async with self.store.begin() as connection:
                rows = await connection.execute(
                    text(
                        "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND"
                        " (scheduled_at IS NULL OR scheduled_at <= now())"
                        " RETURNING CAST(args->>'event_id' AS bigint), queue_name, id"
                    )
                )
                jobs = sorted(rows, key=lambda row: int(row[2]))
            if not jobs:
                return
            for event_id, queue, _ in jobs:
                await self._carry(int(event_id), market=queue.partition(".")[2])
        raise AssertionError("never at rest")

    async def _carry(self, event_id: int, *, market: str) -> None:
        runner = Runner(
            database=self.store,
            events=self.store_of_events,
            journal=Journal(self.store, configuration_hash="c0ffee"),
            flows={
                "orders": self.flows[market],
                "customers": self.customers,
                "returns": self.returns,
            },
            clock=SystemClock(),
            give_up_after=20,
            longest={"fo": timedelta(seconds=60)},
        )
        try:
            await runner.carry(event_id)
        except ComeBackError as error:
            record = await self.overview.event(event_id)
            assert record is not None
            async with self.store.begin() as connection:
                await JobQueue().put(connection, [record.waiting], Urgency.BACKLOG)
                await connection.execute(
                    text(
                        "UPDATE procrastinate_jobs SET scheduled_at = :due_at"
                        " WHERE CAST(args->>'event_id' AS bigint) = :event"
                    ),
                    {"due_at": error.due_at, "event": event_id},
                )


async def fill(world: World, before: Before) -> None:
    """Write events in every state, as the old program did, with what they left in the ERP."""
    events = world.events

    async def order(entity_id: int, state: str, task: str = "export", **more: Any) -> int:
        market = more.pop("market", "b2b_de")
        placed = world.shop.orders[entity_id]
        payload = {"entity_id": entity_id, "task": task, **more.pop("payload", {})}
        return await before.event(
            "orders", placed.increment_id, task, state=state, market=market, **payload, **more
        )

    world.place(1)
    events["received"] = await order(1, "received")
    world.place(2)
    number = await world.send(2, *[Fault.NONE] * 3, Fault.DIES_AFTER)
    events["working"] = await order(2, "working")
    reference = world.erp.order_lines[number][-1]["OrderLineReference"]
    line = {"SalesOrderNumber": number, "OrderLineReference": reference}
    await before.call(events["working"], "order header create", is_acked=True)
    await before.call(events["working"], "order line create", **line)
    world.place(3)
    events["waiting"] = await order(3, "waiting", is_retried=True)
    world.place(4)
    await world.send(4, Fault.NONE, Fault.DIES_AFTER)
    events["in_doubt_and_done"] = await order(4, "in_doubt")
    await before.call(events["in_doubt_and_done"], "order header create")
    world.place(5)
    events["in_doubt_under_way"] = await order(5, "in_doubt")
    await before.call(events["in_doubt_under_way"], "order header create", ago=5)
    placed = world.place(6)
    await world.send(6, *[Fault.NONE] * 3, Fault.DIES_AFTER)
    world.shop.put(placed.model_copy(update={"state": "canceled"}))
    events["held"] = await order(6, "held")
    events["blocked"] = await order(6, "blocked", "cancel", depends_on=events["held"])
    world.place(7, state="canceled")
    events["skipped"] = await order(7, "skipped", "cancel")
    for entity_id, name in ((8, "done"), (9, "done_and_doubled")):
        world.place(entity_id)
        await before.link("order", entity_id, await world.send(entity_id))
        events[name] = await order(entity_id, "done")
    world.erp.put_header("000000009")
    events["tidy"] = await before.event(
        "orders", "000000009", "tidy/SO-X", state="received", task="tidy"
    )
    world.place(10, customer_id=70)
    events["customer"] = await before.event(
        "customers", "70", "2026-11-01T00:00:00+00:00", state="received", customer_id=70
    )
    events["behind_its_customer"] = await order(10, "waiting", depends_on=events["customer"])
    events["returned"] = await before.event("returns", "000000001", "", state="done", entity_id=31)
    world.place(11)
    events["asked_for"] = await order(11, "received", "for/17/1234")
    events["return"] = await before.event(
        "returns", "000000002", "", state="waiting", depends_on=events["asked_for"], entity_id=32
    )
    # A person changed its payload, and left the id out.
    world.place(12)
    events["of_a_number"] = await before.event(
        "orders", "000000012", "export", state="received", task="export"
    )
    await before.mark("orders.updated_at", START.isoformat())
    await before.mark("orders.history_ends", "0")


@pytest.fixture
async def after(empty_database_url: str) -> AsyncIterator[After]:
    world = World()
    async with at_0004(empty_database_url) as before:
        await fill(world, before)
    world.erp.calls.clear()
    async with database(empty_database_url, connections=5) as store:
        yield After(world, store)


async def test_every_event_is_known_by_its_document_and_keeps_its_state(after: After) -> None:
    assert await after.states() == {
        "received": "received",
        "working": "working",
        "waiting": "waiting",
        "in_doubt_and_done": "in_doubt",
        "in_doubt_under_way": "in_doubt",
        "held": "held",
        "blocked": "blocked",
        "skipped": "skipped",
        "done": "done",
        "done_and_doubled": "done",
        "tidy": "received",
        "customer": "received",
        "behind_its_customer": "waiting",
        "returned": "done",
        "asked_for": "received",
        "return": "waiting",
        "of_a_number": "received",
    }
    for name in after.world.events:
        event = await after.event(name)
        if name == "of_a_number":
            assert (event.document_id, event.lock_key) == (None, "orders/b2b_de/000000012")
        else:
            assert event.lock_key == f"{event.flow}/b2b_de/#{event.document_id}"
            assert event.source_key.startswith(event.lock_key)
    assert (await after.event("tidy")).document_id == "9"
    assert (await after.event("blocked")).lock_key == (await after.event("held")).lock_key
    async with after.store.connect() as connection:
        apart = await connection.execute(
            text(
                "SELECT count(*) FROM procrastinate_jobs job JOIN sync_event event"
                " ON event.id = CAST(job.args->>'event_id' AS bigint)"
                " WHERE job.lock <> event.lock_key"
            )
        )
        assert apart.scalar_one() == 0
    assert await Watermarks(after.store).get("orders.updated_at") == START.isoformat()


async def test_nothing_is_sent_again_and_nothing_is_lost(after: After) -> None:
    world = after.world
    sent_before = set(world.erp.headers)

    await after.run()

    states = await after.states()
    # What was on the wire when the program was upgraded may still arrive.
    assert states.pop("in_doubt_under_way") == "waiting"
    assert (states.pop("held"), states.pop("blocked")) == ("held", "blocked")
    assert states.pop("skipped") == "skipped"
    assert set(states.values()) == {"done"}
    by_order = references(world)
    assert max(len(numbers) for numbers in by_order.values()) == 1
    new = {"000000001", "000000003", "000000010", "000000011", "000000012"}
    assert {r for r, numbers in by_order.items() if not numbers <= sent_before} == new
    assert world.erp.calls["create_header"] == len(new)
    assert world.erp.calls["delete_header"] == 1
    assert after.customers.carried == ["70"]
    assert after.returns.carried == ["000000002"]


async def test_a_write_in_doubt_is_waited_out_after_the_upgrade(after: After) -> None:
    await after.run()
    event = after.world.events["in_doubt_under_way"]
    # It arrives, a minute after it was sent; only then is it looked for again.
    after.world.erp.put_header("000000005", **after.world.erp.header_values["000000008"])
    async with after.store.begin() as connection:
        await connection.execute(text("UPDATE sync_attempt SET sent_at = sent_at - interval '1 h'"))
        is_due = "UPDATE sync_event SET due_at = NULL WHERE id = :id"
        in_line = (
            "UPDATE procrastinate_jobs SET scheduled_at = NULL"
            " WHERE CAST(args->>'event_id' AS bigint) = :id"
        )
        for statement in (is_due, in_line):
            await connection.execute(text(statement), {"id": event})

    await after.run()

    assert (await after.event("in_doubt_under_way")).state is EventState.DONE
    assert len(references(after.world)["000000005"]) == 1


async def test_the_first_poll_enters_only_what_no_event_was_of(after: After) -> None:
    """Also a second order of a number in a market, whose number had stood for the first's."""
    world = after.world
    world.place(101, market="b2b_de")
    source = OrderSource(
        world.shop,
        Polling(
            events=after.store_of_events,
            watermarks=Watermarks(after.store),
            odd_rows=OddRowBook(FakeOddRows(), SystemClock()),
            overlap=timedelta(seconds=30),
            clock=SystemClock(),
            pace=unhinted(SystemClock()),
        ),
        market_of_store={1: "b2b_de"},
        rules={"b2b_de": RULES},
        starts=starts(world.shop, RULES),
        links={"b2b_de": MarketLinks(after.store, "b2b_de")},
    )
    await after.run()

    # One was entered for its return only; it has its number, so there is nothing to send.
    assert await source.poll() == 2
    (new,) = await after.overview.by_document("orders", "101")
    assert new.source_key == "orders/b2b_de/#101/export"
    _, again = await after.overview.by_document("orders", "11")
    created = world.erp.calls["create_header"]
    await after.run()
    again, *_ = [e for e in await after.overview.by_document("orders", "11") if e.id == again.id]
    assert again.state is EventState.DONE
    assert world.erp.calls["create_header"] == created


async def test_a_held_one_still_keeps_later_ones_of_its_order_behind_it(after: After) -> None:
    interventions = Interventions(after.store, JobQueue())
    await after.run()

    await interventions.skip(after.world.events["held"], reason="by hand", by="ann")
    await after.run()

    blocked = await after.event("blocked")
    assert blocked.state is EventState.HELD
    assert blocked.trouble is not None
    assert blocked.trouble.field == "state"


async def test_an_unfinished_event_of_a_number_keeps_all_of_that_number_behind_it(
    after: After,
) -> None:
    """Nobody can say whose it is before it was looked up, so nobody passes it."""
    async with after.store.begin() as connection:
        await connection.execute(
            text("UPDATE sync_event SET state = 'held' WHERE id = :id"),
            {"id": after.world.events["of_a_number"]},
        )
    await after.store_of_events.receive(
        flow="orders",
        market="b2b_de",
        document_id="12",
        business_key="000000012",
        source_key="orders/b2b_de/#12/export",
        payload={"entity_id": 12, "task": "export"},
        lock_key="orders/b2b_de/#12",
    )
    await after.run()

    (later,) = await after.overview.by_document("orders", "12")
    assert later.state is EventState.BLOCKED
    assert later.depends_on == after.world.events["of_a_number"]


async def test_an_event_of_a_number_that_two_orders_have_is_held(after: After) -> None:
    after.world.place(112, market="b2b_de")

    await after.run()

    event = await after.event("of_a_number")
    assert event.state is EventState.HELD
    assert event.trouble is not None
    assert "#12" in event.trouble.text
    assert "#112" in event.trouble.text
    assert "000000012" not in references(after.world)


async def test_two_markets_of_one_company_that_number_alike_were_known_apart(
    empty_database_url: str,
) -> None:
    """The first one has the reference, and the other is held; neither is taken for the other."""
    world = World()
    async with at_0004(empty_database_url) as before:
        world.place(1)
        world.place(101, market="b2c")
        for name, entity_id, market in (("first", 1, "b2b_de"), ("second", 101, "b2c")):
            world.events[name] = await before.event(
                "orders",
                "000000001",
                "export",
                state="received",
                market=market,
                entity_id=entity_id,
                task="export",
            )
    async with database(empty_database_url, connections=5) as store:
        after = After(world, store)
        await after.run()

        assert await after.states() == {"first": "done", "second": "held"}
        trouble = (await after.event("second")).trouble
    assert trouble is not None
    assert "#1 " in trouble.text or "#1," in trouble.text
    assert "#101" in trouble.text
    assert trouble.kind == "Held"


async def test_numbers_that_look_like_keys_of_documents_hide_no_order(
    empty_database_url: str,
) -> None:
    """A number may begin with "#", contain "/" or letters; an id may be a text with zeros."""
    world = World()
    numbers = {1: "#1001", 2: "A/1/export", 3: "ÄÖ-\u202e1", 4: "1-1", 5: "000000005"}
    async with at_0004(empty_database_url) as before:
        for entity_id, number in numbers.items():
            world.place(entity_id, increment_id=number)
            told = f"00{entity_id}" if number == "000000005" else str(entity_id)
            world.events[number] = await before.event(
                "orders", number, "export", state="received", entity_id=told, task="export"
            )
    async with database(empty_database_url, connections=5) as store:
        after = After(world, store)
        world.place(1001)

        entered = await after.store_of_events.receive(
            flow="orders",
            market="b2b_de",
            document_id="1001",
            business_key=world.shop.orders[1001].increment_id,
            source_key="orders/b2b_de/#1001/export",
            payload={"entity_id": 1001, "task": "export"},
            lock_key="orders/b2b_de/#1001",
        )
        await after.run()

        assert entered
        for entity_id in (*numbers, 1001):
            (event,) = await after.overview.by_document("orders", str(entity_id))
            assert (event.state, event.source_key) == (
                EventState.DONE,
                f"orders/b2b_de/#{entity_id}/export",
            )
    assert world.erp.calls["create_header"] == 6


def references(world: World) -> dict[str, set[str]]:
    """Return the numbers of the ERP's orders by their reference."""
    found: dict[str, set[str]] = {}
    for number, header in world.erp.headers.items():
        found.setdefault(header["CustomersOrderReference"], set()).add(number)
    return found
