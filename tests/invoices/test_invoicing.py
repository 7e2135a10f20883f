"""What an invoice of the ERP becomes in the shop, whatever the shop and people did meanwhile."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sync.invoices.invoicing import CAPTURE_AGAIN
from sync.store.states import EventState
from tests.fakes.billing_world import Billed, BillingWorld
from tests.fakes.fulfilment_world import VARIANT, Fault

D = Decimal


def lot(billed: Billed, row: int = 0) -> str:
    return list(billed.lots)[row]


async def test_two_invoices_of_one_order_arrive_once_each() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 5), ("LAMP-02", 2))
    await world.step()
    world.bill("CIV-1", billed, 2, 2, freight=True)
    await world.settle(3)
    world.bill("CIV-2", billed, 3)
    await world.settle(30)

    first, second = world.billing.all_invoices(billed.order)
    day = f"{world.clock.utc():%Y-%m-%d}"
    assert [each.comment for each in first.comments] == [f"demf/CIV-1/{day}/SO-1"]
    assert [each.comment for each in second.comments] == [f"demf/CIV-2/{day}/SO-1"]
    assert list(world.invoiced(billed).values()) == [5, 2]
    assert [(each.state, each.caution) for each in world.of(billed)] == [
        (EventState.DONE, None)
    ] * 2
    links = world.engine.company.of_market("b2b_de")
    assert await links.erp_key("invoice", str(first.entity_id)) == f"demf/CIV-1/{day}/SO-1"


async def test_an_invoice_over_two_orders_invoices_each_line_in_its_own() -> None:
    world = BillingWorld()
    one, other = world.order_of(("LAMP-01", 2)), world.order_of(("LAMP-01", 3))
    await world.step()
    world.bills.invoice("CIV-1", {lot(one): D(2), lot(other): D(3)})
    await world.settle(3)
    assert list(world.invoiced(one).values()) == [2]
    assert list(world.invoiced(other).values()) == [3]


async def test_every_kind_of_row_is_invoiced_by_the_row_that_carries_its_value() -> None:
    world = BillingWorld()
    billed = world.order_of((VARIANT, 2), ("LAMP-SET", 1), ("LAMP-KIT", 2), ("SERVICE-01", 1))
    await world.step()
    rows = {row["item_id"]: row for row in world.shop.order(billed.order)["items"]}
    quantities = {each: rows[row]["qty_ordered"] for each, row in billed.lots.items()}
    world.bills.invoice("CIV-1", quantities | {billed.freight: D(1)})
    await world.settle(3)
    [event] = world.of(billed)
    assert (event.state, event.caution) == (EventState.DONE, None), event.reason
    assert all(
        rows[row]["qty_invoiced"] == rows[row]["qty_ordered"] for row in billed.lots.values()
    )
    assert world.shop.order(billed.order)["total_due"] == 0


async def test_a_bundle_that_the_erp_has_in_parts_is_invoiced_with_its_last_part() -> None:
    world = BillingWorld(bundle="parts")
    billed = world.order_of(("LAMP-KIT", 2))
    await world.step()
    rows = {row["item_id"]: row for row in world.shop.order(billed.order)["items"]}
    quantities = {each: rows[row]["qty_ordered"] for each, row in billed.lots.items()}
    first, *others = quantities
    world.bills.invoice("CIV-1", {first: quantities[first]})
    await world.settle(3)
    assert not world.invoiced(billed)
    world.bills.invoice("CIV-2", {each: quantities[each] for each in others})
    await world.settle(3)
    [bundle] = [row for row in rows.values() if "parent_item_id" not in row]
    assert bundle["qty_invoiced"] == 2
    assert len(world.billing.all_invoices(billed.order)) == 1


async def test_without_lots_slips_tell_whose_lines_an_invoice_bills() -> None:
    world = BillingWorld()
    world.bills.tells_lots = False
    one, other = world.order_of(("LAMP-01", 2)), world.order_of(("LAMP-01", 3))
    await world.step()
    world.bills.invoice("CIV-1", {lot(one): D(2), lot(other): D(3)})
    await world.settle(5)
    assert list(world.invoiced(one).values()) == [2]
    assert list(world.invoiced(other).values()) == [3]


async def test_without_any_link_an_invoice_over_several_orders_is_held() -> None:
    world = BillingWorld()
    world.bills.tells_lots = world.bills.tells_slips = False
    orders = [world.order_of(("LAMP-01", 2)) for _ in range(3)]
    alone = world.order_of(("LAMP-01", 2), ("LAMP-02", 1))
    await world.step()
    world.bills.invoice("CIV-1", {lot(each): D(1) for each in orders})
    world.bill("CIV-2", alone, 1, 1)
    await world.settle(5)
    [event] = world.of(orders[0])
    assert event.state is EventState.HELD
    assert "may be over several orders" in event.reason
    assert list(world.invoiced(alone).values()) == [1, 1]


async def test_more_than_is_left_invoices_what_is_left_and_is_told() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2), ("LAMP-02", 1))
    await world.step()
    world.bill("CIV-1", billed, 3, 1)
    await world.settle(3)
    assert list(world.invoiced(billed).values()) == [2, 1]
    [event] = world.of(billed)
    assert event.caution is not None
    assert event.caution.diff[0] == (f"row {billed.lots[lot(billed)]}", "3", "2")


async def test_a_lot_that_the_shop_does_not_know_stops_no_other_line() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    added = world.bills.sell("SO-1", "", item="X", quantity=D(1), net=D(5), tax=D(0))
    world.bills.invoice("CIV-1", {lot(billed): D(2), added: D(1)})
    await world.settle(3)
    assert list(world.invoiced(billed).values()) == [2]
    [event] = world.of(billed)
    assert event.caution is not None
    assert added in event.caution.text
    world.bills.invoice("CIV-2", {added: D(1)})
    await world.settle(3)
    assert world.of(billed)[-1].state is EventState.HELD


async def test_a_price_changed_in_the_erp_is_told_by_line() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    world.bill("CIV-1", billed, 1)
    world.bills.billed[0]["LineAmount"] = type(world.bills.billed[0]["LineAmount"])("1.00")
    await world.settle(3)
    [event] = world.of(billed)
    assert event.state is EventState.DONE
    assert event.caution is not None
    [(name, expected, _)] = event.caution.diff
    assert (name, expected) == (f"row {billed.lots[lot(billed)]} net", "1.00")


async def test_freight_and_total_are_compared_once_by_the_last_invoice() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    world.bills.lines[billed.freight] = replace(world.bills.lines[billed.freight], net=D("7.00"))
    world.bill("CIV-1", billed, 1)
    world.bill("CIV-2", billed, 1)
    await world.settle(3)
    assert [each.caution for each in world.of(billed)] == [None, None]
    # The carrier's bill comes later, and is none that the shop has an invoice for.
    world.bills.invoice("CIV-3", {billed.freight: D(1)})
    await world.settle(3)
    *_, last = world.of(billed)
    assert last.caution is not None
    assert [name for name, *_ in last.caution.diff] == ["freight net", "total"]
    assert len(world.billing.all_invoices(billed.order)) == 2


async def test_an_order_on_hold_waits_and_is_invoiced_when_it_goes_on() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    world.act("hold", billed.order)
    await world.step()
    world.bill("CIV-1", billed, 2)
    await world.settle(180)
    [event] = world.of(billed)
    assert event.state is EventState.WAITING
    world.act("unhold", billed.order)
    await world.settle(10)
    assert list(world.invoiced(billed).values()) == [2]


async def test_what_is_billed_of_a_cancelled_order_is_a_persons_affair() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    world.act("cancel", billed.order)
    await world.step()
    world.bill("CIV-1", billed, 2)
    await world.settle(3)
    [event] = world.of(billed)
    assert event.state is EventState.HELD
    assert "canceled in the shop" in event.reason


async def test_an_invoice_by_hand_with_equal_lines_is_taken_for_the_bills() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 5))
    await world.step()
    item = billed.lots[lot(billed)]
    world.act("invoice", billed.order, {"items": [{"order_item_id": item, "qty": 3}]})
    world.bill("CIV-1", billed, 3)
    await world.settle(3)
    assert world.invoiced(billed) == {item: D(3)}
    # The same quantity once more is another bill.
    world.bill("CIV-2", billed, 2)
    await world.settle(3)
    assert world.invoiced(billed) == {item: D(5)}


async def test_what_a_gateway_invoiced_at_once_is_not_invoiced_again() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 5))
    world.act("invoice", billed.order)
    await world.step()
    world.bill("CIV-1", billed, 2)
    world.bill("CIV-2", billed, 3, freight=True)
    await world.settle(3)
    assert len(world.billing.all_invoices(billed.order)) == 1
    assert [(e.state, e.caution) for e in world.of(billed)] == [(EventState.DONE, None)] * 2


@pytest.mark.parametrize(
    ("rules", "state", "captured", "made"),
    [
        ({}, EventState.HELD, 0, 0),
        ({"offline_gateways": True}, EventState.DONE, 0, 1),
        ({"mode": "online"}, EventState.DONE, 1, 1),
        ({"payments": {"braintree": "online"}}, EventState.DONE, 1, 1),
        ({"mode": "online", "payments": {"braintree": "no_invoice"}}, EventState.DONE, 0, 0),
    ],
)
async def test_how_an_order_was_paid_says_what_becomes_of_an_invoice(
    rules: dict[str, Any], state: EventState, captured: int, made: int
) -> None:
    world = BillingWorld(**rules)
    billed = world.order_of(("LAMP-01", 2), payment_method="braintree")
    await world.step()
    world.bill("CIV-1", billed, 2)
    await world.settle(3)
    [event] = world.of(billed)
    assert event.state is state, event.reason
    assert world.billing.captured == captured
    assert len(world.billing.all_invoices(billed.order)) == made


async def test_a_capture_of_unclear_end_is_never_repeated_but_by_a_person() -> None:
    world = BillingWorld(mode="online")
    billed = world.order_of(("LAMP-01", 2), payment_method="braintree")
    await world.step()
    world.bill("CIV-1", billed, 2)
    world.at["invoice"] = lambda: setattr(world, "faults", iter([Fault.LOST_BEFORE]))
    await world.settle(60)
    [event] = world.of(billed)
    assert event.state is EventState.HELD
    assert "the gateway may have taken it" in event.reason
    event.replay()
    await world.settle(3)
    assert event.state is EventState.HELD
    assert world.billing.captured == 0
    event.replay(**{CAPTURE_AGAIN: True})
    await world.settle(3)
    assert [each.state for each in world.of(billed)] == [EventState.DONE]
    assert world.billing.captured == 1


async def test_a_capture_whose_answer_was_lost_is_found_by_its_mark() -> None:
    world = BillingWorld(mode="online")
    billed = world.order_of(("LAMP-01", 2), payment_method="braintree")
    await world.step()
    world.bill("CIV-1", billed, 2)
    world.at["invoice"] = lambda: setattr(world, "faults", iter([Fault.LATE]))
    await world.settle(30)
    [event] = world.of(billed)
    assert event.state is EventState.DONE, event.reason
    assert world.billing.captured == 1
