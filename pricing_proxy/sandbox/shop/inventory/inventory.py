"""The shop's stock: what may still be sold of a SKU, and what leaves and comes back.

What may be sold is what a stock's index has and its reservations; where that is nothing or less
the shop says 0 and that nothing can be sold. Orders reserve per stock; goods leave per source.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from pricing_proxy.sandbox.shop.catalog import Catalog, Product
from pricing_proxy.sandbox.shop.inventory.network import DEFAULT_SOURCE, Network
from pricing_proxy.sandbox.shop.inventory.reservations import Reservations
from pricing_proxy.sandbox.shop.inventory.source_items import (
    IN_STOCK,
    OUT_OF_STOCK,
    SourceItems,
)
from pricing_proxy.sandbox.shop.inventory.stock_index import StockIndex

_NOTHING = Decimal(0)
_MANAGED_TYPES = frozenset({"simple", "virtual", "downloadable"})

Pieces = Sequence[tuple[str, Decimal]]
"""SKUs with how many of each."""


class TooLittleError(Exception):
    """A source holds less of a SKU than is to leave it, or has no row of it at all."""


class Inventory:
    """Everything about stock; belongs to one event loop.

    Attributes:
        network: Sources, stocks and links.
        items: What lies where.
        reservations: What is promised.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        websites: Iterable[str],
        utc: Callable[[], datetime],
        index_delay: Callable[[], timedelta],
    ) -> None:
        """Begin with one stock for all websites, and nothing in it."""
        self.network = Network(websites)
        self.items = SourceItems()
        self.reservations = Reservations()
        self._catalog = catalog
        self._index = StockIndex(
            self.network,
            self.items,
            utc=utc,
            delay=index_delay,
        )

    def write(self, sku: str, source: str, quantity: Decimal, status: int = IN_STOCK) -> None:
        """Write a source item."""
        self._index.about_to_change(sku, source)
        self.items.put(sku, source, quantity, status)

    def erase(self, sku: str, source: str) -> None:
        """Delete a source item."""
        self._index.about_to_change(sku, source)
        self.items.remove(sku, source)

    def indexed(self, sku: str, stock_id: int) -> Decimal | None:
        """Return what the index has, None where the stock does not have the SKU."""
        return self._index.quantity(sku, stock_id)

    def salable(self, sku: str, stock_id: int) -> Decimal:
        """Return how much may still be sold: what is above the threshold of the product."""
        held = self._index.quantity(sku, stock_id)
        if held is None:
            return _NOTHING
        product = self._catalog.by_sku(sku)
        kept = Decimal(product.stock_settings.get("min_qty", 0)) if product else _NOTHING
        return max(_NOTHING, held + self.reservations.of(sku, stock_id) - kept)

    def is_salable(self, product: Product, stock_id: int) -> bool:
        """Say whether anything may be sold: of a configurable, any variant; of a bundle, all."""
        members = self._members(product)
        if not members and is_uncounted(product):
            return True
        if not members:
            return self.salable(product.sku, stock_id) > 0
        if not product.is_in_stock:
            return False
        judge = all if product.type_id == "bundle" else any
        return judge(self.is_salable(one, stock_id) for one in members)

    def has_any(self, product: Product, stock_id: int) -> bool:
        """Say whether a stock has a product at all, or anything that it is made of."""
        products = self._members(product) or [product]
        return any(self.indexed(one.sku, stock_id) is not None for one in products)

    def _members(self, product: Product) -> list[Product]:
        """Return what a configurable or a bundle is made of."""
        parts = [number for number, _ in product.parts]
        return [self._catalog.by_id(number) for number in (*product.variants, *parts)]

    def take(self, source: str, pieces: Pieces) -> None:
        """Let goods leave a source, all or none; those below zero come back.

        What is not counted does not move.

        Raises:
            TooLittleError: The source does not hold that much.
        """
        left: list[tuple[str, Decimal]] = []
        for sku, quantity in pieces:
            product = self._catalog.by_sku(sku)
            if product is not None and is_uncounted(product):
                continue
            item = self.items.get(sku, source)
            if item is None or item.quantity < quantity:
                raise TooLittleError(f"{source} has too little of {sku}")
            left.append((item.sku, item.quantity - quantity))
        for sku, rest in left:
            self.write(sku, source, rest, IN_STOCK if rest else OUT_OF_STOCK)

    def selected(self, stock_id: int, pieces: Pieces) -> dict[str, Pieces]:
        """Return from where a stock would send pieces, by priority; what it lacks is left out."""
        found: dict[str, list[tuple[str, Decimal]]] = {}
        for sku, wanted in pieces:
            missing = wanted
            for source in self.network.sources_of(stock_id):
                item = self.items.get(sku, source)
                taken = min(missing, max(_NOTHING, item.on_sale)) if item else _NOTHING
                if taken > 0:
                    found.setdefault(source, []).append((sku, taken))
                    missing -= taken
        return dict(found)

    def source_without_a_name(self, stock_id: int) -> str:
        """Return where a shipment leaves that names no source: not the stock's, if it has two."""
        sources = self.network.sources_of(stock_id)
        return sources[0] if len(sources) == 1 else DEFAULT_SOURCE


def is_uncounted(product: Product) -> bool:
    """Say whether the shop sells any number of a product, whatever lies at its sources."""
    return not product.stock_settings.get("manage_stock", True)


def is_managed(product: Product) -> bool:
    """Say whether a product has source items of its own."""
    return product.type_id in _MANAGED_TYPES
