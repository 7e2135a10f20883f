"""Comments on shipments, invoices and credit memos: with the document, and later.

A comment that comes with a document is in the document at once, and in every list that shows
it; it tells the customer nothing, as long as the document does not. What a shipment is given
later moves neither its `updated_at` nor the order's. The two routes of later comments were not
recorded: they are as Magento's own interface describes them, and the id in the path means nothing
to the one that writes.
"""

from collections.abc import Mapping
from typing import Any

from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import RefusedError, missing_entity, required

_NEEDED = ("is_customer_notified", "parent_id", "comment", "is_visible_on_front")
UNSAVED_COMMENT = "The shipment comment couldn't be saved."


def first_comments(shop: Shop, document: int, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the comments of a new document: the one that it came with, if any."""
    comment = body.get("comment")
    if not comment:
        return []
    return [_entry(shop, document, {**comment, "is_customer_notified": 0})]


def comment_on_shipment(shop: Shop, body: Mapping[str, Any]) -> dict[str, Any]:
    """Add a comment to the shipment that the body names, and return it.

    Raises:
        RefusedError: A member is missing, or there is no such shipment.
    """
    entity = body.get("entity")
    if not isinstance(entity, dict):
        raise required("entity")
    for name in _NEEDED:
        if entity.get(name) is None:
            raise required(name)
    shipment = shop.shipments.get(entity["parent_id"])
    if shipment is None:
        raise RefusedError(400, UNSAVED_COMMENT)
    entry = _entry(shop, shipment["entity_id"], entity)
    shipment["comments"].append(entry)
    return entry


def comments_of_shipment(shop: Shop, number: int) -> dict[str, Any]:
    """Return a shipment's comments, the oldest first; raises `RefusedError` where there is none."""
    shipment = shop.shipments.get(number)
    if shipment is None:
        raise missing_entity()
    found = shipment["comments"]
    one = {"field": "parent_id", "value": str(number), "condition_type": "eq"}
    criteria = {"filter_groups": [{"filters": [one]}]}
    return {"items": found, "search_criteria": criteria, "total_count": len(found)}


def _entry(shop: Shop, document: int, comment: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "is_customer_notified": int(bool(comment.get("is_customer_notified", 0))),
        "parent_id": document,
        "comment": comment.get("comment"),
        "is_visible_on_front": int(bool(comment.get("is_visible_on_front", 0))),
        "created_at": shop.now(),
        "entity_id": next(shop.comment_ids),
    }
