"""Two orders of one number in one company, whatever fails: none is taken for the other.

Two store views number alike. Attempts at both orders follow each other in any order, and each
call of the ERP meets a fault that Hypothesis chose. With a prefix for one store view both are
delivered once. Without one, the order that the shop made first may be delivered and the
other is held; and nothing of either is stopped, deleted, completed or released for the other.
"""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, repeat
from typing import Any

import hypothesis.strategies as st
from hypothesis import example, given, settings

from pricing_proxy.resilience.errors import UpstreamError
from sync.engine.outcomes import HeldError, RetryLaterError
from sync.orders.flow import OrderFlow
from sync.orders.mapping import map_order
from tests.fakes.order_erp import CALL_TIME, FakeOrderErp, Fault, ProcessDiedError
from tests.fakes.order_flow import order_flow
from tests.fakes.order_shop import FakeLinks, FakeShop, FakeWork, event_of
from tests.fakes.references import FakeForms, own_headers
from tests.orders import recorded
from tests.virtual_time import ManualClock

SAMPLE = recorded.orders()["types_bundle_dynamic_price_ship_together_excl_tax"]
NUMBER = "4000006164"
# The lower id is the order that the shop made first.
STORE_OF = {37: 3, 38: 2}
MOST_ATTEMPTS = 300
FAULTS = st.lists(st.sampled_from(Fault), max_size=50)
TURNS = st.lists(st.sampled_from(sorted(STORE_OF)), min_size=1, max_size=12)
ADDRESSES = st.sampled_from(["same@shop.example", "other@shop.example"])


class Scenario:
    """A shop with two orders of one number, an ERP with faults, and an engine."""

    def __init__(self, faults: Iterator[Fault], *, prefix: str, email: str) -> None:
        self.clock = ManualClock()
        self.erp = FakeOrderErp(self.clock, faults)
        self.erp.tax = SAMPLE.tax_amount
        self.shop = FakeShop()
        self.links = FakeLinks()
        self.rules = recorded.rules(guest_account="WEB", reference_prefix={"2": prefix})
        self.works: dict[int, FakeWork] = {}
        self.held: set[int] = set()
        self.told: dict[int, str] = {}
        self.done: set[int] = set()
        for entity_id, store in STORE_OF.items():
            members: dict[str, Any] = {"customer_email": "same@shop.example"}
            if entity_id == max(STORE_OF):
                members["customer_email"] = email
            order = recorded.numbered(SAMPLE, entity_id, NUMBER, store, **members)
            self.shop.put(order)
            work = FakeWork(event_of(order), self.clock, links=self.links)
            work.before_read = lambda: self.clock.advance(CALL_TIME)
            self.works[entity_id] = work
            draft = map_order(
                order,
                account="WEB",
                products=recorded.products(order),
                selling=recorded.SELLING,
                rules=self.rules,
            )
            # Released under one reference, an order must have the lines of the first.
            self.erp.expected.setdefault(draft.reference, set(draft.by_reference))

    def new_process(self) -> OrderFlow:
        """Return the flow of a process that remembers nothing."""
        stores = frozenset(STORE_OF.values())
        own = own_headers(
            self.erp,
            self.shop,
            self.rules,
            links={"b2b_de": self.links},
            stores=stores,
            forms=FakeForms({"", *self.rules.reference_prefix.values()}),
        )
        return order_flow(self.shop, self.erp, own, self.rules, stores=stores)

    async def attempt(self, entity_id: int) -> None:
        """Try one of them once, as the engine does."""
        try:
            await self.new_process().carry(self.works[entity_id])
            self.done.add(entity_id)
        except HeldError as error:
            self.held.add(entity_id)
            self.told[entity_id] = error.text
        except RetryLaterError as error:
            self.wait(error.after or timedelta(seconds=1))
        except (UpstreamError, ProcessDiedError):
            self.wait(timedelta(seconds=1))

    async def run(self, turns: list[int]) -> None:
        """Let them take turns until each is done or held."""
        for _, entity_id in zip(range(MOST_ATTEMPTS), cycle([*turns, *STORE_OF]), strict=False):
            if entity_id not in self.done | self.held:
                await self.attempt(entity_id)
        assert self.done | self.held == STORE_OF.keys(), "stuck"

    def wait(self, pause: timedelta) -> None:
        self.clock.advance(pause)
        self.erp.let_late_calls_arrive()

    async def tidy(self) -> None:
        """What the hourly sweep does for those that are in the ERP."""
        self.erp.faults = iter(())
        self.wait(timedelta(hours=1))
        for entity_id in self.done:
            self.works[entity_id].event = event_of(self.shop.orders[entity_id], task="tidy")
            await self.new_process().carry(self.works[entity_id])

    def owners(self) -> dict[str, set[int]]:
        """Return whose lines each document of the ERP has."""
        rows = {
            f"{NUMBER}-{row.item_id}": entity_id
            for entity_id, order in self.shop.orders.items()
            for row in order.items
        }
        return {
            number: {
                rows[line["OrderLineReference"]]
                for line in lines
                if line["OrderLineReference"] in rows
            }
            for number, lines in self.erp.order_lines.items()
        }


@settings(max_examples=60, deadline=None)
@given(faults=FAULTS, turns=TURNS, email=ADDRESSES)
@example(faults=[Fault.NONE] * 2 + [Fault.DIES_AFTER], turns=[37, 38], email="same@shop.example")
@example(faults=[Fault.NONE] * 2 + [Fault.DIES_LATE], turns=[38, 37], email="same@shop.example")
@example(faults=[Fault.NONE] * 2 + [Fault.DIES_AFTER], turns=[37, 38], email="other@shop.example")
def test_with_a_prefix_each_is_delivered_once(
    faults: list[Fault], turns: list[int], email: str
) -> None:
    scenario = Scenario(iter(faults), prefix="B-", email=email)

    asyncio.run(scenario.run(turns))
    asyncio.run(scenario.tidy())

    assert scenario.done == STORE_OF.keys()
    assert sorted(map(sorted, scenario.owners().values())) == [[37], [38]]
    assert not any(each["IsSalesProcessingStopped"] for each in scenario.erp.headers.values())
    assert dict(scenario.shop.written).keys() == STORE_OF.keys()


@settings(max_examples=60, deadline=None)
@given(faults=FAULTS, turns=TURNS, email=ADDRESSES)
@example(faults=[Fault.NONE, Fault.DIES_AFTER], turns=[37, 38], email="same@shop.example")
@example(faults=[Fault.NONE, Fault.DIES_LATE], turns=[37, 38], email="other@shop.example")
@example(faults=[], turns=[38], email="same@shop.example")
def test_without_a_prefix_none_is_taken_for_the_other(
    faults: list[Fault], turns: list[int], email: str
) -> None:
    scenario = Scenario(iter(faults), prefix="", email=email)

    asyncio.run(scenario.run(turns))

    assert 38 in scenario.held
    assert all(f"#{entity_id}" in text for entity_id, text in scenario.told.items())
    assert all(owners <= {37} for owners in scenario.owners().values())
    released = [
        number
        for number, header in scenario.erp.headers.items()
        if not header["IsSalesProcessingStopped"]
    ]
    assert len(released) == len(scenario.done)
    assert [entity_id for entity_id, _ in scenario.shop.written] in ([], [37])


def test_without_faults_the_first_is_delivered() -> None:
    scenario = Scenario(repeat(Fault.NONE), prefix="", email="same@shop.example")

    asyncio.run(scenario.run([38, 37]))

    assert (scenario.done, scenario.held) == ({37}, {38})
