"""Whatever fails, and wherever: one released order with all its lines, never two.

Each call of the ERP meets a fault that Hypothesis chose: throttled, lost before or after
it was done, done a minute late, or the process dies around it. Attempts follow, as the
engine makes them, until the order is over. `FakeOrderErp` asserts at every change that
nothing is released twice, or with a line missing or doubled.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import chain, repeat

import hypothesis.strategies as st
from hypothesis import example, given, settings

from pricing_proxy.resilience.errors import UpstreamError
from sync.engine.outcomes import Done, HeldError, RetryLaterError
from sync.orders.flow import OrderFlow
from sync.orders.mapping import map_order
from tests.fakes.order_erp import CALL_TIME, FakeOrderErp, Fault, ProcessDiedError
from tests.fakes.order_flow import order_flow
from tests.fakes.order_shop import FakeShop, FakeWork, event_of
from tests.fakes.references import FakeForms, own_headers
from tests.orders import recorded
from tests.virtual_time import ManualClock

ORDER = recorded.orders()["types_bundle_dynamic_price_ship_together_excl_tax"]
ROUNDING = {"item": "ROUNDING", "limit": "0.05"}
RULES = recorded.rules(guest_account="WEB", rounding=ROUNDING)
ERP_MAX_REQUEST = timedelta(seconds=60)
FAULTS = st.lists(st.sampled_from(Fault), max_size=40)
# In milliseconds; the last ones are around the time after which an empty look-up is believed.
PAUSES = st.lists(
    st.sampled_from([0, 1000, 20_000, 59_500, 59_620, 59_720, 59_820, 61_000]), max_size=40
)
# How the ERP writes references and item numbers down, whatever they were sent as.
SPELLINGS = st.sampled_from([str, str.upper, str.lower])
# What the ERP's total lacks of the shop's.
CENTS = st.sampled_from(["0", "0.01", "-0.02"])
MOST_ATTEMPTS = 200


class Scenario:
    """A shop with one order, an ERP with faults, and an engine that tries again."""

    def __init__(
        self,
        faults: Iterator[Fault],
        pauses: Iterator[int],
        spells: Callable[[str], str] = str,
        *,
        off_by: str = "0",
    ) -> None:
        self.clock = ManualClock()
        self.rules, self.forms = RULES, FakeForms()
        self.erp = FakeOrderErp(self.clock, faults)
        self.erp.tax = ORDER.tax_amount - Decimal(off_by)
        self.shop = FakeShop()
        self.shop.put(ORDER)
        self.work = FakeWork(event_of(ORDER), self.clock, longest={"fo": ERP_MAX_REQUEST})
        self.work.before_read = lambda: self.clock.advance(CALL_TIME)
        self.pauses = pauses
        self.draft = map_order(
            ORDER,
            account="WEB",
            products=recorded.products(ORDER),
            selling=recorded.SELLING,
            rules=RULES,
        )
        self.erp.spells = spells
        closing = [f"{ORDER.increment_id}-rounding"] if Decimal(off_by) else []
        self.references = set(map(spells, [*self.draft.by_reference, *closing]))
        self.erp.expected[ORDER.increment_id] = self.references

    def new_process(self) -> OrderFlow:
        """Return the flow of a process that remembers nothing."""
        own = own_headers(self.erp, self.shop, self.rules, forms=self.forms)
        return order_flow(self.shop, self.erp, own, self.rules, stores={1})

    async def run(self) -> Done:
        for _ in range(MOST_ATTEMPTS):
            try:
                return await self.new_process().carry(self.work)
            except RetryLaterError as error:
                self.wait(error.after or timedelta(seconds=1))
            except (UpstreamError, ProcessDiedError):
                self.wait(timedelta(milliseconds=next(self.pauses, 1000)))
        raise AssertionError("stuck")

    def move_to_customer(self) -> None:
        """Give the order to another account, as when its guest registers or a link is changed."""
        self.shop.put(self.shop.orders[ORDER.entity_id].model_copy(update={"customer_id": 7}))
        self.work.links.keys["customer", "7"] = "C-1001"

    def choose_prefix(self) -> None:
        """Change the configuration."""
        prefix = {"*": "B-"}
        self.rules = recorded.rules(guest_account="WEB", rounding=ROUNDING, reference_prefix=prefix)
        self.forms.prefixes.add("B-")
        self.erp.expected[f"B-{ORDER.increment_id}"] = self.references

    def wait(self, pause: timedelta) -> None:
        self.clock.advance(pause)
        self.erp.let_late_calls_arrive()

    async def tidy(self) -> None:
        """What the hourly sweep does."""
        self.erp.faults = iter(())
        # What a rival creates after this sweep has looked is left to the next one.
        self.erp.rivals = iter(())
        self.wait(timedelta(hours=1))
        self.work.event = event_of(ORDER, task="tidy")
        await self.new_process().carry(self.work)


@settings(max_examples=90, deadline=None)
@given(faults=FAULTS, pauses=PAUSES, spells=SPELLINGS, off_by=CENTS)
@example([Fault.NONE, Fault.LATE], [1000], str, "0")
@example([Fault.NONE, Fault.DIES_LATE], [61_000], str, "0")
@example([Fault.NONE, Fault.NONE, Fault.NONE, Fault.DIES_LATE], [0], str, "0")
@example([Fault.NONE, Fault.LOST_AFTER], [0], str, "0")
@example([Fault.NONE, Fault.NONE, Fault.DIES_LATE], [59_620], str, "0")
@example([Fault.NONE, Fault.NONE, Fault.DIES_LATE], [59_720], str, "0")
@example([Fault.NONE] * 9 + [Fault.LOST_BEFORE], [0], str.upper, "0")
@example([Fault.NONE] * 9 + [Fault.DIES_LATE], [0], str, "0.01")
@example([Fault.NONE] * 9 + [Fault.LOST_AFTER], [0], str.upper, "-0.02")
def test_one_released_order_with_all_lines(
    faults: list[Fault], pauses: list[int], spells: Callable[[str], str], off_by: str
) -> None:
    """The rounding line that a total lacks included."""
    scenario = Scenario(iter(faults), iter(pauses), spells, off_by=off_by)

    asyncio.run(scenario.run())
    asyncio.run(scenario.tidy())

    (number,) = scenario.erp.headers
    assert not scenario.erp.headers[number]["IsSalesProcessingStopped"]
    lines = [line["OrderLineReference"] for line in scenario.erp.order_lines[number]]
    assert sorted(lines) == sorted(scenario.references)
    assert {erp_number for _, erp_number in scenario.shop.written} == {number}


@settings(max_examples=50, deadline=None)
@given(
    rivals=st.lists(st.booleans(), max_size=14),
    faults=st.lists(st.sampled_from(Fault), max_size=14),
)
@example(rivals=[False, False, False, True], faults=[])
@example(rivals=[True], faults=[])
@example(rivals=[False] * 12 + [True], faults=[])
def test_headers_of_others_are_removed_while_they_are_stopped(
    rivals: list[bool], faults: list[Fault]
) -> None:
    """A process that was stopped for a while may wake up and create a second header."""
    scenario = Scenario(iter(faults), repeat(1000))
    scenario.erp.header_values[ORDER.increment_id] = {
        name: value for name, value in scenario.draft.header if value is not None
    }
    scenario.erp.rivals = iter(rivals)

    asyncio.run(scenario.run())
    asyncio.run(scenario.tidy())

    (number,) = scenario.erp.headers
    assert scenario.erp.ever_released == {ORDER.increment_id: {number}}


@settings(max_examples=90, deadline=None)
@given(faults=FAULTS, moved_at=st.integers(0, 4), chosen_at=st.integers(0, 4))
@example(faults=[Fault.NONE] * 9 + [Fault.DIES_AFTER], moved_at=1, chosen_at=1)
@example(faults=[Fault.NONE] * 4 + [Fault.DIES_AFTER], moved_at=1, chosen_at=2)
@example(faults=[Fault.NONE, Fault.DIES_LATE], moved_at=1, chosen_at=1)
def test_an_account_or_prefix_that_changes_meanwhile_doubles_nothing(
    faults: list[Fault], moved_at: int, chosen_at: int
) -> None:
    """It may hold the order; but whatever its reference, one document of it is released."""
    scenario = Scenario(iter(faults), repeat(1000))

    async def run() -> None:
        for attempt in range(MOST_ATTEMPTS):
            if attempt == moved_at:
                scenario.move_to_customer()
            if attempt == chosen_at:
                scenario.choose_prefix()
            try:
                await scenario.new_process().carry(scenario.work)
            except HeldError:
                if attempt > max(moved_at, chosen_at):
                    return
                scenario.wait(timedelta(seconds=1))
            except RetryLaterError as error:
                scenario.wait(error.after or timedelta(seconds=1))
            except (UpstreamError, ProcessDiedError):
                scenario.wait(timedelta(seconds=1))
            else:
                return
        raise AssertionError("stuck")

    asyncio.run(run())

    released = scenario.erp.ever_released.values()
    assert len(set().union(*released)) <= 1


@settings(max_examples=60, deadline=None)
@given(
    fault=st.sampled_from(Fault),
    calls=st.integers(0, 14),
    pause=st.sampled_from([0, 20_000, 59_720, 61_000]),
)
def test_a_fault_at_every_single_call(fault: Fault, calls: int, pause: int) -> None:
    faults = chain(repeat(Fault.NONE, calls), [fault])
    scenario = Scenario(iter(faults), repeat(pause))

    asyncio.run(scenario.run())
    asyncio.run(scenario.tidy())

    assert len(scenario.erp.headers) == 1


def test_without_faults_each_write_is_sent_once() -> None:
    scenario = Scenario(iter(()), iter(()))

    done = asyncio.run(scenario.run())

    assert done.note.startswith("is in the ERP as SO-000001")
    assert dict(scenario.erp.calls) == {
        "find": 2,
        "create_header": 1,
        "lines": 1,
        "add_line": len(scenario.references),
        "totals": 1,
        "release": 1,
    }
    assert scenario.work.open_entries == []
