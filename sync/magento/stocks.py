"""Stocks and sources of one Magento: what belongs together, and what may be sold."""

from collections.abc import Collection
from urllib.parse import quote

from sync.magento.calls import V1, Calls
from sync.magento.search import MOST_ROWS, Search, sku_groups
from sync.magento.stock_models import SalableRow, ShopStock, Source, StockSourceLink

_INVENTORY = f"{V1}/inventory"
# No shop has as many sources.
_ALL = Search(page_size=MOST_ROWS)


class StockCalls:
    """Reads stocks, sources and salable quantities."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def sources(self) -> list[Source]:
        """Return all sources."""
        return await self._calls.found("source", Source, f"{_INVENTORY}/sources", _ALL)

    async def stocks(self) -> list[ShopStock]:
        """Return all stocks."""
        return await self._calls.found("stock", ShopStock, f"{_INVENTORY}/stocks", _ALL)

    async def links(self) -> list[StockSourceLink]:
        """Return which source belongs to which stock."""
        route = f"{_INVENTORY}/stock-source-links"
        return await self._calls.found("stock_source_link", StockSourceLink, route, _ALL)

    async def stock_of(self, website: str) -> ShopStock | None:
        """Return the stock that a website sells from; None where it sells from none."""
        target = f"{_INVENTORY}/stock-resolver/website/{quote(website, safe='')}"
        return await self._calls.one("stock_of_website", ShopStock, target)

    async def salable(self, website: str, skus: Collection[str]) -> list[SalableRow]:
        """Return what a website may sell of SKUs; those without any source item are missing.

        The answers' `total_count` is that of each page, and no sign of the end.
        """
        route = f"{_INVENTORY}/export-stock-salable-qty/website/{quote(website, safe='')}"
        found: list[SalableRow] = []
        for group, _ in sku_groups(sorted(set(skus))):
            search = Search(groups=[group], page_size=MOST_ROWS)
            found += await self._calls.found("salable", SalableRow, route, search)
        return found
