"""The simulated ERP's warehouses as stock reads them, in process and without HTTP.

Its ledger is the sandbox's; rows are made of that, and read by the models of the client.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.mirror_reads import Chunk
from pricing_proxy.d365.fo.models import ReleasedProductRow, Row
from pricing_proxy.d365.fo.product_models import UnitConversionRow
from pricing_proxy.d365.fo.stock_models import DemandLineRow, OnHandRow
from pricing_proxy.money import NumberText
from pricing_proxy.sandbox.stock.ledger import StockLedger, StockLine, place_of
from sync.store.shop_line_records import ShopLine

R = TypeVar("R", bound=Row)

COMPANY, WAREHOUSES = "demf", ("13", "14", "24")
_NOTHING = Decimal(0)
_DIMENSIONS = ("Color", "Configuration", "Size", "Style", "Version")


@dataclass(frozen=True)
class ErpLine:
    """A line of a sales order; its lot is what the ledger knows of it by.

    Attributes:
        reference: The shop's id of it; empty for another channel's.
    """

    lot: str
    number: str
    item: str
    reference: str = ""


@dataclass
class StockErp:
    """Plays `ErpStock`, `ErpRows` and `ErpLookup`.

    Attributes:
        before: Happens before each call, and may raise.
        asked: The items that were asked for last, and when that began.
        per_sold: Its items, and how many inventory units one sales unit of each is.
    """

    clock: Clock
    before: Callable[[str], Awaitable[None]]
    asked: tuple[tuple[str, ...], datetime | None] = ((), None)
    per_sold: dict[str, int] = field(default_factory=dict)
    ledger: StockLedger = field(default_factory=StockLedger)
    lines: dict[str, ErpLine] = field(default_factory=dict)

    def free(self, item: str, warehouses: Collection[str]) -> Decimal:
        """Return what is free of an item in sales units: what is there, less what lines want."""
        left = _NOTHING
        for warehouse in warehouses:
            place = place_of(item, warehouse)
            wanted = (each.open - each.picked for each in self.ledger.lines_at(place))
            left += self.ledger.balance(place).on_hand - sum(wanted, _NOTHING)
        return Decimal((Fraction(left) / self.per_sold[item]).__floor__())

    def order(
        self, number: str, item: str, warehouse: str, pieces: Decimal, *, reference: str = ""
    ) -> ErpLine:
        """Enter a line."""
        line = ErpLine(f"LOT-{len(self.lines) + 1}", number, item, reference)
        self.ledger.enter(line.lot, place_of(item, warehouse), pieces)
        self.lines[line.lot] = line
        return line

    async def on_hand(
        self, company: str, warehouses: Collection[str], *, after: str = ""
    ) -> AsyncGenerator[Chunk[OnHandRow], None]:
        del company
        for item in sorted(self.per_sold):
            if item > after:
                yield await self._chunk([item], warehouses)

    async def on_hand_of(
        self, company: str, items: Iterable[str], warehouses: Collection[str]
    ) -> AsyncGenerator[Chunk[OnHandRow], None]:
        del company
        yield await self._chunk([*items], warehouses)

    async def lines_of(
        self, company: str, orders: Iterable[str]
    ) -> AsyncGenerator[Chunk[DemandLineRow], None]:
        del company
        await self.before("lines")
        numbers = set(orders)
        rows = [
            _demand(line, self.ledger.lines[lot])
            for lot, line in self.lines.items()
            if line.number in numbers
        ]
        yield self._of(rows)

    async def having(
        self, row: type[R], field: str, values: Iterable[str], *, company: str, **_: Any
    ) -> AsyncGenerator[Chunk[R], None]:
        del company
        items = set(self.per_sold) & set(values) if field == "ItemNumber" else set()
        yield self._of([self._product(row, item) for item in sorted(items)])

    async def between(
        self, row: type[R], field: str, first: str, last: str, *, company: str
    ) -> Chunk[R]:
        del field, company
        items = sorted(item for item in self.per_sold if first <= item <= last)
        return self._of([self._product(row, item) for item in items])

    async def whole(self, row: type[R], *, company: str, **_: Any) -> Chunk[R]:
        del company
        rows = []
        if row is UnitConversionRow:
            numbers = {"Factor": 1, "Denominator": 1, "InnerOffset": 0, "OuterOffset": 0}
            for many in set(self.per_sold.values()):
                names = {"FromUnitSymbol": f"BOX{many}", "ToUnitSymbol": "PCS", "Rounding": ""}
                rows.append(_row(row, **names, **numbers, Numerator=many))
        return self._of(rows)

    async def has(self, line: ShopLine) -> bool:
        """Return whether it has a line's order."""
        start = f"{line.increment_id}-"
        return any(each.reference.startswith(start) for each in self.lines.values())

    async def _chunk(self, items: list[str], warehouses: Collection[str]) -> Chunk[OnHandRow]:
        began_at = self.clock.utc()
        await self.before("on hand")
        rows = [
            self._on_hand(item, warehouse)
            for item in items
            for warehouse in WAREHOUSES
            if item in self.per_sold and warehouse in warehouses
        ]
        self.asked = tuple(items), began_at
        await self.before("on hand answered")
        return Chunk(
            rows=rows,
            unreadable=(),
            began_at=began_at,
            ended_at=self.clock.utc(),
            last=items[-1] if items else "",
        )

    def _on_hand(self, item: str, warehouse: str) -> OnHandRow:
        balance = self.ledger.balance(place_of(item, warehouse))
        return _row(
            OnHandRow,
            **{f"Product{name}Id": "" for name in _DIMENSIONS},
            ItemNumber=item,
            InventorySiteId="1",
            InventoryWarehouseId=warehouse,
            OnHandQuantity=balance.on_hand,
            ReservedOnHandQuantity=balance.reserved,
            AvailableOnHandQuantity=balance.available,
            OrderedQuantity=balance.ordered,
            ReservedOrderedQuantity=balance.reserved_ordered,
            AvailableOrderedQuantity=balance.available_ordered,
            OnOrderQuantity=balance.on_order,
            TotalAvailableQuantity=balance.available + balance.available_ordered,
            AreWarehouseManagementProcessesUsed="No",
        )

    def _product(self, row: type[R], item: str) -> R:
        assert row is ReleasedProductRow
        many = self.per_sold.get(item, 1)
        texts = {
            name: ""
            for name, member in row.model_fields.items()
            if name not in row.unset and member.annotation is str
        }
        return _row(
            row,
            **{
                **texts,
                **row.unset,
                "ItemNumber": item,
                "ProductNumber": item,
                "SalesUnitSymbol": f"BOX{many}" if many > 1 else "PCS",
                "InventoryUnitSymbol": "PCS",
                "WillTotalSalesDiscountCalculationIncludeProduct": "No",
            },
        )

    def _of(self, rows: list[R]) -> Chunk[R]:
        now = self.clock.utc()
        return Chunk(rows=rows, unreadable=(), began_at=now, ended_at=now)


def _demand(line: ErpLine, wanted: StockLine) -> DemandLineRow:
    return _row(
        DemandLineRow,
        **{f"Product{name}Id": "" for name in _DIMENSIONS},
        InventoryLotId=line.lot,
        SalesOrderNumber=line.number,
        OrderLineReference=line.reference,
        ItemNumber=line.item,
        OrderedSalesQuantity=wanted.quantity,
        SalesUnitSymbol="PCS",
        ShippingSiteId="1",
        ShippingWarehouseId=wanted.place[1],
        SalesOrderLineStatus="Backorder" if wanted.open else "Delivered",
    )


def _row(model: type[R], **values: Any) -> R:
    told = {
        name: NumberText(f"{value:f}" if isinstance(value, Decimal) else str(value))
        if isinstance(value, Decimal | int)
        else value
        for name, value in values.items()
    }
    if "dataAreaId" in model.model_fields:
        told["dataAreaId"] = COMPANY
    return model.model_validate(told)
