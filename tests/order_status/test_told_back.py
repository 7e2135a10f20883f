"""What `d365-sync order` tells of an order's way back."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from sync.magento.order_models import Order
from sync.order_status.told_back import came_back
from tests.fakes.fulfilment_world import FulfilmentWorld
from tests.order_status.test_steps import sold_in


async def test_shipments_parcels_comments_and_cancelled_pieces_are_told() -> None:
    world = FulfilmentWorld()
    sold = await sold_in(world)
    item = next(iter(sold.lots.values()))
    two = {"items": [{"order_item_id": item, "qty": 2}]}
    world.act("invoice", sold.order, two)
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Confirmed")
    world.erp.post("PS-1", {next(iter(sold.lots)): Decimal(2)})
    world.erp.parcel(sold.erp_number, "PS-1", "JD01")
    await world.settle(10)
    world.act("cancel", sold.order)
    world.shop.order(sold.order)["status_histories"].append({"comment": "called; wants it blue"})
    shop = SimpleNamespace(shipments=world.shipments, order_notes=world.notes)
    order = Order.model_validate(world.shop.order(sold.order))

    told = await came_back(cast("Any", shop), order)

    day = f"{world.clock.utc():%Y-%m-%d}"
    number = world.shipments.all_of(sold.order)[0].increment_id
    assert [(each.what, each.name, each.text) for each in told] == [
        ("shipment", number, f"2 x LAMP-01 from berlin; slip PS-1 of {day}"),
        ("parcel", "JD01", f"dhl, on shipment {number}"),
        ("comment", "processing", "The order is confirmed. (customers do not see it)"),
        ("cancelled", "LAMP-01", "3 of 5"),
    ]
    assert all(each.at is not None for each in told[:3])
