"""A credit note waits until the shop has shipped what the ERP delivered of the same lines."""

from decimal import Decimal

import pytest

from sync.engine.outcomes import RetryLaterError
from sync.invoices.bills import Bill
from sync.invoices.deliveries import Deliveries
from sync.sales.bill_marks import BillKey
from tests.fakes.fulfilment_world import VARIANT, FulfilmentWorld, Sold
from tests.fakes.slip_erp import COMPANY

D = Decimal
CARTS = {
    "simple": (("LAMP-01", 3),),
    "configurable": ((VARIANT, 2),),
    "bundle of parts": (("LAMP-SET", 2),),
    "bundle with a price": (("LAMP-KIT", 2),),
}


def bill_of(world: FulfilmentWorld, sold: Sold) -> Bill:
    paper = BillKey(
        company=COMPANY, number="CN-1", day=world.clock.utc().date(), order=sold.erp_number
    )
    return Bill(paper=paper, order_id=sold.order, is_credit=True, return_number="RET-1")


def rows_of(world: FulfilmentWorld, sold: Sold) -> set[int]:
    """Return the rows that the shop refunds: of a bundle with a price of its own that one."""
    rows = {row["item_id"]: row for row in world.shop.order(sold.order)["items"]}
    named = set(sold.lots.values())
    priced = {row for row in named if rows[row]["price"] > 0}
    return priced or {int(rows[row]["parent_item_id"]) for row in named}


@pytest.mark.parametrize("bundle", ["parent", "parts"])
@pytest.mark.parametrize("cart", CARTS)
async def test_it_waits_for_the_shipment_of_what_was_delivered(cart: str, bundle: str) -> None:
    world = FulfilmentWorld(bundle=bundle)
    sold = world.sell(*CARTS[cart])
    await world.step()
    check = Deliveries(world.erp, world.stock).check_shipped
    bill, rows = bill_of(world, sold), rows_of(world, sold)
    # Nothing was delivered: the ERP credits what never leaves.
    await check(bill, rows)

    ordered = {row["item_id"]: row["qty_ordered"] for row in world.shop.order(sold.order)["items"]}
    world.erp.post("PS-1", {lot: ordered[row] for lot, row in sold.lots.items()})
    with pytest.raises(RetryLaterError, match="not shipped in the shop yet"):
        await check(bill, rows)

    await world.settle(3)
    await check(bill, rows)


async def test_what_is_cancelled_in_the_shop_and_services_wait_for_nothing() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 3), ("SERVICE-01", 1))
    world.erp.post("PS-1", {lot: D(1) for lot in sold.lots})
    check = Deliveries(world.erp, world.stock).check_shipped
    with pytest.raises(RetryLaterError):
        await check(bill_of(world, sold), rows_of(world, sold))

    world.act("cancel", sold.order)
    await check(bill_of(world, sold), rows_of(world, sold))
