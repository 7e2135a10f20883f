"""How far an order came: comments and statuses of the shop's order, each step told once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from sync.order_status.rules import Notice, OrderStatusRules, ShipDateNotice
from sync.store.states import EventState
from tests.fakes.fulfilment_world import Fault, FulfilmentWorld, Sold

D = Decimal
RULES = OrderStatusRules(
    progress={
        "Confirmed": Notice(comment="Ihre Bestellung ist bestätigt.", is_visible=True),
        "Picked": Notice(comment="Ihre Bestellung wird gepackt.", status="fraud"),
    },
    ship_date=ShipDateNotice(comment="Versand am {date}.", is_visible=True, date_format="%d.%m.%Y"),
)


async def sold_in(world: FulfilmentWorld, *lines: tuple[str, int]) -> Sold:
    """Sell something after the flow's first look, and pay it."""
    await world.step()
    world.clock.advance(timedelta(minutes=6))
    sold = world.sell(*(lines or (("LAMP-01", 5),)))
    await world.step()
    return sold


def told(world: FulfilmentWorld, sold: Sold) -> list[tuple[str, int]]:
    """Return comments without their marks, the oldest first, and who sees them."""
    entries = world.shop.order(sold.order)["status_histories"][::-1]
    return [(each["comment"].rsplit(" [", 1)[0], each["is_visible_on_front"]) for each in entries]


async def test_steps_are_told_once_each_and_again_when_they_happen_again() -> None:
    world = FulfilmentWorld(rules=RULES)
    sold = await sold_in(world)
    for members in (
        {
            "SalesOrderProcessingStatus": "Confirmed",
            "ConfirmedShippingDate": "2026-12-04T12:00:00Z",
        },
        {"ConfirmedShippingDate": "2026-12-11T12:00:00Z"},
        {"ConfirmedShippingDate": "2026-12-04T12:00:00Z"},
    ):
        world.erp.move(sold.erp_number, **members)
        await world.settle(3)
        world.new_process()
        await world.settle(3)
    assert told(world, sold) == [
        ("Ihre Bestellung ist bestätigt.", 1),
        ("Versand am 04.12.2026.", 1),
        ("Versand am 11.12.2026.", 1),
        ("Versand am 04.12.2026.", 1),
    ]
    assert all(event.state is EventState.DONE for event in world.events(sold))


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("calls", [3, 5, 6, 7])
async def test_a_comment_is_written_once_whatever_becomes_of_its_call(
    fault: Fault, calls: int
) -> None:
    world = FulfilmentWorld(rules=RULES)
    sold = await sold_in(world)
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Confirmed")
    world.faults = iter([*[Fault.NONE] * calls, fault])
    await world.step()
    await world.settle(10)
    assert told(world, sold) == [("Ihre Bestellung ist bestätigt.", 1)]


async def test_a_status_is_given_within_its_state_and_only_while_the_erp_says_so() -> None:
    world = FulfilmentWorld(rules=RULES)
    sold, late = await sold_in(world), world.sell(("LAMP-01", 1))
    for each in (sold, late):
        world.act("invoice", each.order)
        world.erp.move(each.erp_number, SalesOrderProcessingStatus="Picked")
    world.act("hold", late.order)
    await world.settle(3)
    assert world.shop.order(sold.order)["status"] == "fraud"
    assert told(world, late) == []
    # By the time that its hold is taken off, it is delivered.
    world.erp.move(late.erp_number, SalesOrderProcessingStatus="Delivered")
    world.act("unhold", late.order)
    await world.settle(10)
    assert told(world, late) == [("Ihre Bestellung wird gepackt.", 0)]
    assert world.shop.order(late.order)["status"] == "processing"


@pytest.mark.parametrize("is_translated", [False, True])
async def test_a_status_of_another_state_is_left_out_and_an_alert(*, is_translated: bool) -> None:
    world = FulfilmentWorld(rules=RULES)
    world.is_translated = is_translated
    sold = await sold_in(world)
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Picked")
    await world.settle(3)
    [event] = world.events(sold)
    assert event.state is EventState.DONE
    assert event.caution is not None
    assert "progress.Picked" in event.caution.advice
    assert told(world, sold) == [("Ihre Bestellung wird gepackt.", 0)]
    assert world.shop.order(sold.order)["status"] == "pending"


async def test_a_status_never_seen_is_held_with_its_entry_and_keeps_no_slip_waiting() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="AtTheDocks")
    await world.settle(3)
    [event] = world.events(sold)
    assert event.state.value == "held"
    assert '"AtTheDocks"' in event.reason
    world.erp.post("PS-1", {next(iter(sold.lots)): D(2)})
    await world.settle(3)
    assert list(world.shipped(sold).values()) == [2]
    world.rules = OrderStatusRules(progress={"AtTheDocks": Notice()})
    world.new_process()
    event.replay()
    await world.settle(3)
    assert event.state.value == "done"
    assert told(world, sold) == []


async def test_what_was_so_before_the_first_look_is_no_news_and_what_moves_later_is() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Confirmed")
    await world.settle(3)
    assert not world.events(sold)
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Picked")
    await world.settle(3)
    assert told(world, sold) == [("Picking has started.", 0)]


async def test_nothing_is_told_before_the_flow_is_to_begin() -> None:
    world = FulfilmentWorld()
    world.marks.kept["order_status.b2b_de.begins"] = f"{world.clock.utc() + timedelta(hours=1)}"
    sold = await sold_in(world)
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Confirmed")
    await world.settle(20)
    assert not world.events(sold)
    await world.settle(60)
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Picked")
    # By now it is looked at every five minutes.
    await world.settle(6)
    assert told(world, sold) == [("Picking has started.", 0)]


async def test_what_papers_tell_is_no_comment() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    for status in ("PartiallyDelivered", "Delivered", "Invoiced"):
        world.erp.move(sold.erp_number, SalesOrderProcessingStatus=status)
        await world.settle(2)
    assert not world.events(sold)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"OrderedSalesQuantity": "3"}, "3"),
        ({"SalesOrderLineStatus": "Canceled"}, "0"),
        ({"SalesOrderLineStatus": "Delivered"}, ""),
    ],
)
async def test_a_line_that_was_changed_in_the_erp_is_told_and_held(
    change: dict[str, Any], found: str
) -> None:
    world = FulfilmentWorld()
    world.erp.tells_changes = True
    sold = await sold_in(world, ("LAMP-01", 5), ("LAMP-02", 1))
    world.erp.change_line(next(iter(sold.lots)), **change)
    await world.settle(3)
    row = next(iter(sold.lots.values()))
    if not found:
        assert not world.events(sold)
        return
    [event] = world.events(sold)
    assert event.state is EventState.HELD
    assert told(world, sold) == [
        (f"Lines of the order were changed in the ERP: row {row}: {found} of 5", 0)
    ]


async def test_a_line_that_was_cancelled_in_the_shop_first_is_fine() -> None:
    """The order flow takes it off the ERP's line, which looks like a change made there."""
    world = FulfilmentWorld()
    world.erp.tells_changes = True
    sold = await sold_in(world, ("LAMP-01", 5), ("LAMP-02", 1))
    lot, row = next(iter(sold.lots.items()))
    items = {each["item_id"]: each for each in world.shop.order(sold.order)["items"]}
    items[row]["qty_canceled"] = D(2)
    world.erp.change_line(lot, OrderedSalesQuantity="3")
    await world.settle(3)
    [event] = world.events(sold)
    assert event.state is EventState.DONE
    assert told(world, sold) == []


async def test_a_line_that_was_split_in_the_erp_is_the_same() -> None:
    world = FulfilmentWorld()
    world.erp.tells_changes = True
    sold = await sold_in(world)
    lot, _ = next(iter(sold.lots.items()))
    [line] = [each for each in world.erp.lines if each["InventoryLotId"] == lot]
    world.erp.line(sold.erp_number, line["OrderLineReference"], quantity=D(2))
    world.erp.change_line(lot, OrderedSalesQuantity="3")
    await world.settle(3)
    [event] = world.events(sold)
    assert event.state is EventState.DONE
    assert told(world, sold) == []


async def test_a_line_that_is_closed_short_is_told_until_the_shop_has_the_same() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world, ("LAMP-01", 5), ("SERVICE-01", 1))
    lot, row = next(iter(sold.lots.items()))
    world.erp.post("PS-1", {lot: D(3)})
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="PartiallyDelivered")
    await world.settle(3)
    # A service is over without a slip.
    for each in sold.lots:
        world.erp.change_line(each, SalesOrderLineStatus="Delivered")
    delivered = {"SalesOrderStatus": "Delivered", "SalesOrderProcessingStatus": "Delivered"}
    world.erp.move(sold.erp_number, **delivered)
    await world.settle(3)
    _, event = world.events(sold)
    assert event.state.value == "held"
    assert told(world, sold) == [
        (f"Lines of the order were changed in the ERP: row {row}: 3 of 5", 0)
    ]
    items = {each["item_id"]: each for each in world.shop.order(sold.order)["items"]}
    items[row]["qty_canceled"] = D(2)
    event.replay()
    await world.settle(3)
    assert event.state.value == "done"
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Invoiced")
    await world.settle(3)
    assert len(world.events(sold)) == 2
