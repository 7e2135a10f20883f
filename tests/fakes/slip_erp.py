"""Packing slips and parcels of an ERP, in memory; rows are read by the models of the client."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.row_reading import OddRows, checked_rows, readable_rows
from pricing_proxy.d365.fo.slip_models import (
    OrderChangeRow,
    OrderStatusRow,
    PackingSlipLineRow,
    PackingSlipRow,
    TrackingRow,
)
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.money import NumberText
from pricing_proxy.names import same_name_key

R = TypeVar("R", bound=Row)

COMPANY = "demf"


@dataclass
class SlipErp:
    """Plays `ErpSlips` and `ErpProgress`.

    Attributes:
        before: Happens before each call, and may raise.
        tells_changes: Whether it has the set that tells what changed.
        reads: How many requests were made, by name.
    """

    clock: Clock
    before: Callable[[str], Awaitable[None]]
    tells_changes: bool = False
    lines: list[dict[str, Any]] = field(default_factory=list)
    slips: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, Any]] = field(default_factory=list)
    parcels: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, dict[str, Any]] = field(default_factory=dict)
    reads: dict[str, int] = field(default_factory=dict)
    _keys: Any = field(default_factory=lambda: count(1))

    def order(self, number: str) -> None:
        """Enter an order without lines."""
        self.headers[number] = {
            "dataAreaId": COMPANY,
            "SalesOrderNumber": number,
            "SalesOrderStatus": "Backorder",
            "SalesOrderProcessingStatus": "Active",
            "ConfirmedShippingDate": "1900-01-01T12:00:00Z",
            "SysModifiedDateTime": self._now(),
        }

    def move(self, number: str, **members: Any) -> None:
        """Change members of an order's header."""
        self.headers[number] |= {**members, "SysModifiedDateTime": self._now()}

    def change_line(self, lot: str, **members: str) -> None:
        """Change members of a line, which changes its order too."""
        numbers = {"OrderedSalesQuantity": NumberText}
        changed = {name: numbers.get(name, str)(value) for name, value in members.items()}
        for row in self.lines:
            if row["InventoryLotId"] == lot:
                row.update(changed)
                self.move(row["SalesOrderNumber"])

    def line(
        self,
        order: str,
        reference: str,
        *,
        warehouse: str = "13",
        quantity: Decimal = Decimal(1),
        lot: str = "",
    ) -> str:
        """Add a line and return its lot, which is a new one unless it is told."""
        lot = lot or f"LOT-{next(self._keys)}"
        names = dict.fromkeys(DemandLineRow.fields(), "")
        row = {
            "dataAreaId": COMPANY,
            "InventoryLotId": lot,
            "SalesOrderNumber": order,
            "OrderLineReference": reference,
            "OrderedSalesQuantity": NumberText(f"{quantity:f}"),
            "ShippingWarehouseId": warehouse,
        }
        self.lines.append(names | row)
        return lot

    def post(
        self,
        number: str,
        quantities: dict[str, Decimal],
        *,
        day: date | None = None,
        filed_under: str = "",
        carrier: str = "DHL",
    ) -> None:
        """Post a packing slip; orders of several lots share its number."""
        by_lot = {row["InventoryLotId"]: row["SalesOrderNumber"] for row in self.lines}
        dated = f"{day or self.clock.utc().date()}T12:00:00Z"
        for order in dict.fromkeys(filed_under or by_lot.get(lot, "SO-1") for lot in quantities):
            self.heads.append(
                {
                    "dataAreaId": COMPANY,
                    "SalesId": order,
                    "PackingSlipId": number,
                    "DeliveryDate": dated,
                    "inventLocationId": "13",
                    "ShipCarrierId": carrier,
                    "DlvMode": "",
                }
            )
        for lot, quantity in quantities.items():
            own = by_lot.get(lot, "SO-1")
            self.slips.append(
                {
                    "dataAreaId": COMPANY,
                    "SourceDocumentLine": NumberText(str(next(self._keys))),
                    "SalesId": filed_under or own,
                    "OrigSalesId": own if filed_under else "",
                    "PackingSlipId": number,
                    "DeliveryDate": dated,
                    "InventTransId": lot,
                    "Qty": NumberText(f"{quantity:f}"),
                    "CreatedOn": self._now(),
                }
            )

    def correct(self, number: str, quantity: Decimal) -> None:
        """Correct what a slip says that it delivered; 0 where it is cancelled."""
        for row in self.slips:
            if row["PackingSlipId"] == number:
                row["Qty"] = NumberText(f"{quantity:f}")

    def parcel(self, order: str, slip: str, number: str, *, day: date | None = None) -> None:
        """Tell a parcel's number."""
        self.parcels.append(
            {
                "dataAreaId": COMPANY,
                "SalesOrderNumber": order,
                "PackingSlipNumber": slip,
                "DeliveryDate": f"{day or self.clock.utc().date()}T12:00:00Z",
                "TrackingNumber": number,
            }
        )

    def groups(self, orders: Collection[str]) -> Sequence[Sequence[str]]:
        numbers = list(orders)
        return [numbers[start : start + 30] for start in range(0, len(numbers), 30)]

    async def statuses(
        self, company: str, orders: Sequence[str], odd: OddRows | None = None
    ) -> list[OrderStatusRow]:
        await self._asked("statuses", company)
        rows = [self.headers[number] for number in orders if number in self.headers]
        return _read(OrderStatusRow, rows, odd)

    async def lines_of_group(
        self, company: str, orders: Sequence[str], odd: OddRows
    ) -> dict[str, list[DemandLineRow]]:
        await self._asked("lines of group", company)
        wanted = {same_name_key(order) for order in orders}
        found: dict[str, list[DemandLineRow]] = {}
        for row in _read(DemandLineRow, self.lines, odd):
            if (key := same_name_key(row.SalesOrderNumber)) in wanted:
                found.setdefault(key, []).append(row)
        return found

    async def changed(
        self, company: str, since: datetime, odd: OddRows
    ) -> list[OrderChangeRow] | None:
        await self._asked("changed", company)
        if not self.tells_changes:
            return None
        rows = [
            {"SalesId": row["SalesOrderNumber"], **row}
            for row in self.headers.values()
            if datetime.fromisoformat(row["SysModifiedDateTime"]) >= since
        ]
        return _read(OrderChangeRow, rows, odd)

    async def slips_made(
        self, company: str, since: datetime, odd: OddRows
    ) -> list[PackingSlipLineRow]:
        await self._asked("slips made", company)
        rows = [row for row in self.slips if datetime.fromisoformat(row["CreatedOn"]) >= since]
        return _read(PackingSlipLineRow, rows, odd)

    async def slips_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[PackingSlipLineRow]:
        await self._asked("slips dated", company)
        return _read(PackingSlipLineRow, _dated(self.slips, since, last), odd)

    async def slips_of(
        self, company: str, orders: Sequence[str], odd: OddRows | None = None
    ) -> list[PackingSlipLineRow]:
        await self._asked("slips of", company)
        rows = [row for row in self.slips if (row["OrigSalesId"] or row["SalesId"]) in orders]
        return _read(PackingSlipLineRow, rows, odd)

    async def heads_of(self, company: str, order: str, slip: str) -> list[PackingSlipRow]:
        await self._asked("heads of", company)
        rows = [r for r in self.heads if (r["SalesId"], r["PackingSlipId"]) == (order, slip)]
        return _read(PackingSlipRow, rows)

    async def lines_of(self, company: str, order: str) -> list[DemandLineRow]:
        await self._asked("lines of", company)
        rows = [row for row in self.lines if row["SalesOrderNumber"] == order]
        return _read(DemandLineRow, rows)

    async def parcels_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[TrackingRow]:
        await self._asked("parcels dated", company)
        return _read(TrackingRow, _dated(self.parcels, since, last), odd)

    async def parcels_of(
        self, company: str, orders: Sequence[str], odd: OddRows
    ) -> list[TrackingRow]:
        await self._asked("parcels of", company)
        wanted = {same_name_key(order) for order in orders}
        rows = [row for row in self.parcels if same_name_key(row["SalesOrderNumber"]) in wanted]
        return _read(TrackingRow, rows, odd)

    async def _asked(self, name: str, company: str) -> None:
        assert company == COMPANY
        self.reads[name] = self.reads.get(name, 0) + 1
        await self.before(name)

    def _now(self) -> str:
        return self.clock.utc().isoformat()


def _dated(rows: Sequence[dict[str, Any]], since: date, last: date | None) -> list[dict[str, Any]]:
    return [row for row in rows if since <= _day(row) <= (last or date.max)]


def _read(model: type[R], rows: Sequence[dict[str, Any]], odd: OddRows | None = None) -> list[R]:
    if odd is None:
        return [*checked_rows(model, rows, COMPANY, system="fo", needs_all=False)]
    return [*readable_rows(model, rows, COMPANY, odd, system="fo")]


def _day(row: dict[str, Any]) -> date:
    return date.fromisoformat(row["DeliveryDate"][:10])
