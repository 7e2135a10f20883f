"""Events of all flows in all states survive the upgrade of the documents' keys as they were.

Returns, whose header or line was on the wire when the program was upgraded, are carried on
with the real flow: nothing is written twice.
"""

from collections.abc import AsyncGenerator, Collection
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from pricing_proxy.clock import SystemClock
from pricing_proxy.resilience.errors import UpstreamError
from sync.engine.database import database
from sync.engine.odd_rows import OddRowBook
from sync.engine.polling import Polling
from sync.engine.queue import JobQueue
from sync.engine.runner import Runner
from sync.engine.windows import Window
from sync.magento.credit_memo_models import CreditMemoHead
from sync.magento.odd_rows import RowPage
from sync.returns.flow import ADD_LINE, CREATE, ReturnFlow
from sync.returns.source import ReturnSource
from sync.store.events import EventStore
from sync.store.journal import Journal
from sync.store.overview import Overview
from sync.store.states import EventState
from sync.store.watermarks import Watermarks
from tests.fakes.entering import FakeOddRows, unhinted
from tests.fakes.listing import FakeListing
from tests.integration.schema_0004 import at_0004
from tests.returns.test_flow import MEMO, World

# Of the source key, behind the document's number.
SUFFIXES = {"orders": "export", "customers": "2026-11-01T00:00:00+00:00", "returns": ""}
BEFORE_ALL = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("flow", SUFFIXES)
async def test_an_event_of_any_state_keeps_it_and_its_calls(
    empty_database_url: str, flow: str
) -> None:
    suffix, ids = SUFFIXES[flow], {}
    async with at_0004(empty_database_url) as before:
        for number, state in enumerate(EventState, start=41):
            # Customers were known by their id before.
            name = str(number) if flow == "customers" else f"{number:09d}"
            ids[number] = await before.event(flow, name, suffix, state=state, entity_id=number)
            await before.call(ids[number], "create", ago=3, reference=name)

    async with database(empty_database_url, connections=2) as store:
        overview = Overview(store)
        journal = Journal(store, configuration_hash="c0ffee")
        for number, state in enumerate(EventState, start=41):
            (event,) = await overview.by_document(flow, str(number))
            assert (event.id, event.state) == (ids[number], state)
            assert event.lock_key == f"{flow}/b2b_de/#{number}"
            assert event.source_key == f"{event.lock_key}/{suffix}".removesuffix("/")
            (call,) = await journal.unacknowledged(event.id)
            assert call.operation == "create"


@pytest.mark.parametrize("state", ["working", "waiting", "in_doubt", "received"])
@pytest.mark.parametrize(("lost", "operation"), [("create_header", CREATE), ("add_line", ADD_LINE)])
@pytest.mark.parametrize("fault", ["calls_lost", "answers_lost"])
async def test_a_return_under_way_is_written_once(
    empty_database_url: str, state: str, lost: str, operation: str, fault: str
) -> None:
    world = World()
    getattr(world.erp, fault).add(lost)
    with pytest.raises(UpstreamError):
        await world.carry()
    world.links.keys.clear()
    async with at_0004(empty_database_url) as before:
        event = await before.event(
            "returns", MEMO.increment_id, "", state=state, entity_id=MEMO.entity_id
        )
        await before.call(event, operation, ago=600, ReturnOrderNumber="RO-1")

    async with database(empty_database_url, connections=3) as store:
        events = EventStore(store, JobQueue())
        runner = Runner(
            database=store,
            events=events,
            journal=Journal(store, configuration_hash="c0ffee"),
            flows={
                "returns": ReturnFlow(
                    world,
                    orders=world,
                    markets={"b2b_de": world.market},
                )
            },
            clock=SystemClock(),
            give_up_after=20,
            longest={"fo": timedelta(seconds=60)},
        )
        await runner.carry(event)

        found = await Overview(store).event(event)
        assert found is not None
        assert found.state is EventState.DONE, found.trouble
        assert await enter_all(events, Watermarks(store)) == 0
    assert len(world.erp.headers) == 1
    lots = [row.ReturningInventoryLotId for row in world.erp.rows["RO-1"]]
    assert len(lots) == len(set(lots)) == 3


async def test_a_return_that_was_done_is_not_entered_again(empty_database_url: str) -> None:
    async with at_0004(empty_database_url) as before:
        await before.event("returns", MEMO.increment_id, "", state="done", entity_id=MEMO.entity_id)
        await before.mark("returns.updated_at", BEFORE_ALL.isoformat())

    async with database(empty_database_url, connections=3) as store:
        assert await enter_all(EventStore(store, JobQueue()), Watermarks(store)) == 0
        async with store.connect() as connection:
            forms = await connection.execute(
                text("SELECT market, store, prefix FROM reference_form")
            )
            assert [tuple(row) for row in forms] == [("b2b_de", "*", "")]


class Memos:
    """The shop's only credit memo."""

    heads: FakeListing[CreditMemoHead] = FakeListing(lambda: {MEMO.entity_id: MEMO})

    async def credit_memos_changed(
        self, window: Window, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[CreditMemoHead], None]:
        del window, without
        yield RowPage([MEMO])


async def enter_all(events: EventStore, watermarks: Watermarks) -> int:
    """Poll the shop; return how many credit memos were entered."""
    polling = Polling(
        events=events,
        watermarks=watermarks,
        odd_rows=OddRowBook(FakeOddRows(), SystemClock()),
        overlap=timedelta(seconds=30),
        clock=SystemClock(),
        pace=unhinted(SystemClock()),
    )
    return await ReturnSource(Memos(), polling, market_of_store={1: "b2b_de"}).poll()
