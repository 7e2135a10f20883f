"""What a stock holds of each SKU, as the shop's index has it: its sources' sum, late if need be.

A shop indexes stock as it is written, or in the background. In the background, a change shows
when its time has come, together with whatever changed since; reservations are never late.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from pricing_proxy.sandbox.shop.inventory.network import DEFAULT_STOCK, Network
from pricing_proxy.sandbox.shop.inventory.source_items import SourceItems
from pricing_proxy.shop_names import collated


class StockIndex:
    """Quantities by stock and SKU; None where a stock does not have the SKU at all."""

    def __init__(
        self,
        network: Network,
        items: SourceItems,
        *,
        utc: Callable[[], datetime],
        delay: Callable[[], timedelta],
    ) -> None:
        """Follow these tables; `delay` is how late a change shows."""
        self._network = network
        self._items = items
        self._utc = utc
        self._delay = delay
        self._late: dict[tuple[int, str], tuple[datetime, Decimal | None]] = {}

    def quantity(self, sku: str, stock_id: int) -> Decimal | None:
        """Return what the index has."""
        key = stock_id, collated(sku)
        late = self._late.get(key)
        if late is not None and self._utc() < late[0]:
            return late[1]
        self._late.pop(key, None)
        return self._now(sku, stock_id)

    def about_to_change(self, sku: str, source: str) -> None:
        """Keep what the stocks of a source have of a SKU until the index's time has come."""
        delay = self._delay()
        if not delay:
            return
        for stock_id in self._network.stocks_of(source):
            before = self.quantity(sku, stock_id)
            key = stock_id, collated(sku)
            self._late.setdefault(key, (self._utc() + delay, before))

    def _now(self, sku: str, stock_id: int) -> Decimal | None:
        sources = self._network.sources_of(stock_id)
        found = [item for source in sources if (item := self._items.get(sku, source)) is not None]
        if not found and stock_id != DEFAULT_STOCK:
            return None
        return sum((item.on_sale for item in found), Decimal(0))
