"""The simulated shop as stock asks it, in process and without HTTP.

Rows are those of the sandbox, read by the models that the client reads them with.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from decimal import Decimal
from typing import Any

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import UpstreamRejectedError
from pricing_proxy.sandbox.shop.products.stock_items import stock_item_body
from pricing_proxy.sandbox.shop.tables import Shop
from sync.engine.windows import Window
from sync.magento.odd_rows import RowPage
from sync.magento.product_models import StockSettings
from sync.magento.reserving_models import ReservingOrder, ShipmentHead
from sync.magento.source_items import SourceQuantity
from sync.magento.stock_models import SourceItem

# In all others nothing is left to deliver.
_OPEN = frozenset({"new", "pending_payment", "processing", "payment_review", "holded"})


class StockShop:
    """Plays `ReservingShop`, `ShopSources` and `ComparedSkus`.

    Args:
        shop: The sandbox's.
        before: Happens before each call, and may raise.

    Attributes:
        refuses: The SKUs and sources that it does not bring together; a batch with one of them
            writes nothing.
        written: What was written, in order.
        settings_asked: How often somebody asked how stock is sold.
    """

    def __init__(self, shop: Shop, before: Callable[[str], Awaitable[None]]) -> None:
        self._shop = shop
        self._before = before
        self.refuses: set[tuple[str, str]] = set()
        self.written: list[SourceQuantity] = []
        self.refusals = 0
        self.settings_asked = 0

    async def changed(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        del without
        await self._before("orders")
        rows = [_order(order) for order in self._shop.orders.values()]
        yield RowPage([row for row in rows if window.takes(row.entity_id, row.updated_at)])

    async def shipped(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[ShipmentHead], None]:
        del without
        await self._before("shipments")
        rows = [ShipmentHead.model_validate(row) for row in self._shop.shipments.values()]
        yield RowPage([row for row in rows if window.takes(row.entity_id, row.updated_at)])

    async def open(self) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        await self._before("orders")
        rows = [_order(order) for order in self._shop.orders.values() if order["state"] in _OPEN]
        yield RowPage(rows)

    async def of(self, ids: Collection[int]) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        await self._before("orders")
        yield RowPage([_order(self._shop.orders[each]) for each in ids])

    async def source_items(
        self, skus: Collection[str], *, sources: Sequence[str]
    ) -> list[SourceItem]:
        await self._before("source items")
        return [
            SourceItem(
                sku=item.sku,
                source_code=item.source_code,
                quantity=item.quantity,
                status=item.status,
            )
            for sku in skus
            for item in self._shop.inventory.items.of(sku)
            if item.source_code in sources
        ]

    async def write_source_items(
        self, quantities: Sequence[SourceQuantity], *, guard: Guard | None = None
    ) -> None:
        if guard is not None:
            await guard()
        await self._before("write")
        if any((each.sku, each.source) in self.refuses for each in quantities):
            self.refusals += 1
            raise UpstreamRejectedError(
                "Could not save Source Item",
                system="magento",
                status=400,
                reasons=("Not able to assign a source to a part of a bundle",),
            )
        for sku, source, quantity in quantities:
            self._shop.inventory.write(sku, source, quantity)
        self.written += quantities
        await self._before("written")

    async def stock_settings(self, sku: str) -> StockSettings | None:
        await self._before("stock settings")
        self.settings_asked += 1
        product = self._shop.catalog.by_sku(sku)
        if product is None:
            return None
        return StockSettings.model_validate(stock_item_body(product, quantity=0, is_in_stock=True))

    async def skus_by_id(self, ids: Sequence[int]) -> dict[int, str]:
        products = {each: self._shop.catalog.find(each) for each in ids}
        return {number: product.sku for number, product in products.items() if product}

    async def shipped_in_parts(self, ids: Sequence[int]) -> frozenset[int]:
        products = [self._shop.catalog.find(each) for each in ids]
        return frozenset(one.id for one in products if one is not None and one.ships_apart)

    async def spelled(self, skus: Sequence[str]) -> list[str]:
        found = [self._shop.catalog.by_sku(sku) for sku in skus]
        return [product.sku for product in found if product is not None]

    def edit(self, sku: str, source: str, quantity: Decimal, status: int = 1) -> None:
        """Have somebody write a source item who is not the program."""
        self._shop.inventory.write(sku, source, quantity, status)

    def sold_from(self, sku: str, source: str) -> Decimal:
        """Return what a source holds, as far as it is for sale."""
        item = self._shop.inventory.items.get(sku, source)
        return Decimal(0) if item is None or not item.status else item.quantity

    def held(self, sku: str, source: str) -> Decimal:
        """Return what a source holds."""
        item = self._shop.inventory.items.get(sku, source)
        return Decimal(0) if item is None else item.quantity

    def reserved(self, sku: str, stock_id: int) -> Decimal:
        """Return what a stock has reserved of a SKU."""
        return -self._shop.inventory.reservations.of(sku, stock_id)


def _order(order: Any) -> ReservingOrder:
    return ReservingOrder.model_validate(order)
