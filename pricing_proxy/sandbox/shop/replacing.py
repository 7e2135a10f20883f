"""Edit an order as the shop's admin panel does: it is cancelled, and another one takes its place.

The new one has the first one's number with "-1", "-2" and so on, and each names the other.
"""

from pricing_proxy.sandbox.shop.order_request import OrderRequest
from pricing_proxy.sandbox.shop.orders import Order
from pricing_proxy.sandbox.shop.states import cancel
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import RefusedError

_EDITABLE = ("new", "processing")


def edited(shop: Shop, old: Order, request: OrderRequest) -> Order:
    """Cancel an order, and return the one that replaces it; it is in no table yet.

    Raises:
        RefusedError: The order's state forbids it.
    """
    if old["state"] not in _EDITABLE or old.get("total_invoiced"):
        raise RefusedError(400, "You cannot edit the order.")
    first = old.get("original_increment_id") or old["increment_id"]
    times = old.get("edit_increment", 0) + 1
    new = shop.make(request, number=f"{first}-{times}")
    new |= {
        "edit_increment": times,
        "original_increment_id": first,
        "relation_parent_id": str(old["entity_id"]),
        "relation_parent_real_id": old["increment_id"],
    }
    old |= {
        "relation_child_id": str(new["entity_id"]),
        "relation_child_real_id": new["increment_id"],
    }
    cancel(shop, old["entity_id"])
    return new
