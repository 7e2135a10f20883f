"""What the ERP delivered more than an hour ago is in the shop, or told with the event at fault."""

from datetime import timedelta
from decimal import Decimal

from sync.order_status.comparing import delivery_comparison
from sync.papers.watched_market import WatchedMarket
from sync.reconciliation.causes import Cause
from sync.reconciliation.comparing import DriftReport, compared
from sync.store.states import EventState
from tests.fakes.document_events import FakeDocumentEvents
from tests.fakes.fulfilment_world import MARKET, FulfilmentWorld, Sold
from tests.fakes.slip_erp import COMPANY


class Delivered:
    """An order that the ERP has delivered."""

    def __init__(self) -> None:
        self.world = FulfilmentWorld()
        self.sold: Sold | None = None

    async def deliver(self, *, is_carried: bool) -> None:
        """Post its slip, and have it carried or not."""
        await self.world.step()
        sold = self.sold = self.world.sell(("LAMP-01", 3))
        await self.world.step()
        self.world.erp.post("PS-1", {next(iter(sold.lots)): Decimal(3)})
        if is_carried:
            await self.world.settle(5)

    async def report(self) -> DriftReport:
        """Compare."""
        world, events = self.world, FakeDocumentEvents()
        assert self.sold is not None
        for entered in world.events(self.sold):
            events.put(self.sold.order, entered.state, entered.event.source_key)
        comparison = delivery_comparison(
            WatchedMarket(flow="order_status", code=MARKET, company=COMPANY),
            erp=world.erp,
            watch=world.watch,
            events=events,
            marks=world.marks,
            clock=world.clock,
        )
        return await compared(comparison, clock=world.clock)


async def test_a_carried_slip_and_one_of_this_hour_are_not_told_of() -> None:
    delivered = Delivered()
    await delivered.deliver(is_carried=False)
    assert (await delivered.report()).compared == 0
    await delivered.world.settle(70)
    report = await delivered.report()
    assert (report.compared, report.found) == (1, [])


async def test_a_slip_that_nobody_entered_is_told_without_a_cause() -> None:
    delivered = Delivered()
    await delivered.deliver(is_carried=False)
    delivered.world.clock.advance(timedelta(hours=2))
    [found] = (await delivered.report()).found
    assert found.names == [Cause.UNEXPLAINED]
    assert not found.is_fixed
    assert found.field.startswith("slip demf/SO-1/PS-1/")


async def test_a_slip_whose_event_is_held_is_told_with_the_event() -> None:
    delivered = Delivered()
    await delivered.deliver(is_carried=True)
    assert delivered.sold is not None
    [entered] = delivered.world.events(delivered.sold)
    entered.state = EventState.HELD
    delivered.world.clock.advance(timedelta(hours=2))
    [found] = (await delivered.report()).found
    assert found.names == [Cause.NOT_POSTED]
    assert "is held" in found.causes[0].text
    assert found.is_fixed
