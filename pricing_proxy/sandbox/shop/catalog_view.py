"""The catalog as one store view sees it: what its shoppers put into their carts."""

from pricing_proxy.sandbox.shop.catalog import Catalog, Product


class CatalogView:
    """Products with the names, prices and tax classes of a store view."""

    def __init__(self, catalog: Catalog, store_id: int) -> None:
        self._catalog = catalog
        self._store_id = store_id

    def named(self, sku: str) -> Product:
        """Return a product; raises `RefusedError` where there is none of this SKU."""
        return self._catalog.named(sku).seen_from(self._store_id)

    def by_id(self, product_id: int) -> Product:
        """Return a product by its id, which exists."""
        return self._catalog.by_id(product_id).seen_from(self._store_id)

    def configurable_of(self, product: Product) -> Product | None:
        """Return the configurable that a product is a variant of."""
        parent = self._catalog.configurable_of(product)
        return None if parent is None else parent.seen_from(self._store_id)
