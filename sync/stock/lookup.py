"""Look for a single order in the ERP: under the number that the shop knows, or its reference."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from sync.sales.references import References
from sync.store.shop_line_records import ShopLine


class FoundOrders(Protocol):
    """Sales orders of the ERP, to be read."""

    async def find(self, company: str, reference: str) -> list[SalesOrderHeaderRow]:
        """Return all headers with a reference."""
        ...

    async def lines(self, company: str, number: str) -> list[SalesOrderLineRow]:
        """Return an order's lines."""
        ...


class _Document(NamedTuple):
    """An order as references know it."""

    entity_id: int
    increment_id: str
    store_id: int | None


class LookedIn(NamedTuple):
    """Where a market's orders are looked for."""

    orders: FoundOrders
    company: str
    references: References


class OrderLookup:
    """A `sync.stock.ports.ErpLookup`.

    Args:
        places: Where the orders of each store view are looked for.
    """

    def __init__(self, places: Mapping[int, LookedIn]) -> None:
        self._places = places

    async def has(self, line: ShopLine) -> bool:
        """Return whether the ERP has the order; raises `UpstreamError`."""
        place = self._places.get(line.store_id)
        if place is None:
            return False
        if line.erp_number:
            return bool(await place.orders.lines(place.company, line.erp_number))
        document = _Document(line.order_id, line.increment_id, line.store_id)
        for reference in await place.references.every(document):
            for header in await place.orders.find(place.company, reference):
                if await place.orders.lines(place.company, header.SalesOrderNumber):
                    return True
        return False
