"""Every recorded order is read, and the sums that hold in the shop hold in the models."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sync.magento.credit_memo_models import CreditMemo
from sync.magento.customer_models import ShopCustomer
from sync.magento.order_line_models import OrderLine
from sync.magento.order_models import Order
from tests.magento.recordings import recordings

TOLERANCE = Decimal("0.0001")


def rows(member: str) -> list[tuple[str, Any]]:
    """Return recorded bodies, single or listed, that are whole and have a member."""
    found = []
    for topic in ("orders", "order_shapes"):
        for recording in recordings(topic).values():
            answer = recording.answer
            listed = answer.get("items") if isinstance(answer, dict) else None
            candidates = [answer, *(listed if isinstance(listed, list) else [])]
            found += [
                (recording.name, row)
                for row in candidates
                if isinstance(row, dict) and member in row and "created_at" in row
            ]
    return found


ORDERS = [
    (name, body)
    for name, body in rows("payment")
    if "grand_total" in body and "extension_attributes" in body
]


def value_lines(order: Order) -> list[OrderLine]:
    """Top-level lines, a dynamic bundle replaced by its children."""
    found: list[OrderLine] = []
    for line in order.items:
        if line.parent_item_id is not None:
            continue
        children = [child for child in order.items if child.parent_item_id == line.item_id]
        is_dynamic = line.product_type == "bundle" and any(child.price for child in children)
        found += children if is_dynamic else [line]
    return found


def check_sums(order: Order) -> None:
    """Assert what held in every recorded order."""
    lines = value_lines(order)
    gross = sum((line.row_total_incl_tax for line in lines), Decimal(0))
    shipping = (
        order.shipping_amount
        + order.shipping_tax_amount
        + order.shipping_discount_tax_compensation_amount
        - order.shipping_discount_amount
    )
    assert abs(gross + shipping - order.grand_total) <= TOLERANCE
    sums = order.subtotal + order.shipping_amount + order.tax_amount + order.discount_amount
    sums += order.discount_tax_compensation_amount
    sums += order.shipping_discount_tax_compensation_amount
    assert abs(sums - order.grand_total) <= TOLERANCE
    taxes = sum((line.tax_amount for line in lines), Decimal(0)) + order.shipping_tax_amount
    assert abs(taxes - order.tax_amount) <= TOLERANCE
    discounts = sum((line.discount_amount for line in lines), Decimal(0))
    assert abs(discounts + order.shipping_discount_amount + order.discount_amount) <= TOLERANCE
    itemized = [tax for line in lines for tax in line.extension_attributes.itemized_taxes]
    of_goods = sum((tax.amount for tax in itemized), Decimal(0))
    assert abs(of_goods + order.shipping_tax_amount - order.tax_amount) <= TOLERANCE
    applied = sum((tax.amount for tax in order.extension_attributes.applied_taxes), Decimal(0))
    assert abs(applied - order.tax_amount) <= TOLERANCE
    top = sum((line.qty_ordered for line in order.items if line.parent_item_id is None), Decimal(0))
    assert top == order.total_qty_ordered
    assert order.payment.method
    assert order.is_virtual == (order.shipping.address is None)
    assert order.billing_address is not None


@pytest.mark.parametrize(("_name", "body"), ORDERS, ids=[name for name, _ in ORDERS])
def test_a_recorded_order_adds_up(_name: str, body: Any) -> None:
    check_sums(Order.model_validate(body))


def test_all_recorded_orders_were_found() -> None:
    assert len(ORDERS) >= 139


def test_recorded_documents_are_read() -> None:
    whole = rows("order_id")
    memos = [(CreditMemo.model_validate(row), row) for _, row in whole if "adjustment" in row]
    assert len(memos) >= 21
    for memo, row in memos:
        total = memo.subtotal + memo.shipping_amount + memo.tax_amount + memo.discount_amount
        total += memo.discount_tax_compensation_amount
        total += Decimal(str(row.get("adjustment_positive") or 0))
        total -= Decimal(str(row.get("adjustment_negative") or 0))
        assert abs(total - memo.grand_total) <= TOLERANCE


def shape(name: str) -> Order:
    return Order.model_validate(recordings("order_shapes")[name].answer)


def test_the_chosen_afternoon_survives() -> None:
    """Magento's first text of a date-time option is twelve hours off; the second is right."""
    (line,) = shape("types_custom_option_date_time").items
    assert line.options.custom_options[0].option_value == "2027-01-15 14:30:00"


def test_chosen_options_are_texts_whatever_type_they_came_in() -> None:
    parent, child = shape("types_configurable_with_custom_options_excl_tax").items
    assert parent.options.configurable_item_options[0].option_id == "137"
    assert parent.options.configurable_item_options[0].option_value == "4"
    assert parent.options.custom_options[0].option_value == "Zoë & Co"
    assert child.parent_item_id == parent.item_id
    bundle = shape("types_bundle_fixed_price_ship_together_excl_tax").items[0]
    assert bundle.options.bundle_options


def test_a_pick_up_is_told_from_a_delivery() -> None:
    order = shape("pickup_in_store")
    assert order.shipping.method == "instore_pickup"
    codes = {
        order.extension_attributes.pickup_location_code,
        order.shipping.extension_attributes.pickup_location_code,
    }
    assert any(codes)


def test_times_are_utc() -> None:
    order = Order.model_validate(recordings("orders")["01_get_one_guest_order"].answer)
    assert order.created_at == datetime(2026, 11, 23, 7, 4, 39, tzinfo=UTC)
    assert order.customer_id is None
    assert order.customer_is_guest


def test_a_modules_own_members_are_kept() -> None:
    body = dict(recordings("orders")["01_get_one_guest_order"].answer)
    body["extension_attributes"] = {**body["extension_attributes"], "deposit_fee": Decimal("2.50")}
    order = Order.model_validate(body)
    assert order.extension_attributes.model_extra is not None
    assert order.extension_attributes.model_extra["deposit_fee"] == Decimal("2.50")


def test_empty_members_may_come_as_lists_or_null() -> None:
    """PHP has one kind of empty array, so an object without members comes as a list."""
    body = dict(recordings("orders")["01_get_one_guest_order"].answer)
    order = Order.model_validate({**body, "extension_attributes": []})
    assert order.shipping.method == ""
    order = Order.model_validate({**body, "extension_attributes": {"shipping_assignments": None}})
    assert order.shipping.address is None


def test_a_customer_is_read() -> None:
    answer = recordings("customers")["15e_customer_put_full_with_address"].answer
    customer = ShopCustomer.model_validate(
        {**answer, "custom_attributes": [{"attribute_code": "erp_account", "value": "C-1001"}]}
    )
    assert customer.attribute("erp_account") == "C-1001"
    assert customer.attribute("other") is None
    (address,) = customer.addresses
    assert address.default_billing
    assert address.region.region_id == 0
    assert address.region.region == ""
