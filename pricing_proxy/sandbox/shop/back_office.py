"""What people in the shop's back office do to an order, by name."""

from collections.abc import Callable, Mapping
from typing import Any

from pricing_proxy.sandbox.shop import states
from pricing_proxy.sandbox.shop.invoices import invoice
from pricing_proxy.sandbox.shop.refunds import refund
from pricing_proxy.sandbox.shop.shipments import ship
from pricing_proxy.sandbox.shop.tables import Shop

ACTIONS: Mapping[str, Callable[[Shop, int, Mapping[str, Any]], Any]] = {
    "hold": lambda shop, number, _: states.hold(shop, number),
    "unhold": lambda shop, number, _: states.unhold(shop, number),
    "cancel": lambda shop, number, _: states.cancel(shop, number),
    "invoice": invoice,
    "ship": ship,
    "refund": refund,
}
"""What each takes is what the route of the same name takes."""

MADE: Mapping[str, str] = {"invoice": "invoices", "ship": "shipments", "refund": "credit_memos"}
"""The table that has what an action made; its id is what the action returns."""
