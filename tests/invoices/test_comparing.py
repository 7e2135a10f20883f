"""What the ERP billed more than an hour ago is in the shop, or told with the event at fault."""

from datetime import timedelta

import pytest

from sync.invoices.comparing import bill_comparison
from sync.reconciliation.causes import Cause
from sync.reconciliation.comparing import DriftReport, compared
from sync.store.states import EventState
from tests.fakes.billing_world import Billed, BillingWorld
from tests.fakes.document_events import FakeDocumentEvents


async def report(world: BillingWorld, billed: Billed) -> DriftReport:
    events = FakeDocumentEvents()
    for entered in world.of(billed):
        events.put(billed.order, entered.state, entered.event.source_key)
    comparison = bill_comparison(
        world.its, finder=world.finder, events=events, marks=world.marks, clock=world.clock
    )
    return await compared(comparison, clock=world.clock)


@pytest.fixture
async def billed() -> tuple[BillingWorld, Billed]:
    """Return an order that was billed and credited, and nothing carried."""
    world = BillingWorld()
    await world.step()
    billed = world.order_of(("LAMP-01", 3))
    await world.step()
    world.bill("CIV-1", billed, 3, freight=True)
    world.give_back("CN-1", billed, {next(iter(billed.lots)): 1})
    return world, billed


async def test_carried_bills_and_those_of_this_hour_are_not_told_of(
    billed: tuple[BillingWorld, Billed],
) -> None:
    world, order = billed
    assert (await report(world, order)).compared == 0
    await world.settle(70)
    told = await report(world, order)
    assert (told.compared, told.found) == (2, [])


async def test_a_bill_that_nobody_entered_is_told_without_a_cause(
    billed: tuple[BillingWorld, Billed],
) -> None:
    world, order = billed
    world.clock.advance(timedelta(hours=2))
    told = await report(world, order)
    assert [each.names for each in told.found] == [[Cause.UNEXPLAINED]] * 2
    assert [each.field.split("/")[:2] for each in told.found] == [
        ["credit note demf", "CN-1"],
        ["invoice demf", "CIV-1"],
    ]
    await world.source.look_again([each.key for each in told.found])
    assert len(world.of(order)) == 2


async def test_a_bill_whose_event_is_held_is_told_with_the_event(
    billed: tuple[BillingWorld, Billed],
) -> None:
    world, order = billed
    await world.settle(70)
    world.of(order)[0].state = EventState.HELD
    [found] = (await report(world, order)).found
    assert found.names == [Cause.NOT_POSTED]
    assert found.is_fixed
