"""The stock item of a product: how much of it may be bought at once, as the shop or it says.

Where it uses the shop's configuration, the configuration's value is what it shows; to use it
again resets the value. What lies at the sources is not here.
"""

from collections.abc import Mapping
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Product

# Member, whether the configuration is used, and the member that says so.
_OF_CONFIGURATION = (
    ("min_qty", 0, "use_config_min_qty", True),
    ("min_sale_qty", 1, "use_config_min_sale_qty", 1),
    ("max_sale_qty", 10000, "use_config_max_sale_qty", True),
    ("backorders", 0, "use_config_backorders", True),
    ("notify_stock_qty", 1, "use_config_notify_stock_qty", True),
    ("qty_increments", 0, "use_config_qty_increments", True),
    ("enable_qty_increments", False, "use_config_enable_qty_inc", True),
    ("manage_stock", True, "use_config_manage_stock", True),
)
_SETTINGS = frozenset(name for member, _, use, _ in _OF_CONFIGURATION for name in (member, use))


def merged_settings(before: Mapping[str, Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a product's own settings after a stock item was written; what is left out stays."""
    after = {**before, **{name: value for name, value in given.items() if name in _SETTINGS}}
    for member, value, use, used in _OF_CONFIGURATION:
        if given.get(use):
            after |= {member: value, use: used}
    return after if after != before else before


def stock_item_body(product: Product, *, quantity: Any, is_in_stock: bool) -> dict[str, Any]:
    """Return the stock item as a product's own route shows it."""
    shown: dict[str, Any] = {
        "item_id": product.id,
        "product_id": product.id,
        "stock_id": 1,
        "qty": quantity,
        "is_in_stock": is_in_stock,
        "is_qty_decimal": product.is_qty_decimal,
        "show_default_notification_message": False,
    }
    for member, value, use, used in _OF_CONFIGURATION:
        shown[use] = product.stock_settings.get(use, used)
        shown[member] = product.stock_settings.get(member, value)
    return {
        **shown,
        "low_stock_date": None,
        "is_decimal_divided": False,
        "stock_status_changed_auto": 0,
    }
