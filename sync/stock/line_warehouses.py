"""Follow the warehouses that the ERP ships the shop's lines from: a person may move a line."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from pricing_proxy.names import same_name_key
from sync.sales.value_lines import line_reference
from sync.stock.layout import Stock
from sync.stock.ports import ErpStock, KeptLines
from sync.store.shop_line_records import ShopLine


class LineWarehouses:
    """Asks the ERP for the lines of one stock.

    Args:
        erp: The ERP's lines.
        company: Whose.
        stock: Where only one source fills it, nothing is asked.
        lines: Where what is found is kept.
    """

    def __init__(self, erp: ErpStock, *, company: str, stock: Stock, lines: KeptLines) -> None:
        self._erp = erp
        self._company = company
        self._stock = stock
        self._lines = lines

    async def follow(self, lines: Sequence[ShopLine], present: Collection[int]) -> list[ShopLine]:
        """Return lines with the warehouses of those that the ERP has; raises `UpstreamError`.

        Args:
            lines: Of any stock.
            present: The ids of those that the ERP has.
        """
        asked = [
            line
            for line in lines
            if line.item_id in present
            and line.store_id in self._stock.stores
            and line.erp_number
            and line.reserved
        ]
        if len(self._stock.sources) == 1 or not asked:
            return list(lines)
        found = await self._found({line.erp_number for line in asked})
        moved = {
            line.item_id: warehouse
            for line in asked
            for reference in _references(line)
            if (warehouse := found.get(reference)) and warehouse != line.warehouse
        }
        await self._lines.note_warehouses(moved)
        return [
            replace(line, warehouse=moved[line.item_id]) if line.item_id in moved else line
            for line in lines
        ]

    async def _found(self, orders: Iterable[str]) -> dict[str, str]:
        """Return the warehouses of lines by their references."""
        return {
            same_name_key(row.OrderLineReference): row.ShippingWarehouseId
            async for chunk in self._erp.lines_of(self._company, sorted(orders))
            for row in chunk.rows
        }


def _references(line: ShopLine) -> list[str]:
    ids = [each for each in (line.item_id, line.parent_item_id) if each is not None]
    return [same_name_key(line_reference(line.increment_id, each)) for each in ids]
