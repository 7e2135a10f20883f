"""What the sources of one Magento hold: read by SKUs, and written in batches.

Magento takes a quantity for a SKU that it does not have, one below zero, and one for a SKU in
other letters, which is the same row; a batch with one unknown source writes nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import UpstreamContractError
from sync.magento.calls import V1, Calls
from sync.magento.search import MOST_ROWS, Search, any_code, sku_groups
from sync.magento.stock_models import SourceItem

_ROUTE = f"{V1}/inventory/source-items"
IN_STOCK = 1


class SourceQuantity(NamedTuple):
    """What a source is to hold of a SKU."""

    sku: str
    source: str
    quantity: Decimal


class SourceItemCalls:
    """Reads and writes source items."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def source_items(
        self, skus: Collection[str], *, sources: Sequence[str]
    ) -> list[SourceItem]:
        """Return what some sources hold of some SKUs; what they never held has no row."""
        found: list[SourceItem] = []
        for group, _ in sku_groups(sorted(set(skus))):
            search = Search(
                groups=[group, any_code("source_code", sources)],
                sort=("sku", "source_code"),
                page_size=MOST_ROWS,
            )
            found += await self._every_page(search)
        return found

    async def write_source_items(
        self, quantities: Sequence[SourceQuantity], *, guard: Guard | None = None
    ) -> None:
        """Write quantities, all or none; each is for sale."""
        rows = [
            {
                "sku": each.sku,
                "source_code": each.source,
                "quantity": _number(each.quantity),
                "status": IN_STOCK,
            }
            for each in quantities
        ]
        body = await self._calls.write(
            "source_items_write", "POST", _ROUTE, {"sourceItems": rows}, guard=guard
        )
        if body != []:
            raise UpstreamContractError("source items were not taken", system=self._calls.system)

    async def _every_page(self, search: Search) -> list[SourceItem]:
        found: list[SourceItem] = []
        for number in range(1, 1_000_000):
            page = await self._calls.found(
                "source_item", SourceItem, _ROUTE, replace(search, page=number)
            )
            found += page
            if len(page) < search.page_size:
                break
        return found


def _number(quantity: Decimal) -> int | str:
    # A fraction as a text, which Magento takes as well and nothing on the way rounds.
    return int(quantity) if quantity == int(quantity) else f"{quantity:f}"
