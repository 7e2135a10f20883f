"""What the shop keeps back of a SKU by its own settings: from so many on it is out of stock there.

Only a product that is read alone tells it, so it is asked where quantities differ and nothing
else explains that. Most products have the shop's own threshold, which is asked for once.
"""

from decimal import Decimal

from sync.stock.ports import ComparedSkus

# A comparison of all SKUs asks for no more: many own thresholds that differ are drift to be told.
_MOST = 500


class Thresholds:
    """The thresholds of one comparison.

    Args:
        products: The shop's.
    """

    def __init__(self, products: ComparedSkus) -> None:
        self._products = products
        self._asked = 0
        self.usual = Decimal(0)
        """The shop's own, as far as it is known."""

    async def of(self, sku: str) -> Decimal:
        """Return that of a SKU, in the shop's spelling; raises `UpstreamError`."""
        if self._asked >= _MOST:
            return self.usual
        self._asked += 1
        settings = await self._products.stock_settings(sku)
        if settings is None:
            return self.usual
        if settings.use_config_min_qty:
            self.usual = settings.min_qty
        return settings.min_qty
