"""Whatever becomes of orders after they were sent, the ERP's orders are the shop's in the end.

Parts are cancelled, orders are put on hold and taken off, delivered elsewhere, cancelled as a
whole, while polls go on and calls of the ERP fail as Hypothesis chooses. Changes may become
visible only when their date lies behind what the polls have read, and one of an address has no
date at all: whatever the polls miss, the sweep must find. A person does in the ERP what records
ask for, and replays.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import example, given, settings

from pricing_proxy.resilience.errors import UpstreamError
from sync.engine.flow import Event
from sync.engine.outcomes import HeldError, RetryLaterError, SkippedError
from sync.magento.order_models import Order
from sync.orders.source import OrderSource
from tests.fakes.entering import FakeEvents, polling
from tests.fakes.order_erp import FakeOrderErp, Fault, ProcessDiedError
from tests.fakes.order_flow import order_flow, starts
from tests.fakes.order_shop import FakeLinks, FakeShop, FakeWork, event_of
from tests.fakes.references import own_headers
from tests.orders import recorded
from tests.virtual_time import ManualClock

SAMPLE = recorded.orders()["tax_excl_row__mixed_rates"]
RULES = recorded.rules(
    guest_account="WEB",
    start_at="1970-01-01T00:00:00Z",
    tax_difference="warn",
    part_cancelled="reduce",
)
CITIES = ("Gent", "Aalst")
# Longer than the overlap of polls, shorter than any transaction.
LATE = timedelta(minutes=40)
FAULTS = st.lists(st.sampled_from(Fault), max_size=30)


@dataclass(frozen=True)
class Step:
    """Something happens to an order, and may be seen late; or polls and workers have their turn."""

    what: str
    order: int = 37
    is_late: bool = False


HAPPENINGS = ("cut", "hold", "unhold", "move", "cancel")
STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from((*HAPPENINGS, "poll", "poll")),
        st.sampled_from((37, 38)),
        st.booleans(),
    ),
    max_size=14,
)


class World:
    """A shop with two orders, an ERP with faults, and what carries between them."""

    def __init__(self, faults: Iterator[Fault]) -> None:
        self.clock = ManualClock()
        self.erp = FakeOrderErp(self.clock, iter(()))
        self.faults = faults
        self.shop, self.events, self.links = FakeShop(), FakeEvents(), FakeLinks()
        self.works: dict[str, FakeWork] = {}
        self.ended: set[str] = set()
        self.source = OrderSource(
            self.shop,
            polling(self.events, self.clock),
            market_of_store={1: "b2b_de"},
            rules={"b2b_de": RULES},
            starts=starts(self.shop, RULES),
            links={"b2b_de": self.links},
        )
        self.clock.advance(timedelta(days=1))
        for entity_id in (37, 38):
            now = {"created_at": self.now, "updated_at": self.now, "state": "processing"}
            self.shop.put(recorded.numbered(SAMPLE, entity_id, f"{entity_id:09d}", 1, **now))

    @property
    def now(self) -> Any:
        return self.clock.utc().replace(microsecond=0)

    async def run(self, steps: list[Step]) -> None:
        """Send both orders, let things happen, and let everything come to rest."""
        await self.source.sweep()
        await self.poll()
        self.erp.faults = self.faults
        for step in steps:
            self.clock.advance(timedelta(minutes=1))
            if step.what == "poll":
                await self.poll()
            else:
                self.happen(step)
        await self.poll()
        self.erp.faults = iter(())
        self.clock.advance(timedelta(minutes=50))
        for _ in range(2):
            await self.source.sweep()
            await self.work()

    def happen(self, step: Step) -> None:
        order = self.shop.orders[step.order]
        if order.state == "canceled":
            return
        changed = _changes(order, step.what)
        if changed and step.what != "move":
            # As long as nobody has seen it, its row is dated when the transaction wrote it.
            changed["updated_at"] = self.now - (LATE if step.is_late else timedelta(0))
        self.shop.put(order.model_copy(update=changed))

    async def poll(self) -> None:
        self.clock.advance(timedelta(seconds=5))
        await self.source.poll()
        await self.work()

    async def work(self) -> None:
        """Carry what was entered, each document's events in their order."""
        for key in list(self.events.entered):
            if key not in self.ended:
                await self._carry_to_the_end(key)
                self.ended.add(key)

    async def _carry_to_the_end(self, key: str) -> None:
        entered = self.events.entered[key]
        order = self.shop.orders[int(entered["document"])]
        work = self.works.setdefault(
            key, FakeWork(_event(order, key, entered["payload"]), self.clock, links=self.links)
        )
        for _ in range(60):
            own = own_headers(self.erp, self.shop, RULES, links={"b2b_de": self.links})
            flow = order_flow(self.shop, self.erp, own, RULES, stores={1})
            try:
                await flow.carry(work)
            except SkippedError:
                return
            except HeldError as error:
                self.see_to(order.entity_id, error)
            except RetryLaterError as error:
                self._wait(error.after or timedelta(seconds=1))
            except (UpstreamError, ProcessDiedError):
                self._wait(timedelta(seconds=1))
            else:
                return
        raise AssertionError("stuck")

    def see_to(self, entity_id: int, error: HeldError) -> None:
        """Do in the ERP what a record asks for."""
        header = self.header(entity_id)
        if error.field.startswith("DeliveryAddress"):
            for name, wanted, _ in error.diff:
                header[name] = wanted
        elif error.field == "state":
            header["SalesOrderStatus"] = "Canceled"
        else:
            raise error

    def _wait(self, pause: timedelta) -> None:
        self.clock.advance(pause)
        self.erp.let_late_calls_arrive()

    def header(self, entity_id: int) -> dict[str, Any]:
        return self.erp.headers[self.links.keys["order", str(entity_id)]]

    def check(self) -> None:
        """Fail where the ERP's orders are not the shop's."""
        self._wait(timedelta(hours=1))
        for entity_id, order in self.shop.orders.items():
            header = self.header(entity_id)
            assert header["IsSalesProcessingStopped"] == (order.state in ("holded", "canceled"))
            if order.state == "canceled":
                assert header["SalesOrderStatus"] == "Canceled"
                continue
            assert order.shipping.address is not None
            assert header["DeliveryAddressCity"] == order.shipping.address.city
            lines = self.erp.order_lines[header["SalesOrderNumber"]]
            found = {line["OrderLineReference"]: line["OrderedSalesQuantity"] for line in lines}
            for row in order.items:
                left = row.qty_ordered - row.qty_canceled
                assert found.get(f"{order.increment_id}-{row.item_id}", 0) == left


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, faults=FAULTS)
@example(steps=[Step("poll"), Step("cancel", is_late=True)], faults=[])
@example(steps=[Step("poll"), Step("cut", is_late=True)], faults=[Fault.NONE] * 2 + [Fault.LATE])
@example(steps=[Step("hold"), Step("poll"), Step("unhold", is_late=True)], faults=[])
@example(steps=[Step("move")], faults=[])
def test_what_the_polls_miss_the_sweep_finds(steps: list[Step], faults: list[Fault]) -> None:
    world = World(iter(faults))

    asyncio.run(world.run(steps))

    world.check()


def _changes(order: Order, what: str) -> dict[str, Any]:
    """Return what changes of an order, nothing where that cannot happen to it."""
    if what == "cut":
        rows = [
            row.model_copy(update={"qty_canceled": min(row.qty_canceled + 1, row.qty_ordered)})
            for row in order.items[:1]
        ]
        return {"items": (*rows, *order.items[1:])} if order.state == "processing" else {}
    if what == "move":
        return {"extension_attributes": _elsewhere(order)}
    states = {
        "hold": ("processing", "holded"),
        "unhold": ("holded", "processing"),
        "cancel": ("processing", "canceled"),
    }
    before, after = states[what]
    return {"state": after} if order.state == before else {}


def _elsewhere(order: Order) -> Any:
    (envelope,) = order.extension_attributes.shipping_assignments
    address = envelope.shipping.address
    assert address is not None
    city = CITIES[address.city == CITIES[0]]
    shipping = envelope.shipping.model_copy(
        update={"address": address.model_copy(update={"city": city})}
    )
    return order.extension_attributes.model_copy(
        update={"shipping_assignments": (envelope.model_copy(update={"shipping": shipping}),)}
    )


def _event(order: Order, key: str, payload: dict[str, Any]) -> Event:
    return replace(event_of(order), source_key=key, payload=payload)
