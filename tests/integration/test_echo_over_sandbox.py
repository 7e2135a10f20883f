"""What the flows write comes back by the poll, and ends there: no write follows from a write."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from pricing_proxy.sandbox.shop.customers import Customers
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.invoices import invoice
from pricing_proxy.sandbox.shop.refunds import refund
from sync.engine.outcomes import WaitForError
from tests.fakes.entering import FakeWatermarks
from tests.integration.flow_world import FlowWorld, world

__all__ = ["world"]

# The poll of ten minutes; the shop's clock moves by a second at each change.
ROUNDS = 120
WRITES = ("save_customer", "save_order", "add_order_comment")


class Echo:
    """Polls and carries, round by round, and counts what is written."""

    def __init__(self, world: FlowWorld) -> None:
        self._world = world
        self._sources = world.sources_into(world.events, FakeWatermarks())
        flows = world.flows
        self._flows = {each.name: each for each in (flows.orders, flows.customers, flows.returns)}
        self._carried: set[str] = set()
        self.notes: list[str] = []

    async def start(self) -> None:
        """Let the sources begin."""
        await self._sources.orders.poll()
        await self._sources.customers.poll()
        await self._sources.returns.poll()

    async def run(self, rounds: int) -> None:
        """Poll as often, and carry what came in."""
        for _ in range(rounds):
            await self._sources.orders.poll()
            await self._sources.orders.sweep()
            await self._sources.customers.poll()
            await self._sources.returns.poll()
            entered = self._world.events.entered
            for key in [one for one in entered if one not in self._carried]:
                self._carried.add(key)
                await self._carry(entered[key])

    async def _carry(self, event: dict[str, object]) -> None:
        flow = self._flows[str(event["flow"])]
        try:
            done = await self._world.carry(flow, str(event["key"]), **event["payload"])  # type: ignore[arg-type]
        except WaitForError as waiting:
            waited_for = await self._world.carry(self._flows["customers"], waiting.business_key)
            self.notes.append(waited_for.note)
            done = await self._world.carry(flow, str(event["key"]))
        self.notes.append(done.note)

    @property
    def writes(self) -> int:
        """How many writes both systems got."""
        counts = self._world.sandbox.systems["magento"].calls.counts()["operations"]
        to_erp = [one for one in self._world.transport.requests if one.method != "GET"]
        return sum(counts.get(name, 0) for name in WRITES) + len(to_erp)


def ticking(begin: datetime) -> Callable[[], str]:
    """Return a clock of the shop that moves at each look, so that each change is a later one."""
    looks = 0

    def now() -> str:
        nonlocal looks
        looks += 1
        return (begin + timedelta(seconds=looks)).strftime("%Y-%m-%d %H:%M:%S")

    return now


@pytest.fixture
async def echo(world: FlowWorld) -> Echo:
    """Return the flows over a shop whose customers change from now on."""
    dials = world.sandbox.systems["magento"].dials
    assert isinstance(dials, ShopDials)
    world.sandbox.shop.customers = Customers(
        now=ticking(datetime.now(UTC)),
        has_account=lambda: dials.account_attribute,
    )
    started = Echo(world)
    await started.start()
    return started


@pytest.mark.parametrize("has_it", [False, True], ids=["stock", "with_attribute"])
async def test_after_all_is_carried_nothing_is_written_however_long_the_poll_runs(
    world: FlowWorld, echo: Echo, *, has_it: bool
) -> None:
    """On a stock shop each customer was written at every poll, for ever."""
    await world.dial("magento", account_attribute=has_it)
    for number in range(3):
        world.register(f"new{number}@shop.example")
    placed = await world.place(3, kind="simple")
    await echo.run(3)
    for key in placed:
        order = await world.order(key)
        invoice(world.sandbox.shop, order.entity_id, {})
        refund(world.sandbox.shop, order.entity_id, {})

    await echo.run(3)
    assert len(world.sandbox.documents.returns.told()) == len(placed)
    written = echo.writes
    events = len(world.events.entered)
    await echo.run(ROUNDS)

    assert echo.writes == written
    assert len(world.events.entered) == events
    told = [note for note in echo.notes if "create the customer attribute" in note]
    assert len(told) == (0 if has_it else 1)
    entered = [each["flow"] for each in world.events.entered.values()]
    # The three whom the shop begins with, and the three who registered.
    assert entered.count("customers") == 6, "a write of ours came back as an event"
    calls = world.sandbox.systems["magento"].calls.counts()["operations"]
    assert calls.get("save_customer", 0) == (3 if has_it else 0)
