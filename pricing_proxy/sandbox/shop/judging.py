"""What judges are shown of the shop's orders: what each must come to in the ERP.

Only lines that carry value, each with the SKU that its product had when it was sold; a
judge that compares the two systems needs no signature and is not hit by the shop's dials.
"""

from typing import Any

from pricing_proxy.sandbox.shop.document_lines import valued
from pricing_proxy.sandbox.shop.orders import Order
from pricing_proxy.sandbox.shop.stores import store_by_id
from pricing_proxy.sandbox.shop.tables import Shop

_HEAD = ("entity_id", "increment_id", "state", "status", "grand_total", "tax_amount")


def told_orders(shop: Shop) -> list[dict[str, Any]]:
    """Return every order with its value lines; amounts in the order's currency."""
    return [_told(order) for order in shop.orders.values()]


def _told(order: Order) -> dict[str, Any]:
    shipping = order["shipping_amount"] - order["shipping_discount_amount"]
    return {
        **{name: order[name] for name in _HEAD},
        "website": store_by_id(order["store_id"]).website,
        "store_id": order["store_id"],
        "customer_id": order.get("customer_id"),
        "is_guest": bool(order["customer_is_guest"]),
        "customer_email": order["customer_email"],
        "ext_order_id": order.get("ext_order_id"),
        "placed_at": order["_placed_at"],
        "item_ids": [item["item_id"] for item in order["items"]],
        "currency": order["order_currency_code"],
        "shipping_net": shipping + order["shipping_discount_tax_compensation_amount"],
        "shipping_tax": order["shipping_tax_amount"],
        "lines": [_line(order, item) for item in valued(order["items"])],
    }


def _line(order: Order, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "item_id": item["item_id"],
        "product_id": item["product_id"],
        "sku": order["_skus"][item["item_id"]],
        "quantity": item["qty_ordered"],
        "net": item["row_total_incl_tax"] - item["tax_amount"],
        "tax": item["tax_amount"],
        "gross": item["row_total_incl_tax"],
    }
