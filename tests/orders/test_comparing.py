"""Each order of the last day is in the ERP once, or a record that somebody sees; else told of."""

from datetime import timedelta
from typing import Any

from sync.orders.comparing import ComparedMarket, OrderComparison
from sync.reconciliation.causes import Cause
from sync.reconciliation.comparing import compared
from sync.reconciliation.healing import treat
from sync.sales.references import References
from sync.store.order_writes import ORDER_LINK
from sync.store.states import EventState
from tests.fakes.document_events import FakeDocumentEvents
from tests.fakes.order_erp import FakeOrderErp
from tests.fakes.order_flow import starts
from tests.fakes.order_shop import FakeLinks, FakeShop
from tests.fakes.references import COMPANY, MARKET, FakeForms, nothing
from tests.orders import recorded
from tests.virtual_time import ManualClock

SAMPLE = recorded.orders()["tax_excl_row__mixed_rates"]


class World:
    """A shop and an ERP that are alike, until a test does something to either."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.shop, self.events = FakeShop(), FakeDocumentEvents()
        self.erp = FakeOrderErp(self.clock, iter(()))
        self.links, self.others = FakeLinks(), FakeLinks()
        start = self.clock.utc() - timedelta(days=30)
        self.rules = recorded.rules(start_at=start.isoformat())
        self.forms = FakeForms()

    def place(self, number: int, **members: Any) -> str:
        """Place an order an hour ago; return its number."""
        at = self.clock.utc() - timedelta(hours=1)
        placed = {
            "entity_id": number,
            "increment_id": f"{number:09d}",
            "created_at": at,
            "updated_at": at,
            "state": "new",
            **members,
        }
        self.shop.put(SAMPLE.model_copy(update=placed))
        return f"{number:09d}"

    def deliver(self, number: int, **members: Any) -> str:
        """Place an order and have it in the ERP; return its number there."""
        self.place(number)
        erp = self.erp.put_header(f"{number:09d}", IsSalesProcessingStopped=False, **members)
        self.links.keys[ORDER_LINK, str(number)] = erp
        self.events.put(number, EventState.DONE)
        return erp

    async def told(self) -> list[tuple[str, str, str, bool]]:
        """Return what is told of which order, with what becomes of it."""
        comparison = OrderComparison(
            ComparedMarket(
                code=MARKET,
                company=COMPANY,
                stores=[1],
                rules=self.rules,
                links=self.links,
                others=[self.others],
                references=References(MARKET, prefixes={1: ""}, forms=self.forms, find=nothing),
            ),
            shop=self.shop,
            erp=self.erp,
            starts=starts(self.shop, self.rules),
            events=self.events,
            clock=self.clock,
        )
        report = await compared(comparison, clock=self.clock)
        done = treat(report, by_hand="d365-sync status", is_plan=False)
        assert done.report.is_significant is bool(report.found)
        assert all(each.names == [Cause.UNEXPLAINED] for each in report.found)
        self.healed = [comparison.ids[key] for key in done.healed]
        return [
            (each.key, each.field, each.action.partition(" ")[0], each.key in done.healed)
            for each in done.report.found
        ]


async def test_orders_that_are_there_once_or_seen_are_not_told_of() -> None:
    world = World()
    world.deliver(1)
    for number, state in enumerate((EventState.HELD, EventState.WORKING, EventState.SKIPPED), 2):
        world.place(number)
        world.events.put(number, state)
    world.place(5, state="canceled")
    world.place(6, state="holded")
    world.place(7, created_at=world.clock.utc() - timedelta(days=60))
    world.place(8, updated_at=world.clock.utc() - timedelta(minutes=1))
    world.place(9, store_id=2)
    assert await world.told() == []


async def test_an_order_that_nobody_knows_of_is_told_and_entered() -> None:
    world = World()
    number = world.place(1)
    assert await world.told() == [(number, "not in the ERP", "it", True)]
    assert world.healed == [1]


async def test_an_order_that_is_there_twice_is_for_a_person() -> None:
    world = World()
    world.deliver(1)
    world.erp.put_header("000000001", IsSalesProcessingStopped=False)
    assert await world.told() == [("000000001", "in the ERP twice", "cancel", False)]


async def test_another_markets_order_of_the_same_reference_is_none_of_it() -> None:
    world = World()
    world.deliver(1)
    other = world.erp.put_header("000000001", IsSalesProcessingStopped=False)
    world.others.keys[ORDER_LINK, "77"] = other
    assert await world.told() == []


async def test_an_order_that_was_deleted_or_stopped_in_the_erp_is_told() -> None:
    world = World()
    del world.erp.headers[world.deliver(1)]
    world.erp.headers[world.deliver(2)]["IsSalesProcessingStopped"] = True
    assert await world.told() == [
        ("000000001", "gone from the ERP", "was", False),
        ("000000002", "stopped in the ERP", "release", False),
    ]


async def test_an_order_is_found_by_its_number_where_its_reference_was_changed() -> None:
    world = World()
    world.erp.headers[world.deliver(1)]["CustomersOrderReference"] = "PO-4711"
    assert await world.told() == []
