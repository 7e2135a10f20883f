"""What becomes of source items when products are saved, renamed and deleted.

Only the default source follows the catalog: a new product gets a row there, of nothing unless
its stock item says how much, and so does one that is made again under the SKU of a deleted one.
All other rows stay as they are, also those of a product that is gone. A new SKU gets copies of
the old one's rows at other sources; those of the old one stay as well, and so do reservations.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Product
from pricing_proxy.sandbox.shop.inventory.inventory import Inventory, is_managed
from pricing_proxy.sandbox.shop.inventory.network import DEFAULT_SOURCE
from pricing_proxy.sandbox.shop.inventory.source_items import IN_STOCK, OUT_OF_STOCK


def product_saved(
    inventory: Inventory, before: Product | None, after: Product, members: Mapping[str, Any]
) -> None:
    """Follow a product that was saved with these members; `before` is None of a new one."""
    if not is_managed(after):
        return
    given = (members.get("extension_attributes") or {}).get("stock_item") or {}
    if before is not None and before.sku != after.sku:
        for item in inventory.items.of(before.sku):
            if item.source_code == DEFAULT_SOURCE:
                continue
            inventory.write(after.sku, item.source_code, item.quantity, item.status)
    lying = inventory.items.get(after.sku, DEFAULT_SOURCE)
    if given.keys() & {"qty", "is_in_stock"}:
        quantity = given.get("qty", 0 if lying is None else lying.quantity) or 0
        status = IN_STOCK if given.get("is_in_stock", True) else OUT_OF_STOCK
        inventory.write(after.sku, DEFAULT_SOURCE, Decimal(str(quantity)), status)
    elif before is None:
        inventory.write(after.sku, DEFAULT_SOURCE, Decimal(0))
    elif lying is not None and lying.quantity == 0:
        # Every save writes the row again, and then one of nothing is out of stock.
        inventory.write(after.sku, DEFAULT_SOURCE, Decimal(0), OUT_OF_STOCK)
