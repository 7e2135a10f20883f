"""Batches of base prices: good rows are written, of the others the answer says why not.

A row's refusals do not say which row it was. With the shop's prices any known store view writes
the shop's; with websites' prices a view's row is its whole website's. `updated_at` stays.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Catalog, Product
from pricing_proxy.sandbox.shop.products.members import decimal
from pricing_proxy.sandbox.shop.products.scopes import WHOLE_SHOP, Scope, written
from pricing_proxy.sandbox.shop.stores import STORES, store_named

_INVALID = "Invalid attribute %fieldName = %fieldValue."


def checked_prices(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the rows with the values of their types; what is no row is an empty one.

    Raises:
        RefusedError: A price is no number.
    """
    known = [row if isinstance(row, dict) else {} for row in rows]
    return [{**row, "price": decimal(row.get("price"), ("price",))} for row in known]


def write_base_prices(
    catalog: Catalog, rows: Sequence[Mapping[str, Any]], *, scopes: Mapping[str, Scope]
) -> list[dict[str, Any]]:
    """Write the good rows, and return the refusals of the others.

    Args:
        catalog: Where products are.
        rows: As `checked_prices` returns them.
        scopes: Whose prices are.
    """
    refusals: list[dict[str, Any]] = []
    for row in rows:
        found = list(_refusals(catalog, row))
        refusals += found
        if not found:
            product = catalog.named(str(row["sku"]))
            store = store_named(row["store_id"]) if row["store_id"] else None
            values = {"price": row["price"]}
            changed = written(product, values, store=store, scopes=scopes, is_forced=True)
            catalog.put(changed)
    return refusals


def base_price_rows(
    catalog: Catalog, skus: Sequence[Any], *, scopes: Mapping[str, Scope]
) -> list[dict[str, Any]]:
    """Return what SKUs cost; unknown ones and configurables are left out."""
    found = dict.fromkeys(
        product.id
        for product in map(catalog.by_sku, map(str, skus))
        if product is not None and is_priced(product)
    )
    return [row for number in found for row in _rows(catalog.by_id(number), scopes)]


def is_priced(product: Product | None) -> bool:
    """Whether a product has a price of its own that batches may write."""
    if product is None or product.type_id in ("configurable", "grouped"):
        return False
    return product.type_id != "bundle" or product.price > 0


def _rows(product: Product, scopes: Mapping[str, Scope]) -> Iterator[dict[str, Any]]:
    yield {"price": product.price, "store_id": WHOLE_SHOP, "sku": product.sku}
    if scopes["price"] is Scope.WEBSITE:
        for store in STORES:
            own = product.views.get(store.id, {})
            if "price" in own:
                yield {"price": own["price"], "store_id": store.id, "sku": product.sku}


def _refusals(catalog: Catalog, row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    sku, price, store_id = row.get("sku"), row["price"], row.get("store_id")
    if not sku or not is_priced(catalog.by_sku(str(sku))):
        yield {"message": _INVALID, "parameters": ["SKU", sku]}
    if price is None or price < 0:
        told = None if price is None else f"{price.normalize():f}"
        yield {"message": _INVALID, "parameters": ["Price", told]}
    if store_id != WHOLE_SHOP and (store_id is None or store_named(store_id) is None):
        text = f"SKU = {sku or ''}, Store ID: {'' if store_id is None else store_id}."
        yield {
            "message": f"Requested store is not found. Row ID: {text}",
            "parameters": [sku, None if store_id is None else str(store_id)],
        }
