"""What judges are shown of the shop's orders: what each must come to in the ERP.

Only lines that carry value, each with the SKU that its product had when it was sold; a
judge that compares the two systems needs no signature and is not hit by the shop's dials.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pricing_proxy.sandbox.shop.document_lines import valued
from pricing_proxy.sandbox.shop.orders import Order
from pricing_proxy.sandbox.shop.stores import store_by_id
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.totals import ZERO

_HEAD = ("entity_id", "increment_id", "state", "status", "grand_total", "tax_amount")
_MORE = ("store_id", "customer_id", "customer_email", "ext_order_id", "relation_parent_id")


def told_orders(shop: Shop) -> list[dict[str, Any]]:
    """Return every order with its value lines; amounts in the order's currency.

    `odd` names the members that somebody changed in the table.
    """
    return [_told(shop, order) for order in shop.orders.values()]


def told_papers(shop: Shop, order_id: int) -> dict[str, Any]:
    """Return an order's papers, and what stands on it; raises `RefusedError`.

    Comments are the oldest first, those that nobody sees among them.
    """
    order = shop.order(order_id)
    return _papers(order, *([*_of(papers, order_id)] for papers in _tables(shop)))


def told_all_papers(shop: Shop) -> dict[str, Any]:
    """Return the papers of all orders that have any, or a comment, by the shop's ids."""
    by_order: list[dict[int, list[dict[str, Any]]]] = []
    for papers in _tables(shop):
        its: dict[int, list[dict[str, Any]]] = {}
        for paper in papers.values():
            its.setdefault(paper["order_id"], []).append(paper)
        by_order.append(its)
    return {
        str(order_id): _papers(order, *(its.get(order_id, []) for its in by_order))
        for order_id, order in shop.orders.items()
        if order["status_histories"] or any(order_id in its for its in by_order)
    }


def _tables(shop: Shop) -> tuple[Mapping[int, dict[str, Any]], ...]:
    return shop.shipments, shop.invoices, shop.credit_memos


def _of(papers: Mapping[int, dict[str, Any]], order_id: int) -> Iterator[dict[str, Any]]:
    return (each for each in papers.values() if each["order_id"] == order_id)


def _papers(
    order: Order,
    shipments: Sequence[dict[str, Any]],
    invoices: Sequence[dict[str, Any]],
    credit_memos: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "state": order["state"],
        "status": order["status"],
        "shipments": [
            {
                "increment_id": shipment["increment_id"],
                "source": shipment["extension_attributes"]["source_code"],
                "lines": {str(each["order_item_id"]): each["qty"] for each in shipment["items"]},
                "tracks": [each["track_number"] for each in shipment["tracks"]],
                "comments": [each["comment"] for each in shipment["comments"]],
            }
            for shipment in shipments
        ],
        "invoices": [*map(_bill, invoices)],
        "credit_memos": [*map(_bill, credit_memos)],
        "comments": [each["comment"] for each in reversed(order["status_histories"])],
    }


def _bill(bill: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "increment_id": bill["increment_id"],
        "grand_total": bill["grand_total"],
        "lines": {str(each["order_item_id"]): each["qty"] for each in bill["items"]},
        "comments": [each["comment"] for each in bill["comments"]],
    }


def _told(shop: Shop, order: Order) -> dict[str, Any]:
    shipping = order.get("shipping_amount", ZERO) - order.get("shipping_discount_amount", ZERO)
    compensation = order.get("shipping_discount_tax_compensation_amount", ZERO)
    return {
        **{name: order.get(name) for name in (*_HEAD, *_MORE)},
        "website": store_by_id(order.get("store_id")).website,
        "is_guest": bool(order.get("customer_is_guest")),
        "placed_at": order["_placed_at"],
        "item_ids": [item["item_id"] for item in order["items"]],
        "currency": order.get("order_currency_code"),
        "shipping_net": shipping + compensation,
        "shipping_tax": order.get("shipping_tax_amount", ZERO),
        "lines": [_line(order, item) for item in valued(order["items"])],
        "odd": shop.odd_rows.told("orders", order["entity_id"]),
    }


def _line(order: Order, item: dict[str, Any]) -> dict[str, Any]:
    gross, tax = item.get("row_total_incl_tax", ZERO), item.get("tax_amount", ZERO)
    return {
        "item_id": item["item_id"],
        "product_id": item.get("product_id"),
        "sku": order["_skus"][item["item_id"]],
        "quantity": item.get("qty_ordered", ZERO),
        "canceled": item.get("qty_canceled", ZERO),
        "net": gross - tax,
        "tax": tax,
        "gross": gross,
    }
