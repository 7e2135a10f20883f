"""What mirrors ask of Magento's products and write into them, store view by store view.

A route without a store code would write into the default store view, and from then on what is
written for all views would not show there: every call names whose values it means. SKUs know no
letter case, but a write in other letters renames the product: writes take the shop's spelling.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pricing_proxy.http_exchange import Guard
from sync.magento.calls import Calls
from sync.magento.product_models import CatalogProduct
from sync.magento.search import Search, encoded, sku_groups
from sync.magento.wire_types import ShopModel

ALL = "all"
"""Stands for a store code where the values are meant that every view has by default."""

_FIELDS = "items[id,sku,name,type_id,status,price,weight,custom_attributes]"


class StoreView(ShopModel):
    """A store view."""

    id: int
    code: str
    website_id: int


class CatalogCalls:
    """Reads and writes the products of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def store_views(self) -> list[StoreView]:
        """Return all store views; the one of the administrators has id 0."""
        rows = await self._calls.read("store_views", "/rest/V1/store/storeViews")
        return [
            self._calls.checked(StoreView, row) for row in (rows if isinstance(rows, list) else ())
        ]

    async def listed(self, skus: Sequence[str], *, store: str = ALL) -> list[CatalogProduct]:
        """Return the products among these SKUs that exist, without their stock settings."""
        found: list[CatalogProduct] = []
        for group, names in sku_groups(skus):
            search = Search(groups=[group], page_size=names, fields=_FIELDS)
            found += await self._calls.found(
                "catalog_product", CatalogProduct, products_route(store), search
            )
        return found

    async def product(self, sku: str, *, store: str = ALL) -> CatalogProduct | None:
        """Return one product with all that belongs to it."""
        return await self._calls.one("catalog_product", CatalogProduct, product_route(store, sku))

    async def save(
        self, sku: str, members: Mapping[str, Any], *, store: str = ALL, guard: Guard | None = None
    ) -> CatalogProduct:
        """Change members of a product; those left out stay."""
        body = await self._calls.write(
            "save_product",
            "PUT",
            product_route(store, sku),
            {"product": {"sku": sku, **members}},
            guard=guard,
        )
        return self._calls.checked(CatalogProduct, body)

    async def create(
        self, members: Mapping[str, Any], *, guard: Guard | None = None
    ) -> CatalogProduct:
        """Create a product; one that is there is changed instead."""
        body = await self._calls.write(
            "create_product", "POST", products_route(ALL), {"product": members}, guard=guard
        )
        return self._calls.checked(CatalogProduct, body)


def products_route(store: str) -> str:
    """Return the route of a store view's products."""
    return f"/rest/{store}/V1/products"


def product_route(store: str, sku: str) -> str:
    """Return the route of one product; a SKU of dots alone has none, which no server would take."""
    return f"{products_route(store)}/{encoded(sku)}"
