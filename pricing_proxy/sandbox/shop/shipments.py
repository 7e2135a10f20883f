"""Make shipments, as gladly as Magento does: twice the same, and never more than is left.

An order's `updated_at` moves only when its state does, so a second partial shipment
does not show in a poll of orders.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.document_comments import first_comments
from pricing_proxy.sandbox.shop.inventory.inventory import TooLittleError
from pricing_proxy.sandbox.shop.orders import Order
from pricing_proxy.sandbox.shop.states import left_to_ship, settle, shippable
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.totals import ZERO
from pricing_proxy.sandbox.shop.wire import RefusedError, missing_entity, required

_HEADING = "Shipment Document Validation Error(s):\n"
_NOTHING = "You can't create a shipment without products."
_CLOSED = "The order does not allow a shipment to be created."
UNSAVED_SHIPMENT = "Could not save a shipment, see error log for details"
_TOGETHER = (
    'Cannot create shipment as bundle product "{}" has shipment type "Together". '
    "Bundle product itself should be shipped instead."
)
_SEPARATELY = (
    'Cannot create shipment as bundle product "{}" has shipment type "Separately". '
    "Bundle product options should be shipped instead."
)
_TRACK = ("track_number", "title", "carrier_code")


def ship(shop: Shop, order_id: int, body: Mapping[str, Any]) -> str:
    """Ship what is named, or all that is left, and return the shipment's id as a text.

    Raises:
        RefusedError: The state forbids it, nothing is left, or it cannot be saved, as when the
            source holds too little.
    """
    order = shop.order(order_id)
    lines = {item["item_id"]: item for item in shippable(order)}
    left = {number: left_to_ship(item) for number, item in lines.items()}
    nothing = "" if any(quantity > 0 for quantity in left.values()) else f"\n{_NOTHING}"
    if order["state"] in ("holded", "canceled", "closed") or not lines:
        text = f"A shipment cannot be created when an order has a status of {order['status']}"
        raise RefusedError(400, _HEADING + text + nothing)
    if nothing:
        raise RefusedError(400, _HEADING + _CLOSED + nothing)
    asked = _asked(body.get("items"), left)
    problems = [] if any(asked.values()) else [_NOTHING]
    problems += _bundle_parts(order, body.get("items"))
    if problems:
        raise RefusedError(400, _HEADING + "\n".join(problems))
    source = shop.movements.source_of(order, _source(body))
    if any(not track.get("carrier_code") for track in body.get("tracks") or []):
        raise RefusedError(400, UNSAVED_SHIPMENT)
    try:
        shop.movements.shipped(order, source, asked)
    except TooLittleError:
        raise RefusedError(400, UNSAVED_SHIPMENT) from None
    return _save(shop, order, asked, body, source=source)


def add_track(shop: Shop, body: Mapping[str, Any]) -> dict[str, Any]:
    """Add a parcel's number to a shipment; the order does not move.

    Raises:
        RefusedError: No such shipment.
    """
    entity = body.get("entity")
    if not isinstance(entity, dict):
        raise required("entity")
    shipment = shop.shipments.get(entity.get("parent_id", 0))
    if shipment is None:
        raise missing_entity()
    track = _track(shop, shipment, entity)
    shipment["tracks"].append(track)
    return track


def remove_track(shop: Shop, track_id: int) -> bool:
    """Take a parcel's number off its shipment; raises `RefusedError` where there is none."""
    for shipment in shop.shipments.values():
        kept = [track for track in shipment["tracks"] if track["entity_id"] != track_id]
        if len(kept) < len(shipment["tracks"]):
            shipment["tracks"] = kept
            return True
    raise missing_entity()


def _asked(rows: Any, left: Mapping[int, Decimal]) -> dict[int, Decimal]:
    if not rows:
        return {number: quantity for number, quantity in left.items() if quantity > 0}
    return {
        row["order_item_id"]: min(Decimal(str(row.get("qty", 0))), left[row["order_item_id"]])
        for row in rows
        if row.get("order_item_id") in left
    }


def _bundle_parts(order: Order, rows: Any) -> list[str]:
    """Return a complaint for each part that is named instead of its bundle, or the other way."""
    bundles = {
        item["item_id"]: item["sku"] for item in order["items"] if item["product_type"] == "bundle"
    }
    named = {row.get("order_item_id") for row in rows or ()}
    apart = order["_apart"]
    complaints = []
    for item in order["items"]:
        number, parent = item["item_id"], item.get("parent_item_id")
        if number not in named:
            continue
        if parent in bundles and parent not in apart:
            complaints.append(_TOGETHER.format(bundles[parent]))
        if number in apart:
            complaints.append(_SEPARATELY.format(bundles[number]))
    return complaints


def _source(body: Mapping[str, Any]) -> str:
    arguments = body.get("arguments") or {}
    extension = arguments.get("extension_attributes") or {}
    return str(extension.get("source_code") or "")


def _save(
    shop: Shop, order: Order, asked: Mapping[int, Decimal], body: Mapping[str, Any], *, source: str
) -> str:
    number = len(shop.shipments) + 1
    lines = []
    sent = _with_parents(order, asked)
    for item in order["items"]:
        quantity = sent.get(item["item_id"], ZERO)
        if not quantity:
            continue
        item["qty_shipped"] += quantity
        _ship_parts(order, item, quantity)
        lines.append(_line(shop, item, number, quantity))
    shipment = {
        **shop.document_head(order, number, "shipment"),
        "packages": [],
        "total_qty": sum(asked.values(), ZERO),
        "items": lines,
        "tracks": [],
        "comments": [],
        "extension_attributes": {"source_code": source},
    }
    shipment["tracks"] = [_track(shop, shipment, one) for one in body.get("tracks") or []]
    shipment["comments"] = first_comments(shop, number, body)
    shop.shipments[number] = shipment
    state = order["state"]
    settle(order)
    if order["state"] != state:
        shop.touch(order)
    return str(number)


def _with_parents(order: Order, asked: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """Return quantities with one piece of each bundle of which a part is sent by itself.

    However many parts are sent: a shipment lists it all the same, and does not count it.
    """
    parents = {
        item["parent_item_id"]
        for item in order["items"]
        if item.get("parent_item_id") in order["_apart"] and asked.get(item["item_id"])
    }
    return {**asked, **dict.fromkeys(parents, Decimal(1))}


def _line(shop: Shop, item: Mapping[str, Any], shipment: int, quantity: Decimal) -> dict[str, Any]:
    return {
        "entity_id": next(shop.line_ids),
        "name": item["name"],
        "parent_id": shipment,
        "price": item["price"],
        "product_id": item["product_id"],
        "sku": item["sku"],
        "weight": item["weight"],
        "order_item_id": item["item_id"],
        "qty": quantity,
    }


def _ship_parts(order: Order, bundle: Mapping[str, Any], quantity: Decimal) -> None:
    """Count a bundle's parts as shipped with it; the child of a configurable is not counted."""
    for item in order["items"]:
        is_part = item.get("parent_item_id") == bundle["item_id"]
        is_whole = bundle["product_type"] == "bundle" and bundle["item_id"] not in order["_apart"]
        if is_part and is_whole:
            item["qty_shipped"] += item["qty_ordered"] * quantity / bundle["qty_ordered"]


def _track(shop: Shop, shipment: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    now = shop.now()
    return {
        "order_id": shipment["order_id"],
        "created_at": now,
        "entity_id": next(shop.track_ids),
        "parent_id": shipment["entity_id"],
        "updated_at": now,
        "weight": given.get("weight"),
        "qty": given.get("qty"),
        "description": given.get("description"),
        **{name: given.get(name) for name in _TRACK},
    }
