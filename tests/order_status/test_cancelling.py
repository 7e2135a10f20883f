"""Orders that the ERP cancelled, and those that the shop did: once, and never too early."""

from decimal import Decimal

import pytest

from sync.store.states import EventState
from tests.fakes.fulfilment_world import Fault, FulfilmentWorld, Sold
from tests.order_status.test_steps import sold_in, told

D = Decimal
SOON = "It is to be cancelled here as soon as every shipped piece is invoiced."
TO_CANCEL = (f"The ERP cancelled the order. {SOON}", 0)
CANCELLED = ("The order is cancelled.", 0)


def cancel_in_erp(world: FulfilmentWorld, sold: Sold) -> None:
    told = {"SalesOrderStatus": "Canceled", "SalesOrderProcessingStatus": "Canceled"}
    world.erp.move(sold.erp_number, **told)
    for lot in sold.lots:
        world.erp.change_line(lot, SalesOrderLineStatus="Canceled")


def state(world: FulfilmentWorld, sold: Sold) -> str:
    return str(world.shop.order(sold.order)["state"])


async def test_an_order_that_the_erp_cancelled_is_cancelled_and_its_stock_looked_at() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    cancel_in_erp(world, sold)
    await world.settle(3)
    assert state(world, sold) == "canceled"
    assert told(world, sold) == [CANCELLED]
    assert world.wanted == ["lamp-01"]
    assert all(event.state is EventState.DONE for event in world.events(sold))
    # It comes back to orders as a cancellation, and they know whose it is.
    link = world.engine.company.of_market("b2b_de")
    assert await link.erp_key("cancelled in the ERP", str(sold.order)) == sold.erp_number


async def test_a_cancellation_that_came_from_the_shop_is_nothing_to_do() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    world.act("cancel", sold.order)
    cancel_in_erp(world, sold)
    await world.settle(3)
    assert world.events(sold)[0].reason == "is cancelled on both sides"
    assert told(world, sold) == []
    assert not world.wanted


async def test_an_order_with_a_shipped_piece_waits_for_its_invoice() -> None:
    """Cancelled before, the shop would refuse that invoice for ever."""
    world = FulfilmentWorld()
    sold = await sold_in(world)
    row = next(iter(sold.lots.values()))
    two = {"items": [{"order_item_id": row, "qty": 2}]}
    world.act("ship", sold.order, two)
    cancel_in_erp(world, sold)
    await world.settle(40)
    assert told(world, sold) == [TO_CANCEL]
    assert state(world, sold) == "processing"
    assert world.events(sold)[0].state is EventState.WAITING
    world.act("invoice", sold.order, two)
    await world.settle(20)
    assert told(world, sold) == [TO_CANCEL, CANCELLED]
    [item] = world.shop.order(sold.order)["items"]
    assert item["qty_canceled"] == 3


async def test_a_paid_remainder_is_held_until_it_is_refunded() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    row = next(iter(sold.lots.values()))
    world.act("invoice", sold.order, {"items": [{"order_item_id": row, "qty": 2}]})
    cancel_in_erp(world, sold)
    await world.settle(3)
    event = world.events(sold)[0]
    assert event.state.value == "held"
    assert "paid" in event.reason
    assert told(world, sold) == []
    refund = {"items": [{"order_item_id": row, "qty": 2}], "arguments": {"shipping_amount": 0}}
    world.act("refund", sold.order, refund)
    event.replay()
    await world.settle(3)
    assert event.state.value == "done"
    # Before it stands what the shop says of its refund.
    assert told(world, sold)[1:] == [CANCELLED]


async def test_an_order_on_hold_waits_and_is_never_taken_off() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    world.act("hold", sold.order)
    cancel_in_erp(world, sold)
    await world.settle(60)
    assert state(world, sold) == "holded"
    assert world.events(sold)[0].state is EventState.WAITING
    world.act("unhold", sold.order)
    await world.settle(10)
    assert state(world, sold) == "canceled"


async def test_a_hold_a_moment_before_makes_it_false_and_that_is_not_done() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    world.at["cancel"] = lambda: world.act("hold", sold.order)
    cancel_in_erp(world, sold)
    await world.settle(3)
    event = world.events(sold)[0]
    assert event.state is EventState.HELD
    assert "answered false" in event.reason


async def test_an_order_that_goes_on_after_all_is_left() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    world.act("hold", sold.order)
    cancel_in_erp(world, sold)
    await world.settle(3)
    open_again = {"SalesOrderStatus": "Backorder", "SalesOrderProcessingStatus": "Active"}
    world.erp.move(sold.erp_number, **open_again)
    world.act("unhold", sold.order)
    await world.settle(10)
    assert state(world, sold) == "new"
    assert world.events(sold)[0].reason == "the ERP goes on with it"


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("calls", [5, 6, 7, 9])
async def test_an_order_is_cancelled_and_told_once_whatever_becomes_of_a_call(
    fault: Fault, calls: int
) -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    cancel_in_erp(world, sold)
    world.faults = iter([*[Fault.NONE] * calls, fault])
    await world.step()
    await world.settle(10)
    assert state(world, sold) == "canceled"
    assert told(world, sold) == [CANCELLED]


@pytest.mark.parametrize("sku", ["LAMP-SET", "LAMP-KIT", "LAMP-SET-SEPARATE", "SERVICE-01"])
async def test_every_kind_of_row_is_cancelled_in_full(sku: str) -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world, (sku, 2))
    cancel_in_erp(world, sold)
    await world.settle(3)
    assert state(world, sold) == "canceled"
    assert all(event.state is EventState.DONE for event in world.events(sold))
