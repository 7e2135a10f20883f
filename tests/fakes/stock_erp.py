"""An ERP's warehouses, and what sales lines want of them, as stock reads them.

    on hand    = what lies there - what is picked
    available  = on hand - what is reserved of it
    on order   = what lines want, and neither reserved nor picked is

What lines reserve of goods that are still on their way is `ReservedOrderedQuantity`. A line takes
part of each; whatever it takes, what it wants is taken off what is free exactly once.
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
from sync.store.shop_line_records import ShopLine

R = TypeVar("R", bound=Row)

COMPANY = "demf"
_NOTHING = Decimal(0)
_DIMENSIONS = ("Color", "Configuration", "Size", "Style", "Version")


@dataclass
class ErpLine:
    """A line of a sales order; quantities in the inventory unit.

    Attributes:
        wanted: What is to be delivered yet.
        reserved: Of it, what is kept of the goods that are there.
        coming: Of it, what is kept of goods on their way.
        picked: Of it, what is taken from its place already.
    """

    number: str
    reference: str
    item: str
    warehouse: str
    wanted: Decimal
    delivered: Decimal = _NOTHING
    reserved: Decimal = _NOTHING
    coming: Decimal = _NOTHING
    picked: Decimal = _NOTHING

    @property
    def loose(self) -> Decimal:
        """What nothing is kept for."""
        return self.wanted - self.reserved - self.coming - self.picked


@dataclass
class StockErp:
    """Plays `ErpStock`, `ErpRows` and `ErpLookup`.

    Attributes:
        asked: The items that were asked for last, and when that began.
        per_sold: How many inventory units one sales unit of an item is.
        before: Happens before each call, and may raise.
    """

    clock: Clock
    before: Callable[[str], Awaitable[None]]
    asked: tuple[tuple[str, ...], datetime | None] = ((), None)
    per_sold: dict[str, int] = field(default_factory=dict)
    lying: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    coming: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    lines: list[ErpLine] = field(default_factory=list)

    def free(self, item: str, warehouses: Collection[str]) -> Decimal:
        """Return what is free of an item in sales units, by what lies there and what is wanted."""
        lying = sum((self.lying.get((item, each), _NOTHING) for each in warehouses), _NOTHING)
        wanted = sum(
            (
                line.wanted
                for line in self.lines
                if line.item == item and line.warehouse in warehouses
            ),
            _NOTHING,
        )
        return Decimal((Fraction(lying - wanted) / self.per_sold.get(item, 1)).__floor__())

    async def on_hand(
        self, company: str, warehouses: Collection[str], *, after: str = ""
    ) -> AsyncGenerator[Chunk[OnHandRow], None]:
        del company
        for item in sorted({item for item, _ in self.lying}):
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
        rows = [_demand(line) for line in self.lines if line.number in numbers]
        yield self._of(rows)

    async def having(
        self, row: type[R], field: str, values: Iterable[str], *, company: str, **_: Any
    ) -> AsyncGenerator[Chunk[R], None]:
        del company
        items = {item for item, _ in self.lying} & set(values) if field == "ItemNumber" else set()
        yield self._of([self._product(row, item) for item in sorted(items)])

    async def between(
        self, row: type[R], field: str, first: str, last: str, *, company: str
    ) -> Chunk[R]:
        del field, company
        items = sorted({item for item, _ in self.lying if first <= item <= last})
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
        return any(each.reference.startswith(f"{line.increment_id}-") for each in self.lines)

    async def _chunk(self, items: list[str], warehouses: Collection[str]) -> Chunk[OnHandRow]:
        began_at = self.clock.utc()
        await self.before("on hand")
        rows = [
            self._on_hand(item, warehouse)
            for item, warehouse in sorted(self.lying)
            if item in items and warehouse in warehouses
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
        here = [each for each in self.lines if (each.item, each.warehouse) == (item, warehouse)]
        coming = self.coming.get((item, warehouse), _NOTHING)
        on_hand = self.lying[item, warehouse] - sum((each.picked for each in here), _NOTHING)
        reserved = sum((each.reserved for each in here), _NOTHING)
        on_order = sum((each.loose for each in here), _NOTHING)
        kept = sum((each.coming for each in here), _NOTHING)
        return _row(
            OnHandRow,
            **{f"Product{name}Id": "" for name in _DIMENSIONS},
            ItemNumber=item,
            InventorySiteId="1",
            InventoryWarehouseId=warehouse,
            OnHandQuantity=on_hand,
            ReservedOnHandQuantity=reserved,
            AvailableOnHandQuantity=on_hand - reserved,
            OrderedQuantity=coming,
            ReservedOrderedQuantity=kept,
            AvailableOrderedQuantity=coming - kept,
            OnOrderQuantity=on_order,
            TotalAvailableQuantity=on_hand - reserved + coming - kept,
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


def _demand(line: ErpLine) -> DemandLineRow:
    return _row(
        DemandLineRow,
        **{f"Product{name}Id": "" for name in _DIMENSIONS},
        InventoryLotId=line.reference,
        SalesOrderNumber=line.number,
        OrderLineReference=line.reference,
        ItemNumber=line.item,
        OrderedSalesQuantity=line.wanted + line.delivered,
        SalesUnitSymbol="PCS",
        ShippingSiteId="1",
        ShippingWarehouseId=line.warehouse,
        SalesOrderLineStatus="Backorder" if line.wanted else "Delivered",
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
