"""Stock of one environment: on hand by warehouse, and the open lines that want some of it.

A large on-hand view is read along the items; of some items, by their numbers. With more
warehouses than fit into a filter all are read, and those that nobody asked for are left out
here. Raises `UpstreamError`.
"""

from collections.abc import AsyncGenerator, Collection, Iterable
from dataclasses import replace

from pricing_proxy.d365.fo.mirror_reads import Chunk, SetReads
from pricing_proxy.d365.fo.stock_models import (
    DemandLineRow,
    OnHandRow,
    RemainingLineRow,
)
from pricing_proxy.d365.odata import EnumMember, Filter, equals, is_one_of
from pricing_proxy.names import same_name_key

_ITEM = "ItemNumber"
# So many, of ten characters each, leave the filter room for items.
_WAREHOUSES_ASKED = 8
_IS_OPEN = equals("SalesOrderLineStatus", EnumMember("SalesStatus", "Backorder"))


class StockReads:
    """Reads the stock of one environment, at the class of mirrors."""

    def __init__(self, reads: SetReads) -> None:
        self._reads = reads

    async def on_hand(
        self, company: str, warehouses: Collection[str], *, after: str = ""
    ) -> AsyncGenerator[Chunk[OnHandRow], None]:
        """Yield what is on hand of all items, in chunks along the item number.

        Args:
            company: Whose.
            warehouses: Of which; empty for all.
            after: `Chunk.last` of the last chunk that is known; empty for the beginning.
        """
        chunks = self._reads.along(
            OnHandRow, _ITEM, company=company, where=_asked(warehouses), after=after
        )
        async for chunk in chunks:
            yield _of(chunk, warehouses)

    async def on_hand_of(
        self, company: str, items: Iterable[str], warehouses: Collection[str]
    ) -> AsyncGenerator[Chunk[OnHandRow], None]:
        """Yield what is on hand of some items, with all their variants."""
        async for chunk in self._reads.having(OnHandRow, _ITEM, items, company=company):
            yield _of(chunk, warehouses)

    async def open_lines(
        self, company: str, items: Iterable[str]
    ) -> AsyncGenerator[Chunk[DemandLineRow], None]:
        """Yield the lines of open orders that hold one of the items, of whatever channel."""
        lines = self._reads.having(DemandLineRow, _ITEM, items, company=company, where=_IS_OPEN)
        async for chunk in lines:
            yield chunk

    async def lines_of(
        self, company: str, orders: Iterable[str]
    ) -> AsyncGenerator[Chunk[DemandLineRow], None]:
        """Yield all lines of orders, by the ERP's numbers."""
        lines = self._reads.having(DemandLineRow, "SalesOrderNumber", orders, company=company)
        async for chunk in lines:
            yield chunk

    async def remaining(
        self, company: str, lots: Iterable[str]
    ) -> AsyncGenerator[Chunk[RemainingLineRow], None]:
        """Yield what is left of lines, by their lots; ask `tells_remaining` first."""
        async for chunk in self._reads.having(
            RemainingLineRow, "InventTransId", lots, company=company
        ):
            yield chunk

    async def tells_remaining(self, company: str) -> bool:
        """Say whether this environment tells what is left of a line."""
        return await self._reads.has(RemainingLineRow, company=company)


def _asked(warehouses: Collection[str]) -> Filter | None:
    if not 0 < len(warehouses) <= _WAREHOUSES_ASKED:
        return None
    return is_one_of("InventoryWarehouseId", sorted(warehouses))


def _of(chunk: Chunk[OnHandRow], warehouses: Collection[str]) -> Chunk[OnHandRow]:
    if not warehouses:
        return chunk
    wanted = {same_name_key(each) for each in warehouses}
    rows = [row for row in chunk.rows if same_name_key(row.InventoryWarehouseId) in wanted]
    return replace(chunk, rows=rows)
