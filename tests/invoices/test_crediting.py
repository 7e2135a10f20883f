"""What a credit note of the ERP becomes in the shop, and what it must never become."""

from decimal import Decimal
from typing import Any

import pytest

from sync.invoices.crediting import OTHERS
from sync.sales.bill_marks import MEMO_LINK
from sync.sales.references import RETURN_LINK
from sync.store.states import EventState
from tests.fakes.billing_world import Billed, BillingWorld
from tests.fakes.fulfilment_world import MARKET, VARIANT

D = Decimal


def lot(billed: Billed, row: int = 0) -> str:
    return list(billed.lots)[row]


async def invoiced(
    world: BillingWorld, *lines: tuple[str, int], freight: bool = True, **members: Any
) -> Billed:
    """Return an order that is invoiced on both sides."""
    billed = world.order_of(*lines, **members)
    await world.step()
    rows = {row["item_id"]: row for row in world.shop.order(billed.order)["items"]}
    quantities = {each: rows[row]["qty_ordered"] for each, row in billed.lots.items()}
    if freight:
        quantities[billed.freight] = D(1)
    world.bills.invoice("CIV-1", quantities)
    await world.settle(3)
    [event] = world.of(billed)
    assert (event.state, event.caution) == (EventState.DONE, None), event.reason
    return billed


async def test_goods_that_came_back_are_refunded_once_without_shipping() -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 5), ("LAMP-02", 2))
    world.give_back("CN-1", billed, {lot(billed): 2})
    await world.settle(30)
    [memo] = world.memos(billed)
    assert {line.order_item_id: line.qty for line in memo.items} == {billed.lots[lot(billed)]: 2}
    assert memo.shipping_amount == 0
    assert memo.comments[0].comment.startswith("demf/CN-1/")
    assert "lamp-01" in world.wanted
    event = world.of(billed)[-1]
    assert (event.state, event.caution) == (EventState.DONE, None), event.reason


async def test_freight_that_is_credited_goes_back_as_shipping() -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 5))
    world.give_back("CN-1", billed, {lot(billed): 5, billed.freight: 1})
    await world.settle(3)
    [memo] = world.memos(billed)
    order = world.shop.order(billed.order)
    assert memo.shipping_amount == order["shipping_amount"]
    assert memo.grand_total == order["grand_total"]
    assert order["state"] == "closed"


@pytest.mark.parametrize("members", [{"currency": "USD"}, {"includes_tax": True}])
async def test_a_credit_note_gives_back_its_own_total_whatever_the_order_is_in(
    members: dict[str, Any],
) -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 5), ("LAMP-02", 1), **members)
    world.give_back("CN-1", billed, {lot(billed): 2, billed.freight: 1})
    world.bills.credit_lines("CN-2", billed.erp_number, {"LOT-X": D("3.10")})
    await world.settle(6)
    assert [each.caution for each in world.of(billed)] == [None] * 3
    amounts = sorted(each.grand_total for each in world.memos(billed))
    assert amounts[0] == pytest.approx(D("3.69"), abs=D("0.01"))


async def test_an_amount_alone_gives_back_no_goods() -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 5))
    world.bills.credit_lines("CN-1", billed.erp_number, {"LOT-X": D("10.00")})
    await world.settle(3)
    [memo] = world.memos(billed)
    assert memo.adjustment_positive == memo.grand_total == D("11.90")
    assert not any(line.qty for line in memo.items)
    assert world.shop.order(billed.order)["items"][0]["qty_refunded"] == 0
    assert world.of(billed)[-1].caution is None


@pytest.mark.parametrize("sku", ["LAMP-SET", "LAMP-SET-SEPARATE", "LAMP-KIT", VARIANT])
async def test_an_amount_alone_is_given_back_of_every_kind_of_row(sku: str) -> None:
    """The memo's empty line is one that Magento refunds; of a bundle of parts the sum is none."""
    world = BillingWorld()
    billed = await invoiced(world, (sku, 2), ("LAMP-01", 1))
    world.bills.credit_lines("CN-1", billed.erp_number, {"LOT-X": D("10.00")})
    await world.settle(3)
    event = world.of(billed)[-1]
    assert (event.state, event.caution) == (EventState.DONE, None), event.reason
    [memo] = world.memos(billed)
    assert not any(line.qty for line in memo.items)
    assert memo.grand_total == D("11.90")


async def test_shipping_discounted_in_the_shop_makes_no_memo_too_large() -> None:
    """Magento takes the tax of shipping for its amount where none of it goes back."""
    world = BillingWorld()
    billed = await invoiced(
        world, ("LAMP-01", 2), discount_percent=D(10), discounts_shipping=True, includes_tax=True
    )
    world.give_back("CN-1", billed, {lot(billed): 1})
    await world.settle(3)
    assert [each.caution for each in world.of(billed)] == [None, None]
    world.give_back("CN-2", billed, {lot(billed): 1, billed.freight: 1})
    await world.settle(3)
    assert world.of(billed)[-1].state is EventState.DONE, world.of(billed)[-1].reason


async def test_more_than_was_invoiced_is_capped_and_told() -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 2), ("LAMP-02", 1))
    world.give_back("CN-1", billed, {lot(billed): 3})
    await world.settle(3)
    [memo] = world.memos(billed)
    assert [line.qty for line in memo.items if line.qty] == [2]
    event = world.of(billed)[-1]
    assert event.caution is not None
    assert event.caution.diff[0] == (f"row {billed.lots[lot(billed)]}", "3", "2")


async def test_an_amount_above_what_was_paid_is_held_with_the_shops_words() -> None:
    world = BillingWorld()
    billed, other = await invoiced(world, ("LAMP-01", 2)), world.order_of(("LAMP-02", 1))
    await world.step()
    world.bills.credit_lines("CN-1", billed.erp_number, {"LOT-X": D("10000.00")})
    world.bill("CIV-9", other, 1)
    await world.settle(3)
    event = world.of(billed)[-1]
    assert event.state is EventState.HELD
    assert "The most money available to refund is" in event.reason
    assert not world.memos(billed)
    assert list(world.invoiced(other).values()) == [1]


async def test_nothing_left_to_give_back_is_held() -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 2))
    for number in ("CN-1", "CN-2"):
        world.give_back(number, billed, {lot(billed): 2})
        await world.settle(3)
    event = world.of(billed)[-1]
    assert event.state is EventState.HELD
    assert "is left to refund" in event.reason
    assert len(world.memos(billed)) == 1


async def test_a_credit_note_waits_for_the_invoice_that_stands_behind_a_hold() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    world.bill("CIV-1", billed, 2, freight=True)
    world.give_back("CN-1", billed, {lot(billed): 1})
    world.act("hold", billed.order)
    await world.settle(20)
    assert not world.memos(billed)
    world.act("unhold", billed.order)
    await world.settle(20)
    assert len(world.memos(billed)) == 1
    assert {each.state for each in world.of(billed)} == {EventState.DONE}


async def test_a_credit_note_that_is_seen_before_its_invoice_ends_the_same() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    await world.step()
    world.give_back("CN-1", billed, {lot(billed): 1})
    await world.settle(3)
    assert world.of(billed)[0].state is EventState.WAITING
    world.bill("CIV-1", billed, 2, freight=True)
    await world.settle(20)
    assert len(world.memos(billed)) == 1
    assert {each.state for each in world.of(billed)} == {EventState.DONE}


async def test_a_memo_of_the_shop_that_became_a_return_is_linked_and_refunds_no_more() -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 2))
    item = billed.lots[lot(billed)]
    body = {"items": [{"order_item_id": item, "qty": 1}], "arguments": {"shipping_amount": 0}}
    world.act("refund", billed.order, body)
    [memo] = world.memos(billed)
    world.bills.enter_return("RET-9", {lot(billed): D(1)}, reference="CM-000000001")
    world.bills.credit("CN-9", "RET-9")
    await world.settle(8)
    # Whoever made the return was stopped before they could remember.
    assert world.of(billed)[-1].state is EventState.WAITING
    links = world.engine.company.of_market(MARKET)
    await links.remember(RETURN_LINK, str(memo.entity_id), "RET-9")
    await world.settle(10)
    event = world.of(billed)[-1]
    assert event.state is EventState.DONE
    assert "is for return RET-9 of credit memo" in event.reason
    assert [each.entity_id for each in world.memos(billed)] == [memo.entity_id]
    assert await links.erp_key(MEMO_LINK, str(memo.entity_id)) is not None


async def test_a_memo_by_hand_that_becomes_a_return_is_another_than_the_erps_own() -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 2))
    item = billed.lots[lot(billed)]
    body = {"items": [{"order_item_id": item, "qty": 1}], "arguments": {"shipping_amount": 0}}
    world.act("refund", billed.order, body)
    world.give_back("CN-1", billed, {lot(billed): 1})
    await world.settle(3)
    assert world.of(billed)[-1].state is EventState.WAITING
    [memo] = world.memos(billed)
    links = world.engine.company.of_market(MARKET)
    await links.remember(RETURN_LINK, str(memo.entity_id), "RET-OF-SHOP")
    await world.settle(10)
    assert len(world.memos(billed)) == 2


@pytest.mark.parametrize("quantity", [1, 2])
async def test_where_returns_are_not_brought_over_a_memo_by_hand_may_be_the_notes(
    quantity: int,
) -> None:
    world = BillingWorld(has_returns=False)
    billed = await invoiced(world, ("LAMP-01", 5))
    item = billed.lots[lot(billed)]
    lines = [{"order_item_id": item, "qty": quantity}]
    world.act("refund", billed.order, {"items": lines, "arguments": {"shipping_amount": 0}})
    world.give_back("CN-1", billed, {lot(billed): 1})
    await world.settle(3)
    event = world.of(billed)[-1]
    assert len(world.memos(billed)) == 1
    if quantity == 1:
        assert event.state is EventState.DONE
        return
    assert event.state is EventState.HELD
    event.replay(**{OTHERS: [world.memos(billed)[0].entity_id]})
    await world.settle(3)
    assert len(world.memos(billed)) == 2


async def test_without_lots_a_return_is_refunded_by_its_products() -> None:
    world = BillingWorld()
    world.bills.tells_lots = False
    billed = await invoiced(world, ("LAMP-01", 5), ("LAMP-02", 2), freight=False)
    world.give_back("CN-1", billed, {lot(billed, 1): 1})
    await world.settle(5)
    [memo] = world.memos(billed)
    assert {line.order_item_id: line.qty for line in memo.items} == {billed.lots[lot(billed, 1)]: 1}


async def test_parts_of_a_bundle_with_one_price_go_back_beside_the_goods() -> None:
    world = BillingWorld(bundle="parts")
    billed = await invoiced(world, ("LAMP-KIT", 2))
    rows = {row["item_id"]: row for row in world.shop.order(billed.order)["items"]}
    world.give_back("CN-1", billed, {lot(billed): 1})
    await world.settle(3)
    [memo] = world.memos(billed)
    assert memo.adjustment_positive > 0
    per_bundle = {each: int(rows[row]["qty_ordered"] // 2) for each, row in billed.lots.items()}
    world.give_back("CN-2", billed, per_bundle)
    await world.settle(3)
    assert world.memos(billed)[1].items[0].qty == 1


async def test_a_note_that_credits_more_than_its_own_memo_is_told() -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 2))
    item = billed.lots[lot(billed)]
    body = {"items": [{"order_item_id": item, "qty": 1}], "arguments": {"shipping_amount": 0}}
    number = str(world.act("refund", billed.order, body))
    links = world.engine.company.of_market(MARKET)
    await links.remember(RETURN_LINK, number, "RET-9")
    world.bills.enter_return("RET-9", {lot(billed): D(2)}, reference="CM-000000001")
    world.bills.credit("CN-9", "RET-9")
    await world.settle(3)
    event = world.of(billed)[-1]
    assert event.caution is not None
    [(name, expected, found)] = event.caution.diff
    assert (name, D(expected)) == ("total", 2 * D(found))
    assert len(world.memos(billed)) == 1


async def test_fees_go_back_beside_the_goods_and_roundings_not_at_all() -> None:
    world = BillingWorld()
    billed = world.order_of(("LAMP-01", 2))
    number = world.shop.order(billed.order)["increment_id"]
    await world.step()
    of: dict[str, Any] = {"item": "FEE", "quantity": D(1), "tax": D(0)}
    fee = world.bills.sell("SO-1", f"{number}-fee1", net=D("2.50"), **of)
    rounding = world.bills.sell("SO-1", f"{number}-rounding", net=D("0.01"), **of)
    goods = {each: D(2) for each in billed.lots}
    world.bills.invoice("CIV-1", goods | {billed.freight: D(1), fee: D(1), rounding: D(1)})
    await world.settle(3)
    world.give_back("CN-1", billed, {lot(billed): 1, fee: 1, rounding: 1})
    await world.settle(3)
    [memo] = world.memos(billed)
    assert (memo.adjustment_positive, memo.shipping_amount) == (D("2.50"), D(0))
    assert world.of(billed)[-1].caution is None


async def test_goods_that_came_back_and_the_shop_never_sold_are_told() -> None:
    world = BillingWorld()
    billed = await invoiced(world, ("LAMP-01", 2))
    added = world.bills.sell("SO-1", "", item="X", quantity=D(1), net=D(5), tax=D(0))
    world.bills.enter_return("RET-1", {lot(billed): D(1), added: D(1)})
    world.bills.credit("CN-1", "RET-1")
    await world.settle(3)
    [memo] = world.memos(billed)
    assert memo.adjustment_positive == 5
    event = world.of(billed)[-1]
    assert event.caution is not None
    assert added in event.caution.text
    assert "5.00 of it beside the goods" in event.reason
