"""What the flows ask of Magento's products; without a store view's own texts."""

from collections.abc import Sequence
from urllib.parse import quote

from sync.magento.calls import Calls
from sync.magento.listing import ShopList
from sync.magento.places import ById
from sync.magento.product_models import CatalogProduct, ShopProduct, StockSettings
from sync.magento.search import (
    MOST_ROWS,
    PAGE_SIZE,
    Search,
    any_id,
    any_text,
    sku_groups,
    text_parts,
)

_ROUTE = "/rest/all/V1/products"
# Of a bundle's `shipment_type`.
_SEPARATELY = "1"


class ProductCalls:
    """Reads the products of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def product(self, sku: str) -> ShopProduct | None:
        """Return a product; SKUs know no case, so its own `sku` may differ in that."""
        # Dots alone would be taken for a folder, on the way or by the server.
        if not sku.strip("."):
            return next(iter(await self.products([sku])), None)
        return await self._calls.one("product", ShopProduct, f"{_ROUTE}/{quote(sku, safe='')}")

    async def products(self, skus: Sequence[str]) -> list[ShopProduct]:
        """Return the products among these SKUs that exist, in no order."""
        found: list[ShopProduct] = []
        for part in text_parts(skus):
            search = Search(groups=[any_text("sku", part)], page_size=len(part))
            found += await self._calls.found("product", ShopProduct, _ROUTE, search)
        return found

    async def stock_settings(self, sku: str) -> StockSettings | None:
        """Return how a product's stock is sold; None where the shop does not have it."""
        target = f"{_ROUTE}/{quote(sku, safe='')}"
        product = await self._calls.one("stock_settings", CatalogProduct, target)
        return None if product is None else product.extension_attributes.stock_item

    async def skus_by_id(self, ids: Sequence[int]) -> dict[int, str]:
        """Return the SKUs of products by id, without what orders add; deleted ones are missing."""
        found: dict[int, str] = {}
        for start in range(0, len(ids), PAGE_SIZE):
            some = ids[start : start + PAGE_SIZE]
            search = Search(
                groups=[any_id("entity_id", some)], page_size=len(some), fields="items[id,sku]"
            )
            rows = await self._calls.found("product_sku", ShopProduct, _ROUTE, search)
            found |= {product.id: product.sku for product in rows}
        return found

    async def shipped_in_parts(self, ids: Sequence[int]) -> frozenset[int]:
        """Return the bundles among these products that are shipped part by part now."""
        found: set[int] = set()
        for start in range(0, len(ids), PAGE_SIZE):
            some = ids[start : start + PAGE_SIZE]
            search = Search(
                groups=[any_id("entity_id", some)],
                page_size=len(some),
                fields="items[id,sku,custom_attributes]",
            )
            rows = await self._calls.found("product_shipment", CatalogProduct, _ROUTE, search)
            found |= {each.id for each in rows if each.attribute("shipment_type") == _SEPARATELY}
        return frozenset(found)

    async def spelled(self, skus: Sequence[str]) -> list[str]:
        """Return the SKUs among these that the shop has, as it spells them."""
        found: list[str] = []
        for group, _ in sku_groups(sorted(set(skus))):
            search = Search(groups=[group], page_size=MOST_ROWS, fields="items[id,sku]")
            rows = await self._calls.found("product_sku", ShopProduct, _ROUTE, search)
            found += [product.sku for product in rows]
        return found

    async def products_by_id(self, ids: Sequence[int]) -> dict[int, ShopProduct]:
        """Return products by id, as order lines name them; deleted ones are missing.

        Raises:
            UpstreamError: One cannot be read, or the shop fails at it; the text names it.
        """
        found: dict[int, ShopProduct] = {}
        for start in range(0, len(ids), PAGE_SIZE):
            search = Search(groups=[any_id("entity_id", ids[start : start + PAGE_SIZE])])
            listed = ShopList(self._calls, "product", ShopProduct, _ROUTE, search)
            found |= {product.id: product for product in await listed.whole(ById())}
        return found
