"""The real engine on a real PostgreSQL, between the two simulated systems, with faults."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.engine.database import database
from sync.engine.queue import JobQueue, queue_application
from sync.engine.runner import Runner
from sync.engine.workers import Workers
from sync.orders.source import OrderSource
from sync.store.events import EventStore
from sync.store.flow_control import FlowControl
from sync.store.journal import Journal
from sync.store.watermarks import Watermarks
from tests.integration.flow_world import FlowWorld, world
from tests.integration.sync_running import MARKET
from tests.postgres import database_url, postgres, template

__all__ = ["database_url", "postgres", "template", "world"]
FLOWS = ("orders", "customers", "returns")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[AsyncEngine]:
    async with database(database_url, connections=10) as opened:
        yield opened


class Engine:
    """The engine, wired as the program wires it."""

    def __init__(self, world: FlowWorld, store: AsyncEngine, url: str) -> None:
        self.world = world
        self.store = store
        self.url = url
        self.events = EventStore(store, JobQueue())
        flows = world.flows
        journal = Journal(store, mapping_version="1", configuration_hash="c0ffee")
        self.runner = Runner(
            database=store,
            events=self.events,
            journal=journal,
            flows={
                "orders": flows.orders,
                "customers": flows.customers,
                "returns": flows.returns,
            },
            clock=world.clock,
            give_up_after=40,
        )

    @property
    def source(self) -> OrderSource:
        return self.world.sources_into(self.events, Watermarks(self.store)).orders

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        app = queue_application(self.url, self.runner.carry, connections=6)
        lines = [(flow, MARKET) for flow in FLOWS]
        async with (
            app.open_async(),
            Workers(app, FlowControl(self.store), lines=lines, concurrency=4),
        ):
            yield

    async def states(self, flow: str = "orders") -> dict[str, str]:
        """Return the state of each event by business key."""
        statement = text("SELECT business_key, state FROM sync_event WHERE flow = :flow")
        async with self.store.connect() as connection:
            rows = await connection.execute(statement, {"flow": flow})
            return {str(row[0]): str(row[1]) for row in rows}

    async def until(self, is_so: Callable[[dict[str, str]], bool], *, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while not is_so(await self.states()):  # noqa: ASYNC110 -- workers tell nobody
                await asyncio.sleep(0.1)


@pytest.fixture
def engine(world: FlowWorld, store: AsyncEngine, database_url: str) -> Engine:
    return Engine(world, store, database_url)


async def test_every_order_arrives_once_through_throttling_errors_and_lost_answers(
    world: FlowWorld, engine: Engine
) -> None:
    placed = await world.place(24, kind="mixed")
    await world.dial("fo", throttle_rate=0.03, error_rate=0.02, commit_then_drop=0.03)
    assert await engine.source.poll() == 24

    async with engine.working():
        await engine.until(lambda states: "done" in states.values())
        await asyncio.sleep(2)
        # Pauses double with each attempt: under faults without end the last order takes long.
        await world.dial("fo", throttle_rate=0, error_rate=0, commit_then_drop=0)
        await engine.until(lambda states: set(states.values()) == {"done"})

    told = world.told()
    assert set(told) == set(placed)
    for order in told.values():
        assert not order["is_stopped"]
        references = [line["OrderLineReference"] for line in order["lines"]]
        assert len(references) == len(set(references))
    # Each of the three customers came over once, although many orders waited for them.
    assert set((await engine.states("customers")).values()) == {"done"}
    assert await engine.source.poll() == 0


async def test_an_order_waits_for_its_customer_and_a_bad_one_blocks_nobody(
    world: FlowWorld, engine: Engine
) -> None:
    (bad,) = await world.place(1, kind="simple", customer=1, payment_method="bitcoin")
    (good,) = await world.place(1, kind="simple", customer=1)
    await engine.source.poll()

    async with engine.working():
        await engine.until(lambda states: states == {bad: "held", good: "done"})

    assert set(world.told()) == {good}
