"""Every shape of order, invoiced and credited in parts: equal on both sides at the end."""

from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from sync.store.states import EventState
from tests.fakes.billing_world import Billed, BillingWorld
from tests.fakes.fulfilment_world import VARIANT

D = Decimal
CARTS = {
    "simple": (("LAMP-01", 3), ("LAMP-02", 7)),
    "configurable": ((VARIANT, 3), ("LAMP-01", 1)),
    "bundle of parts": (("LAMP-SET", 2),),
    "bundle with a price": (("LAMP-KIT", 2), ("LAMP-01", 1)),
    "virtual": (("SERVICE-01", 3),),
    "virtual among others": (("SERVICE-01", 2), ("LAMP-01", 2)),
}
KINDS: dict[str, dict[str, Any]] = {
    "net": {},
    "gross": {"includes_tax": True},
    "discounted": {"discount_percent": D(15)},
    "gross, discounted": {"discount_percent": D(15), "includes_tax": True},
    "shipping discounted": {"discount_percent": D(10), "discounts_shipping": True},
    "dollars": {"currency": "USD"},
}


async def settled(world: BillingWorld, billed: Billed) -> None:
    await world.settle(8)
    events = [(each.state, each.reason, each.caution) for each in world.of(billed)]
    assert {state for state, *_ in events} == {EventState.DONE}, events
    assert {caution for *_, caution in events} == {None}, events


@pytest.mark.parametrize("bundle", ["parent", "parts"])
@pytest.mark.parametrize(("cart", "kind"), list(product(CARTS, KINDS)))
async def test_what_is_billed_and_credited_in_parts_is_equal_on_both_sides(
    cart: str, kind: str, bundle: str
) -> None:
    world = BillingWorld(bundle=bundle)
    billed = world.order_of(*CARTS[cart], **KINDS[kind])
    await world.step()
    ordered = {lot: world.bills.lines[lot].quantity for lot in billed.lots}
    freight = {billed.freight: D(1)} if billed.freight else {}
    half = {lot: each // 2 for lot, each in ordered.items() if each >= 2}
    rest = {lot: each - half.get(lot, D(0)) for lot, each in ordered.items()}

    world.bills.invoice("CIV-1", half or ordered)
    await world.settle(8)
    world.bills.invoice("CIV-2", (rest if half else {}) | freight or ordered)
    await settled(world, billed)
    order = world.shop.order(billed.order)
    assert order["total_due"] == 0

    for number, its in (("CN-1", half or ordered), ("CN-2", (rest if half else {}) | freight)):
        if its:
            world.bills.enter_return(f"RET-{number}", its)
            world.bills.credit(number, f"RET-{number}")
            await settled(world, billed)
    memos = world.memos(billed)
    credited = sum(
        each["LineAmount"].value + each["TaxAmount"].value
        for each in world.bills.billed
        if each["Qty"].value < 0
    )
    given = sum(each.grand_total for each in memos)
    assert given == pytest.approx(-credited, abs=D("0.05"))
    assert given == pytest.approx(order["grand_total"], abs=D("0.05"))
