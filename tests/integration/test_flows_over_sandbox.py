"""The flows between the simulated shop and the simulated ERP, over HTTP on both sides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pricing_proxy.d365.fo.customers import Customers
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.sandbox.shop import states
from pricing_proxy.sandbox.shop.invoices import invoice
from pricing_proxy.sandbox.shop.refunds import refund
from sync.engine.outcomes import HeldError, SkippedError, WaitForError
from tests.fakes.order_shop import FakeWork
from tests.integration.flow_world import FlowWorld, event_of, world

__all__ = ["world"]


async def test_orders_of_every_kind_arrive_with_the_shops_totals(world: FlowWorld) -> None:
    placed = await world.place(16, kind="mixed")

    assert await world.sources.orders.poll() == 16
    notes = [(await world.carry_order(key)).note for key in placed]

    told = world.told()
    assert set(told) == set(placed)
    for key, note in zip(placed, notes, strict=True):
        order = await world.order(key)
        assert note == f"is in the ERP as {order.ext_order_id}"
        assert told[key]["number"] == order.ext_order_id
        assert not told[key]["is_stopped"]
        totals = await SalesOrders(world.calls).totals("demf", order.ext_order_id)
        assert totals is not None
        assert abs(totals.OrderTotalAmount.value - order.grand_total) <= Decimal("0.01"), key
    assert await world.sources.orders.poll() == 0


async def test_a_renamed_field_holds_every_order_until_it_is_turned_back(world: FlowWorld) -> None:
    placed = await world.place(2, kind="simple")
    renamed = {"SalesOrderHeadersV3.DeliveryModeCode": "DeliveryMode"}
    await world.dial("fo", rename_fields=renamed)

    for key in placed:
        with pytest.raises(HeldError) as caught:
            await world.carry_order(key)
        assert caught.value.field == "DeliveryModeCode"
        assert "DeliveryModeCode" in str(caught.value.diff)
    assert world.told() == {}

    await world.dial("fo", rename_fields={})
    for key in placed:
        await world.carry_order(key)
    assert set(world.told()) == set(placed)


async def test_an_answer_lost_after_the_commit_doubles_nothing(world: FlowWorld) -> None:
    (key,) = await world.place(1, kind="simple")
    await world.carry(world.flows.customers, "1")
    await world.carry(world.flows.customers, "2")
    await world.carry(world.flows.customers, "3")
    event = replace(event_of("orders", key), document_id=str((await world.order(key)).entity_id))
    work = FakeWork(event, world.clock, links=world.links)
    await world.dial("fo", commit_then_drop=0.5)
    for _ in range(60):
        try:
            await world.flows.orders.carry(work)
            break
        except UpstreamError:
            continue
    await world.dial("fo", commit_then_drop=0)
    await world.flows.orders.carry(work)

    order = world.told()[key]
    assert not order["is_stopped"]
    references = [line["OrderLineReference"] for line in order["lines"]]
    assert len(references) == len(set(references))


async def test_500_old_orders_stay_in_the_shop_and_export_sends_one(world: FlowWorld) -> None:
    placed = await world.place(500, kind="simple")
    later = datetime.now(UTC) + timedelta(minutes=5)
    world.with_orders(start_at=later)

    assert await world.sources.orders.poll() == 0
    assert await world.sources.orders.sweep() == 0
    assert world.events.entered == {}
    assert await world.sources.orders.export((await world.order(placed[7])).entity_id) is True

    (event,) = world.events.entered.values()
    with pytest.raises(SkippedError):
        await world.carry(world.flows.orders, placed[6])
    with pytest.raises(WaitForError) as waiting:
        await world.carry(world.flows.orders, event["key"], **event["payload"])
    await world.carry(world.flows.customers, waiting.value.business_key)
    await world.carry(world.flows.orders, event["key"], **event["payload"])
    assert set(world.told()) == {placed[7]}


async def test_a_cancelled_order_is_stopped_in_the_erp(world: FlowWorld) -> None:
    (key,) = await world.place(1, kind="guest")
    await world.carry_order(key)
    order = await world.order(key)
    states.cancel(world.sandbox.shop, order.entity_id)

    assert await world.sources.orders.poll() == 1
    with pytest.raises(HeldError, match="is stopped in the ERP"):
        await world.carry(world.flows.orders, key, task="cancel")

    assert world.told()[key]["is_stopped"]


async def test_what_becomes_of_sent_orders_is_found_and_carried(world: FlowWorld) -> None:
    """Also a change of address, which moves nothing of the order in the shop."""
    world.with_orders(part_cancelled="reduce")
    keys = await world.place(4, lines=[{"sku": "LAMP-01", "quantity": 3}], guest=True)
    source = world.sources.orders
    assert await source.poll() == 4
    for key in keys:
        await world.carry_order(key)
    cut, held, moved, edited = [(await world.order(key)) for key in keys]
    assert await source.sweep() == 0

    one = [{"order_item_id": cut.items[0].item_id, "qty": 1}]
    await back_office(world, cut.entity_id, "invoice", items=one)
    await back_office(world, cut.entity_id, "cancel")
    await back_office(world, held.entity_id, "hold")
    replaced = await back_office(world, edited.entity_id, "edit")
    move = {"members": {"_shipping/address/city": "Gent"}}
    address = f"{world.sandbox.control_url}/systems/magento/rows/orders/{moved.entity_id}"
    async with world.control.patch(address, json=move) as answer:
        assert answer.status == 200, await answer.text()

    assert await source.poll() + await source.sweep() == 5
    assert await source.sweep() == 0
    changes = [
        event for event in world.events.entered.values() if event["payload"]["task"] != "export"
    ]
    told = {}
    for event in [*changes, {"key": replaced["increment_id"], "payload": {}}]:
        try:
            told[event["key"]] = (
                await world.carry(world.flows.orders, event["key"], **event["payload"])
            ).note
        except HeldError as error:
            told[event["key"]] = error.field
    in_erp = world.told()

    assert "taken off" in told[cut.increment_id]
    assert in_erp[cut.increment_id]["lines"][0]["OrderedSalesQuantity"] == 1
    assert in_erp[cut.increment_id]["lines"][0]["LineAmount"] == cut.items[0].price
    assert told[moved.increment_id] == "DeliveryAddressCity"
    assert told[edited.increment_id] == "state"
    stopped = {key for key, order in in_erp.items() if order["is_stopped"]}
    assert stopped == {held.increment_id, edited.increment_id}
    assert replaced["increment_id"] == f"{edited.increment_id}-1"
    assert replaced["increment_id"] in in_erp


async def back_office(world: FlowWorld, order_id: int, action: str, **body: Any) -> Any:
    """Do something with an order of the shop, as people do there."""
    address = f"{world.sandbox.control_url}/systems/magento/orders/{order_id}/{action}"
    async with world.control.post(address, json=body) as answer:
        assert answer.status == 200, await answer.text()
        return (await answer.json())["done"]


async def test_a_customer_of_the_shop_gets_an_account_and_the_shop_is_told(
    world: FlowWorld,
) -> None:
    done = await world.carry(world.flows.customers, "2")

    customer = await world.shop.customers.customer(2)
    assert customer is not None
    account = world.links.keys["customer", "2"]
    assert f"is account {account}" in done.note
    row = await Customers(world.calls).find("demf", account)
    assert row is not None


@pytest.mark.parametrize("kind", ["simple", "configurable", "bundle"])
async def test_a_refund_becomes_a_return_linked_to_the_lots_sold(
    world: FlowWorld, kind: str
) -> None:
    (key,) = await world.place(1, kind=kind)
    await world.carry_order(key)
    order = await world.order(key)
    invoice(world.sandbox.shop, order.entity_id, {})
    memo_id = int(refund(world.sandbox.shop, order.entity_id, {}))

    await world.carry_memo(memo_id)
    await world.carry_memo(memo_id)

    (found,) = world.sandbox.documents.returns.told()
    lines = world.told()[key]["lines"]
    lots = {line["InventoryLotId"] for line in lines if line["ItemNumber"] != "ROUNDING"}
    returned = [line["ReturningInventoryLotId"] for line in found["lines"]]
    assert set(returned) == lots
    assert len(returned) == len(lots)
