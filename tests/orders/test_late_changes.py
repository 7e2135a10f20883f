"""What becomes of an order after it was sent: put on hold, cut down, sent elsewhere."""

from decimal import Decimal
from typing import Any

import pytest

from sync.engine.outcomes import HeldError, RetryLaterError, SkippedError
from sync.store.order_writes import CANCEL_LINK, LINE_LINK
from tests.cases import case, case_order
from tests.orders.selling_one import ORDER, OneSale


async def sent(**rules: Any) -> OneSale:
    """Return an order that is in the ERP."""
    sale = OneSale(rules={"guest_account": "WEB", **rules})
    await sale.carry()
    sale.order = sale.shop.orders[sale.order.entity_id]
    return sale


def cancel(sale: OneSale, row: int, quantity: str) -> str:
    """Cancel some of a row in the shop, and return its name in the ERP."""
    rows = list(sale.order.items)
    rows[row] = rows[row].model_copy(update={"qty_canceled": Decimal(quantity)})
    sale.change(items=tuple(rows))
    return f"{sale.order.increment_id}-{rows[row].item_id}"


def line(sale: OneSale, reference: str) -> dict[str, Any]:
    """Return a line of the ERP's order."""
    (lines,) = sale.erp.order_lines.values()
    return next(each for each in lines if each["OrderLineReference"] == reference)


async def test_a_part_cancelled_afterwards_is_told_by_line_and_quantity() -> None:
    sale = await sent()
    reference = cancel(sale, 0, "1")
    ordered = ORDER.items[0].qty_ordered

    with pytest.raises(HeldError) as caught:
        await sale.carry(task="change")

    assert caught.value.field == "items[0].qty_canceled"
    assert f"1 of {ordered.normalize():f} {ORDER.items[0].sku} were cancelled" in caught.value.text
    (diff,) = caught.value.diff
    assert diff[0] == f"line {reference} OrderedSalesQuantity"
    assert (Decimal(diff[1]), Decimal(diff[2])) == (ordered - 1, ordered)
    assert not sale.header["IsSalesProcessingStopped"]


async def test_once_a_person_has_reduced_the_line_nothing_is_left_to_do() -> None:
    sale = await sent()
    reference = cancel(sale, 0, "1")
    line(sale, reference)["OrderedSalesQuantity"] -= 1
    sale.erp.calls.clear()

    await sale.carry(task="change")

    assert sale.erp.calls["change_line"] == 0


async def test_what_was_cancelled_because_the_erp_had_is_no_change_of_the_shops() -> None:
    """Our own cancellation moves the shop's order, and must not come back as work."""
    sale = await sent()
    cancel(sale, 0, "1")
    await sale.work.links.remember(CANCEL_LINK, str(sale.order.entity_id), "SO-1")

    done = await sale.carry(task="change")

    assert "as the ERP had cancelled it" in done.note


async def test_what_was_cancelled_since_the_erp_closed_it_short_is_fine_up_to_that() -> None:
    sale = await sent()
    reference = cancel(sale, 0, "1")
    left = ORDER.items[0].qty_ordered - 1
    await sale.work.links.remember(LINE_LINK, reference, f"{left.normalize():f}")

    await sale.carry(task="change")

    cancel(sale, 0, "2")
    with pytest.raises(HeldError):
        await sale.carry(task="change")


async def test_the_recorded_order_of_which_two_of_three_were_cancelled() -> None:
    """The ERP kept three, and nobody was told."""
    order = case_order("partly_cancelled_000000033")
    (document,) = case("magento/partly_cancelled_000000033.erp")
    sale = OneSale(order=order)
    number = sale.erp.put_header(order.increment_id, IsSalesProcessingStopped=False)
    sale.erp.order_lines[number] = list(document["lines"])
    await sale.work.links.remember("order", str(order.entity_id), number)
    sale.change(ext_order_id=number)

    with pytest.raises(HeldError, match="2 of 3 LAMP-01 were cancelled after") as caught:
        await sale.carry(task="change")

    assert caught.value.diff == (("line 000000033-177 OrderedSalesQuantity", "1", "3"),)


async def test_a_line_is_reduced_at_its_price_where_that_is_configured() -> None:
    sale = await sent(part_cancelled="reduce")
    reference = cancel(sale, 0, "1")
    before = dict(line(sale, reference))

    done = await sale.carry(task="change")

    now = line(sale, reference)
    assert now["OrderedSalesQuantity"] == before["OrderedSalesQuantity"] - 1
    assert now["SalesPrice"] == before["SalesPrice"]
    assert ORDER.items[0].sku in done.note


async def test_a_line_of_which_nothing_is_left_is_deleted() -> None:
    sale = await sent(part_cancelled="reduce")
    reference = cancel(sale, 0, str(ORDER.items[0].qty_ordered))

    await sale.carry(task="change")
    await sale.carry(task="change")

    (lines,) = sale.erp.order_lines.values()
    assert reference not in {each["OrderLineReference"] for each in lines}
    assert sale.erp.calls["delete_line"] == 1


async def test_an_erp_that_prices_the_smaller_quantity_anew_is_told() -> None:
    sale = await sent(part_cancelled="reduce")
    reference = cancel(sale, 0, "1")
    sale.erp.line_changes = {"SalesPrice": Decimal(99)}

    with pytest.raises(HeldError) as caught:
        await sale.carry(task="change")

    assert caught.value.field == f"line {reference} SalesPrice"


@pytest.mark.parametrize(
    "found", [{"SalesOrderLineStatus": "Delivered"}, {"OrderedSalesQuantity": Decimal("0.5")}]
)
async def test_what_is_delivered_or_reduced_further_already_is_left_to_a_person(
    found: dict[str, Any],
) -> None:
    sale = await sent(part_cancelled="reduce")
    reference = cancel(sale, 0, "1")
    line(sale, reference).update(found)

    with pytest.raises(HeldError):
        await sale.carry(task="change")

    assert sale.erp.calls["change_line"] == 0


async def test_a_hold_stops_the_order_until_it_is_taken_off() -> None:
    sale = await sent()
    sale.change(state="holded")

    assert "is stopped while the shop holds it" in (await sale.carry(task="change")).note
    assert sale.header["IsSalesProcessingStopped"]
    sale.change(state="processing")

    assert "is released" in (await sale.carry(task="change")).note
    assert not sale.header["IsSalesProcessingStopped"]
    assert await sale.work.links.magento_ids("order_stopped") == []


async def test_a_stop_of_the_erps_own_people_is_theirs() -> None:
    sale = await sent()
    sale.header["IsSalesProcessingStopped"] = True
    sale.change(state="holded")
    await sale.carry(task="change")
    sale.change(state="processing")

    await sale.carry(task="change")

    assert sale.header["IsSalesProcessingStopped"]


async def test_what_was_cancelled_while_on_hold_is_settled_before_the_release() -> None:
    sale = await sent()
    sale.change(state="holded")
    await sale.carry(task="change")
    sale.change(state="processing")
    reference = cancel(sale, 0, "1")

    with pytest.raises(HeldError):
        await sale.carry(task="change")
    assert sale.header["IsSalesProcessingStopped"]
    line(sale, reference)["OrderedSalesQuantity"] -= 1
    await sale.carry(task="change")

    assert not sale.header["IsSalesProcessingStopped"]


async def test_a_hold_that_comes_too_late_is_told() -> None:
    sale = await sent()
    sale.header["SalesOrderStatus"] = "Delivered"
    sale.change(state="holded")

    with pytest.raises(HeldError, match="Delivered in the ERP already"):
        await sale.carry(task="change")

    assert not sale.header["IsSalesProcessingStopped"]


def move(sale: OneSale, **members: Any) -> None:
    """Have the order delivered elsewhere."""
    shipping = sale.order.shipping
    assert shipping.address is not None
    changed = shipping.address.model_copy(update=members)
    (assignment,) = sale.order.extension_attributes.shipping_assignments
    envelope = assignment.model_copy(
        update={"shipping": shipping.model_copy(update={"address": changed})}
    )
    extension = sale.order.extension_attributes.model_copy(
        update={"shipping_assignments": (envelope,)}
    )
    sale.change(extension_attributes=extension)


async def test_another_address_is_told_field_by_field_until_both_agree() -> None:
    sale = await sent()
    move(sale, city="Gent", postcode="9000")

    with pytest.raises(HeldError) as caught:
        await sale.carry(task="change")

    assert {name for name, _, _ in caught.value.diff} == {
        "DeliveryAddressCity",
        "DeliveryAddressZipCode",
    }
    sale.header.update({"DeliveryAddressCity": "Gent", "DeliveryAddressZipCode": "9000"})
    await sale.carry(task="change")
    await sale.carry(task="change")

    move(sale, city="Aalst", postcode="9300")
    with pytest.raises(HeldError):
        await sale.carry(task="change")


async def test_an_address_that_was_corrected_in_the_erp_alone_is_its_own_business() -> None:
    sale = await sent()
    sale.header["DeliveryAddressCity"] = "Corrected"
    sale.change(state="holded")

    await sale.carry(task="change")


async def test_an_order_that_lost_its_reference_in_the_erp_is_told() -> None:
    sale = await sent()
    sale.header["CustomersOrderReference"] = "typed over"
    sale.change(state="holded")

    with pytest.raises(HeldError, match="does not stand under"):
        await sale.carry(task="change")


async def test_a_free_order_that_the_shop_closed_by_itself_is_sent() -> None:
    """Nothing was refunded: it was only invoiced and shipped, and nothing had to be paid."""
    told = case("orders/free_order_closed")["order"]
    (row,) = told["items"]
    refunded = {"qty_refunded": Decimal(row["qty_refunded"])}
    sale = OneSale()
    sale.change(
        state=told["state"],
        total_refunded=Decimal(told["total_refunded"] or 0),
        items=tuple(row.model_copy(update=refunded) for row in ORDER.items),
    )

    await sale.carry()

    assert not sale.header["IsSalesProcessingStopped"]


async def test_quantities_say_whether_an_order_went_back_whatever_its_state() -> None:
    sale = OneSale()
    rows = [
        row.model_copy(update={"qty_refunded": row.qty_ordered - 1, "qty_canceled": Decimal(1)})
        for row in ORDER.items
    ]
    sale.change(state="complete", items=tuple(rows))

    with pytest.raises(SkippedError, match="in full"):
        await sale.carry()


async def test_money_that_went_back_without_the_goods_is_a_persons_business() -> None:
    sale = OneSale()
    sale.change(state="closed", total_refunded=ORDER.grand_total)

    with pytest.raises(HeldError) as caught:
        await sale.carry()

    assert caught.value.field == "total_refunded"
    await sale.carry(is_forced=True)
    assert len(sale.erp.headers) == 1


class Edited(OneSale):
    """An order that was sent, and the one that somebody made of it in the back office."""

    def edit(self) -> None:
        """Have the shop cancel it and make a new one."""
        number = ORDER.increment_id
        old = self.order.model_copy(
            update={"state": "canceled", "relation_child_real_id": f"{number}-1"}
        )
        self.shop.put(old)
        rows = tuple(row.model_copy(update={"item_id": row.item_id + 5000}) for row in ORDER.items)
        changes = {"relation_parent_id": str(ORDER.entity_id), "items": rows, "state": "new"}
        identity = {"entity_id": 5000, "increment_id": f"{number}-1", "ext_order_id": ""}
        self.new = self.shop.put(ORDER.model_copy(update={**changes, **identity}))
        self.old = old

    async def carry_new(self) -> None:
        self.order = self.new
        await self.carry(task="export")

    async def carry_old(self) -> None:
        self.order = self.old
        await self.carry(task="cancel")


async def test_an_edited_order_waits_until_the_old_one_is_stopped() -> None:
    """Released both, they would be delivered twice."""
    sale = Edited()
    await sale.carry()
    sale.edit()

    with pytest.raises(RetryLaterError, match="replaces"):
        await sale.carry_new()
    assert len(sale.erp.headers) == 1

    with pytest.raises(HeldError, match=f"replaced by {ORDER.increment_id}-1"):
        await sale.carry_old()
    await sale.carry_new()

    stopped = [each["IsSalesProcessingStopped"] for each in sale.erp.headers.values()]
    assert stopped == [True, False]


async def test_an_edited_order_whose_old_one_lives_on_in_part_waits_for_nothing() -> None:
    """The shop cancels only what is not invoiced."""
    sale = Edited()
    await sale.carry()
    sale.edit()
    (first, *others) = sale.old.items
    first = first.model_copy(update={"qty_canceled": Decimal(1)})
    sale.shop.put(sale.old.model_copy(update={"state": "processing"}))
    with pytest.raises(RetryLaterError):
        await sale.carry_new()

    cut = {"state": "processing", "items": (first, *others)}
    sale.shop.put(sale.old.model_copy(update=cut))
    await sale.carry_new()

    stopped = [each["IsSalesProcessingStopped"] for each in sale.erp.headers.values()]
    assert stopped == [False, False]


async def test_an_edited_order_whose_old_one_was_never_sent_waits_for_nothing() -> None:
    sale = Edited()
    sale.edit()

    await sale.carry_new()
    with pytest.raises(SkippedError, match=f"replaced by {ORDER.increment_id}-1"):
        await sale.carry_old()

    assert len(sale.erp.headers) == 1
