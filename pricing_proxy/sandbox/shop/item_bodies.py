"""The many members of an order's line, as `GET /V1/orders/{id}` shows them.

Which members a line has depends on what it is: a companion (child of a configurable or
of a bundle with a price of its own) carries no value, and the parent of a bundle whose
price is in its parts repeats their sums without a rate.
"""

from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.order_lines import Line
from pricing_proxy.sandbox.shop.totals import ZERO

_QUANTITIES = ("qty_canceled", "qty_invoiced", "qty_refunded", "qty_shipped")


def item_body(
    line: Line,
    *,
    item_id: int,
    order_id: int,
    parent_id: int | None,
    store_id: int,
    now: str,
    taxes: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return a line's members; `parent_item` is added when the order is shown."""
    ids = {"item_id": item_id, "order_id": order_id, "quote_item_id": item_id}
    parent = {} if parent_id is None else {"parent_item_id": parent_id}
    return {
        **ids,
        **parent,
        "store_id": store_id,
        "created_at": now,
        "updated_at": now,
        **_product_members(line),
        **_amount_members(line),
        **_members_by_kind(line),
        "extension_attributes": {"itemized_taxes": taxes},
    }


def _product_members(line: Line) -> dict[str, Any]:
    product = line.product
    members: dict[str, Any] = {
        "product_id": product.id,
        "product_type": line.product_type,
        "sku": line.sku,
        "name": product.name,
        "is_virtual": int(product.type_id == "virtual"),
        "is_qty_decimal": int(product.is_qty_decimal),
        "row_weight": line.row_weight,
    }
    if product.weight is not None:
        members["weight"] = product.weight
    if line.chosen is not None:
        members["product_option"] = {"extension_attributes": line.chosen}
    return members


def _amount_members(line: Line) -> dict[str, Any]:
    one = line.amounts
    return {
        "qty_ordered": line.quantity,
        **dict.fromkeys(_QUANTITIES, ZERO),
        **_doubled("price", one.unit_net),
        "original_price": line.original,
        **_doubled("row_total", one.net_after_discount),
        **_doubled("row_total_incl_tax", one.gross),
        **_doubled("tax_amount", one.tax),
        **_doubled("discount_amount", one.discount),
        "discount_percent": line.discount_percent,
        **_doubled("row_invoiced", ZERO),
        **_doubled("tax_invoiced", ZERO),
        **_doubled("discount_invoiced", ZERO),
        **_doubled("amount_refunded", ZERO),
        "free_shipping": 0,
        "no_discount": 0,
    }


def _members_by_kind(line: Line) -> dict[str, Any]:
    one = line.amounts
    members: dict[str, Any] = {"applied_rule_ids": "1"} if line.has_rules else {}
    if line.kind != "companion":
        members |= _doubled("price_incl_tax", one.unit_gross)
        members["base_original_price"] = line.original
    if line.kind != "sum":
        members["tax_percent"] = one.rate
    if line.is_value:
        members |= _doubled("discount_tax_compensation_amount", one.compensation)
        members |= {} if line.product.cost is None else {"base_cost": line.product.cost}
    return members


def _doubled(name: str, value: Decimal) -> dict[str, Decimal]:
    """Return an amount in the order's currency and in the shop's, which are the same."""
    return {name: value, f"base_{name}": value}
