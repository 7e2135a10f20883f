"""The real engine on a real PostgreSQL, between the two simulated systems, with faults."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.sandbox.shop.catalog import SERVICE
from sync.engine.database import database
from sync.engine.queue import JobQueue, queue_application
from sync.engine.runner import Runner
from sync.engine.workers import Workers
from sync.orders.source import OrderSource
from sync.store.all_links import KeptLinks
from sync.store.events import EventStore
from sync.store.flow_control import FlowControl
from sync.store.journal import Journal
from sync.store.overview import Overview
from sync.store.watermarks import Watermarks
from tests.integration.flow_world import FlowWorld, world
from tests.integration.sync_running import ADDRESS, MARKET
from tests.patience import PATIENCE_SECONDS

__all__ = ["world"]

FLOWS = ("orders", "customers", "returns")
CENT = Decimal("0.01")


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
        flows = world.flows_with(KeptLinks(store))
        journal = Journal(store, configuration_hash="c0ffee")
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
            longest=world.settings.sync.delivery.longest,
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

    async def until(
        self, is_so: Callable[[dict[str, str]], bool], *, seconds: float = PATIENCE_SECONDS
    ) -> None:
        async with asyncio.timeout(seconds):
            while not is_so(await self.states()):  # noqa: ASYNC110 -- workers tell nobody
                await asyncio.sleep(0.1)


@pytest.fixture
def engine(world: FlowWorld, store: AsyncEngine, database_url: str) -> Engine:
    return Engine(world, store, database_url)


async def test_every_order_arrives_once_through_throttling_errors_and_lost_answers(
    world: FlowWorld, engine: Engine
) -> None:
    # Some say the rates of their lines at the order alone, as of carts placed in one go.
    await world.dial("magento", bare_taxes=0.5)
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
    shop = {number: (await world.order(number)).grand_total for number in placed}
    for order in told.values():
        assert not order["is_stopped"]
        references = [line["OrderLineReference"] for line in order["lines"]]
        assert len(references) == len(set(references))
        # To the cent, whatever was lost on the way, and without a needless rounding line.
        closing = [
            line["LineAmount"] for line in order["lines"] if line["ItemNumber"] == "ROUNDING"
        ]
        off = shop[order["reference"]] - order["total"]
        assert abs(off) < CENT
        assert all(abs(off + amount) >= CENT for amount in closing)
    # Each of the three customers came over once, although many orders waited for them.
    assert set((await engine.states("customers")).values()) == {"done"}
    assert await engine.source.poll() == 0


SHIPPING = "extension_attributes.shipping_assignments[0].shipping"
# What is wrong with an order, the field that is named, and the entry or step that helps.
BAD_ORDERS: list[tuple[dict[str, Any], str, str]] = [
    ({"lines": [{"sku": SERVICE}]}, "items[0].product_id", "release the item in demf"),
    ({"payment_method": "bitcoin"}, "payment.method", 'b2b_de.orders.payment."bitcoin"'),
    ({"shipping_method": "owls_a"}, f"{SHIPPING}.method", 'b2b_de.orders.shipping."owls_a"'),
    (
        {"address": {"country_id": "NL"}},
        f"{SHIPPING}.address.country_id",
        'b2b_de.orders.countries."NL"',
    ),
    (
        {"shipping_address": {"city": "x" * 61}},
        f"{SHIPPING}.address.city",
        "orders.field_lengths.DeliveryAddressCity",
    ),
    ({"lines": [{"sku": "LAMP-01", "price": "-1"}]}, "items[0].row_total_incl_tax", "replay"),
    ({"lines": [{"sku": "LAMP-01", "price": "0"}]}, "items[0].price", 'free_lines = "send"'),
    ({"total_off_by": "0.50"}, "grand_total", "fees"),
]


async def test_every_bad_order_is_held_by_name_and_blocks_nobody(
    world: FlowWorld, engine: Engine
) -> None:
    """The good ones, before and after each bad one, are the same customer's."""
    bad, good = {}, await world.place(1, kind="simple", customer=1)
    for members, field, advice in BAD_ORDERS:
        [number] = await world.place(1, kind="simple", customer=1, **members)
        bad[number] = field, advice
        good += await world.place(1, kind="simple", customer=1)
    stranger = world.register("stranger@shop.example", addresses=[{**ADDRESS, "country_id": "NL"}])
    [waiting] = await world.place(1, kind="simple", customer=stranger)
    await engine.source.poll()
    expected = {**dict.fromkeys(bad, "held"), **dict.fromkeys(good, "done"), waiting: "blocked"}

    async with engine.working():
        await engine.until(lambda states: states == expected)

    assert set(world.told()) == set(good)
    stuck = {event.business_key: event.trouble for event in await Overview(engine.store).stuck()}
    for number, (field, advice) in bad.items():
        trouble = stuck[number]
        assert trouble is not None
        assert trouble.field == field, trouble
        assert advice in f"{trouble.text}; {trouble.advice}"
    # A customer who cannot get an account is named, and the order waits behind, visibly.
    trouble = stuck[str(stranger)]
    assert trouble is not None
    assert trouble.field.endswith("country_id")
    assert 'sync.markets.b2b_de.customers.countries."NL"' in trouble.advice
