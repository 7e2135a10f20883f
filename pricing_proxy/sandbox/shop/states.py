"""The state of an order after something happened to it, and what happens to it alone.

New orders wait; what is invoiced or shipped is processed; what is both is complete.
`closed` is for full refunds only, so states say less than quantities do.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.document_lines import CURRENCIES, add, is_companion, is_sum, valued
from pricing_proxy.sandbox.shop.orders import Order, order_items
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.totals import ZERO, cents
from pricing_proxy.sandbox.shop.wire import CrashedError, RefusedError, required

_STATUSES: Mapping[str, tuple[str, ...]] = {
    "new": ("pending",),
    "processing": ("processing", "fraud"),
    "complete": ("complete",),
    "closed": ("closed",),
    "canceled": ("canceled",),
    "holded": ("holded",),
}
_EXT_ORDER_ID_WIDTH = 32


def settle(order: Order) -> None:
    """Set state and status from what was invoiced, shipped and cancelled."""
    items = list(valued(order["items"]))
    open_invoice = any(
        item["qty_ordered"] > item["qty_invoiced"] + item["qty_canceled"] for item in items
    )
    open_shipment = any(left_to_ship(item) > 0 for item in shippable(order))
    _set_state(order, "processing" if open_invoice or open_shipment else "complete")


def shippable(order: Order) -> list[dict[str, Any]]:
    """Return the lines that are shipped: no service, and parts only of bundles sent in parts."""
    apart = order["_apart"]
    return [
        item
        for item in order["items"]
        if not item["is_virtual"]
        and item["item_id"] not in apart
        and ("parent_item_id" not in item or item["parent_item_id"] in apart)
    ]


def left_to_ship(item: Mapping[str, Any]) -> Decimal:
    """Return how much of a line may still be shipped; what was refunded is not."""
    gone: Decimal = max(item["qty_shipped"], item["qty_refunded"])
    left: Decimal = item["qty_ordered"] - gone - item["qty_canceled"]
    return left


def hold(shop: Shop, order_id: int) -> bool:
    """Put an order on hold; raises `RefusedError` where that is not possible."""
    order = shop.order(order_id)
    if order["state"] not in ("new", "processing"):
        raise RefusedError(400, "A hold action is not available.")
    order["_before_hold"] = order["state"], order["status"]
    _set_state(order, "holded")
    shop.touch(order)
    return True


def unhold(shop: Shop, order_id: int) -> bool:
    """Take an order off hold; raises `RefusedError` when it is not on hold."""
    order = shop.order(order_id)
    if order["state"] != "holded":
        raise RefusedError(400, "You cannot remove the hold.")
    order["state"], order["status"] = order.pop("_before_hold")
    shop.touch(order)
    return True


def cancel(shop: Shop, order_id: int) -> bool:
    """Cancel what is not invoiced; False, with 200, where nothing can be cancelled."""
    order = shop.order(order_id)
    left = {
        item["item_id"]: item["qty_ordered"] - item["qty_invoiced"] - item["qty_canceled"]
        for item in valued(order["items"])
    }
    if order["state"] in ("holded", "canceled", "complete", "closed") or not any(
        quantity > 0 for quantity in left.values()
    ):
        return False
    shop.movements.cancelling(order)
    for item in order["items"]:
        if is_companion(item) or is_sum(item):
            continue
        _cancel_line(item)
    _cancel_totals(order)
    if any(item["qty_invoiced"] > item["qty_refunded"] for item in valued(order["items"])):
        settle(order)
    else:
        _set_state(order, "canceled")
    shop.touch(order)
    return True


def comment(shop: Shop, order_id: int, body: Mapping[str, Any]) -> bool:
    """Add to an order's history; `updated_at` stays.

    Raises:
        RefusedError: No such order, no comment at all, or a status of another state.
    """
    order = shop.order(order_id)
    entry = body.get("statusHistory")
    if not isinstance(entry, dict):
        raise required("statusHistory")
    status = entry.get("status")
    if status is not None and status not in _STATUSES.get(order["state"], ()):
        text = (
            'Unable to add comment: The status "%1" is not part of the order\n'
            "                 status history."
        )
        raise RefusedError(400, text, [status])
    order["status"] = status or order["status"]
    write_history(shop, order, entry.get("comment"), is_visible=entry.get("is_visible_on_front"))
    return True


def write_history(
    shop: Shop, order: Order, text: Any, *, is_visible: Any = 0, entity: str | None = None
) -> None:
    """Put an entry on top of an order's history."""
    entry = {
        "comment": text,
        "created_at": shop.now(),
        "entity_id": next(shop.comment_ids),
        "is_customer_notified": 0,
        "is_visible_on_front": int(bool(is_visible)),
        "parent_id": order["entity_id"],
        "status": order["status"],
    }
    order["status_histories"].insert(0, entry | ({"entity_name": entity} if entity else {}))


def save_members(shop: Shop, body: Mapping[str, Any]) -> dict[str, Any]:
    """Write `ext_order_id`, and state and status unchecked, as `POST /V1/orders` does.

    Raises:
        RefusedError: No such order, which would have to be a new one.
    """
    entity = body.get("entity")
    if entity is None:
        raise required("entity")
    if not isinstance(entity, dict):
        raise CrashedError
    order = shop.orders.get(entity.get("entity_id", 0))
    if order is None:
        raise RefusedError(400, "Please provide payment for the order.")
    written = {name: entity[name] for name in ("ext_order_id", "state", "status") if name in entity}
    if "ext_order_id" in written:
        written["ext_order_id"] = str(written["ext_order_id"] or "")[:_EXT_ORDER_ID_WIDTH]
    if any((order.get(name) or "") != value for name, value in written.items()):
        order.update(written)
        shop.touch(order)
    if not order.get("ext_order_id"):
        # Kept as NULL, and columns of NULL are not shown.
        order.pop("ext_order_id", None)
    return _saved_body(order, entity, written)


def _saved_body(
    order: Order, entity: Mapping[str, Any], written: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the odd answer: what was not sent is not there, and totals are null."""
    shown = {name: entity[name] for name in ("increment_id",) if name in entity}
    items = [_without_extension(item) for item in order_items(order)]
    return {
        "base_grand_total": None,
        "base_total_due": 0,
        "billing_address_id": order["billing_address_id"],
        "created_at": order.get("created_at"),
        "customer_email": None,
        "entity_id": order["entity_id"],
        "grand_total": None,
        "total_due": 0,
        "updated_at": order.get("updated_at"),
        **shown,
        **written,
        "items": items,
        "billing_address": order.get("billing_address"),
        "payment": order.get("payment"),
        "status_histories": order["status_histories"],
    }


def _without_extension(item: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in item.items() if name != "extension_attributes"}
    if "parent_item" in shown:
        shown["parent_item"] = _without_extension(shown["parent_item"])
    return shown


def _set_state(order: Order, state: str) -> None:
    if order["state"] != state:
        order |= {"state": state, "status": _STATUSES[state][0]}


def close(order: Order) -> None:
    """Close an order whose money went back in full."""
    _set_state(order, "closed")


def _cancel_line(item: dict[str, Any]) -> None:
    # What was shipped and not invoiced stays as it is, and can never be invoiced after this.
    to_invoice = item["qty_ordered"] - item["qty_invoiced"] - item["qty_canceled"]
    left = min(to_invoice, left_to_ship(item))
    if left <= 0:
        return
    item["qty_canceled"] += left
    tax = item["tax_amount"] * left / item["qty_ordered"]
    item["tax_canceled"] = item.get("tax_canceled", ZERO) + tax
    item["discount_tax_compensation_canceled"] = ZERO


def _cancel_totals(order: Order) -> None:
    names = (
        ("subtotal_canceled", "subtotal", "subtotal_invoiced"),
        ("tax_canceled", "tax_amount", "tax_invoiced"),
        ("shipping_canceled", "shipping_amount", "shipping_invoiced"),
        ("total_canceled", "grand_total", "total_invoiced"),
    )
    for target, whole, invoiced in names:
        left = [
            order[f"{currency}{whole}"] - order.get(f"{currency}{invoiced}", ZERO)
            for currency in CURRENCIES
        ]
        add(order, target, *left)
    discounts = [
        abs(order[f"{currency}discount_amount"])
        - abs(order.get(f"{currency}discount_invoiced", ZERO))
        for currency in CURRENCIES
    ]
    add(order, "discount_canceled", *map(cents, discounts))
