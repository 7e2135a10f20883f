"""Invoices and credit notes of an ERP, in memory; rows are read by the models of the client."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.invoice_models import (
    InvoicedSlipRow,
    InvoiceLineRow,
    InvoiceRow,
    LotInvoiceLineRow,
    ReturnedLotRow,
    SlipLotRow,
)
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.row_reading import OddRows, readable_rows
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.money import NumberText

R = TypeVar("R", bound=Row)

COMPANY = "demf"


@dataclass(frozen=True)
class SoldLine:
    """A line of the ERP's order.

    Attributes:
        net: Of the whole line.
        tax: Likewise.
    """

    lot: str
    order: str
    reference: str
    item: str
    quantity: Decimal
    net: Decimal
    tax: Decimal

    def share(self, quantity: Decimal) -> tuple[Decimal, Decimal]:
        """Return net and tax of a part of it."""
        part = quantity / self.quantity
        cent = Decimal("0.01")
        return (self.net * part).quantize(cent), (self.tax * part).quantize(cent)


@dataclass
class BillErp:
    """Plays `ErpBills` and `ErpBillLines`.

    Attributes:
        before: Happens before each call, and may raise.
        tells_lots: Whether it has `CustInvoiceTransBiEntities`.
        tells_slips: Whether it has `BusinessDocumentStockedPackingSlipLinesV3`.
        references: What stands on returns.
    """

    clock: Clock
    before: Callable[[str], Awaitable[None]]
    tells_lots: bool = True
    tells_slips: bool = True
    lines: dict[str, SoldLine] = field(default_factory=dict)
    heads: list[dict[str, Any]] = field(default_factory=list)
    billed: list[dict[str, Any]] = field(default_factory=list)
    slips: list[dict[str, Any]] = field(default_factory=list)
    returns: list[dict[str, Any]] = field(default_factory=list)
    references: dict[str, str] = field(default_factory=dict)
    _keys: Any = field(default_factory=lambda: count(1))

    def sell(self, order: str, reference: str, **of: Any) -> str:
        """Add a line to an order, and return its lot."""
        lot = f"LOT-{next(self._keys)}"
        self.lines[lot] = SoldLine(lot=lot, order=order, reference=reference, **of)
        return lot

    def invoice(
        self, number: str, quantities: Mapping[str, Decimal], *, day: date | None = None
    ) -> None:
        """Post an invoice over the orders of some lots, filed under the first of them."""
        of = {lot: self.lines[lot].order for lot in quantities}
        rows = [
            (lot, lot, of[lot], each, *self.lines[lot].share(each))
            for lot, each in quantities.items()
        ]
        self._post(number, rows, filed_under=next(iter(of.values())), day=day)
        for line, (lot, quantity) in enumerate(quantities.items(), start=1):
            self.slips.append(
                {
                    "dataAreaId": COMPANY,
                    "SalesId": of[lot],
                    "PackingSlipId": f"PS-{number}",
                    "DeliveryDate": self._dated(day),
                    "LineNum": NumberText(str(line)),
                    "OrigSalesId": of[lot],
                    "InvoiceId": number,
                    "Quantity": NumberText(f"{quantity:f}"),
                    "InventTransId": lot,
                    "SourceDocumentLine": NumberText(str(next(self._keys))),
                }
            )

    def enter_return(
        self, number: str, quantities: Mapping[str, Decimal], *, reference: str = ""
    ) -> None:
        """Enter a return of lots."""
        self.references[number] = reference
        for lot, quantity in quantities.items():
            self.returns.append(
                {
                    **dict.fromkeys(ReturnedLotRow.fields(), ""),
                    "dataAreaId": COMPANY,
                    "ReturnOrderNumber": number,
                    "ReturnInventoryLotId": f"R-{number}-{lot}",
                    "ReturningInventoryLotId": lot,
                    "ItemNumber": self.lines[lot].item,
                    "ReturnSalesQuantity": NumberText(f"{-quantity:f}"),
                }
            )

    def credit(self, number: str, of: str, *, factor: Decimal = Decimal(1)) -> None:
        """Post the credit note of a return, at a part of what was paid."""
        rows = []
        for row in self.returns:
            if row["ReturnOrderNumber"] == of:
                lot, quantity = row["ReturningInventoryLotId"], row["ReturnSalesQuantity"].value
                net, tax = self.lines[lot].share(quantity)
                rows.append(
                    (lot, row["ReturnInventoryLotId"], of, quantity, net * factor, tax * factor)
                )
        self._post(number, rows, filed_under=of)

    def credit_lines(self, number: str, order: str, amounts: Mapping[str, Decimal]) -> None:
        """Post a credit note of amounts, net, on an order's own lines or on lots nobody knows."""
        tax = Decimal("0.19")
        rows = [
            (lot, lot, order, Decimal(-1), -net, (-net * tax).quantize(Decimal("0.01")))
            for lot, net in amounts.items()
        ]
        self._post(number, rows, filed_under=order)

    async def lines_changed(
        self, company: str, since: datetime, odd: OddRows
    ) -> list[LotInvoiceLineRow] | None:
        await self._asked("lines changed", company)
        rows = [
            row
            for row in self.billed
            if datetime.fromisoformat(row["SysModifiedDateTime"]) >= since
        ]
        return _read(LotInvoiceLineRow, rows, odd) if self.tells_lots else None

    async def lines_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[LotInvoiceLineRow] | None:
        await self._asked("lines dated", company)
        rows = [row for row in self.billed if since <= _day(row) <= (last or date.max)]
        return _read(LotInvoiceLineRow, rows, odd) if self.tells_lots else None

    async def heads_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[InvoiceRow]:
        await self._asked("heads dated", company)
        heads = [row for row in self.heads if since <= _day(row) <= (last or date.max)]
        return _read(InvoiceRow, heads, odd)

    async def lots_of(self, company: str, invoice: str) -> list[LotInvoiceLineRow] | None:
        await self._asked("lots of", company)
        rows = [row for row in self.billed if row["InvoiceId"] == invoice]
        return _read(LotInvoiceLineRow, rows) if self.tells_lots else None

    async def billed_of(self, company: str, order: str) -> list[LotInvoiceLineRow] | None:
        await self._asked("billed of", company)
        rows = [row for row in self.billed if order in (row["SalesId"], row["OrigSalesId"])]
        return _read(LotInvoiceLineRow, rows) if self.tells_lots else None

    async def plain_lines_of(self, company: str, invoice: str) -> list[InvoiceLineRow]:
        await self._asked("plain lines", company)
        rows = [row for row in self.billed if row["InvoiceId"] == invoice]
        return _read(InvoiceLineRow, [_plain(row) for row in rows])

    async def slips_of(self, company: str, invoice: str) -> list[InvoicedSlipRow] | None:
        await self._asked("slips of", company)
        rows = [row for row in self.slips if row["InvoiceId"] == invoice]
        return _read(InvoicedSlipRow, rows) if self.tells_slips else None

    async def slip_lots(self, company: str, slips: Iterable[str]) -> list[SlipLotRow]:
        await self._asked("slip lots", company)
        wanted = set(slips)
        return _read(SlipLotRow, [row for row in self.slips if row["PackingSlipId"] in wanted])

    async def lines_of(self, company: str, order: str) -> list[DemandLineRow]:
        await self._asked("lines of", company)
        return self._demand(each for each in self.lines.values() if each.order == order)

    async def orders_of_lots(
        self, company: str, lots: Iterable[str], odd: OddRows
    ) -> list[DemandLineRow]:
        del odd
        await self._asked("orders of lots", company)
        return self._demand(self.lines[lot] for lot in lots if lot in self.lines)

    async def returned(
        self, company: str, returns: Iterable[str], odd: OddRows | None = None
    ) -> list[ReturnedLotRow]:
        await self._asked("returned", company)
        wanted = set(returns)
        rows = [row for row in self.returns if row["ReturnOrderNumber"] in wanted]
        return _read(ReturnedLotRow, rows, odd)

    async def reference_of(self, company: str, number: str) -> str:
        await self._asked("reference of", company)
        return self.references.get(number, "")

    async def _asked(self, name: str, company: str) -> None:
        assert company == COMPANY
        await self.before(name)

    def _post(
        self,
        number: str,
        rows: Iterable[tuple[Any, ...]],
        *,
        filed_under: str,
        day: date | None = None,
    ) -> None:
        now, total = self.clock.utc().isoformat(), Decimal(0)
        for place, (sold, lot, order, quantity, net, tax) in enumerate(rows, start=1):
            total += net + tax
            item = self.lines[sold].item if sold in self.lines else "ALLOWANCE"
            self.billed.append(
                {
                    "dataAreaId": COMPANY,
                    "InvoiceId": number,
                    "InvoiceDate": self._dated(day),
                    "LineCreationSequenceNumber": NumberText(str(place)),
                    "InventTransId": lot,
                    "SalesId": filed_under,
                    "OrigSalesId": order,
                    "Qty": NumberText(f"{quantity:f}"),
                    "LineAmount": NumberText(f"{net:f}"),
                    "LineAmountTax": NumberText("0"),
                    "TaxAmount": NumberText(f"{tax:f}"),
                    "CreatedOn": now,
                    "SysModifiedDateTime": now,
                    "ItemId": item,
                }
            )
        self.heads.append(
            {
                "dataAreaId": COMPANY,
                "InvoiceNumber": number,
                "InvoiceDate": self._dated(day),
                "LedgerVoucher": f"V-{number}",
                "SalesOrderNumber": filed_under,
                "TotalInvoiceAmount": NumberText(f"{total:f}"),
            }
        )

    def _demand(self, lines: Iterable[SoldLine]) -> list[DemandLineRow]:
        billed: dict[str, Decimal] = {}
        for row in self.billed:
            lot = row["InventTransId"]
            billed[lot] = billed.get(lot, Decimal(0)) + Decimal(row["Qty"] or 0)
        return _read(
            DemandLineRow,
            (
                {
                    **dict.fromkeys(DemandLineRow.fields(), ""),
                    "dataAreaId": COMPANY,
                    "InventoryLotId": each.lot,
                    "SalesOrderNumber": each.order,
                    "OrderLineReference": each.reference,
                    "ItemNumber": each.item,
                    "OrderedSalesQuantity": NumberText(f"{each.quantity:f}"),
                    "SalesOrderLineStatus": "Invoiced"
                    if billed.get(each.lot, Decimal(0)) >= each.quantity
                    else "Backorder",
                }
                for each in lines
            ),
        )

    def _dated(self, day: date | None) -> str:
        return f"{day or self.clock.utc().date()}T12:00:00Z"


def _read(model: type[R], rows: Iterable[dict[str, Any]], odd: OddRows | None = None) -> list[R]:
    if odd is None:
        return [model.model_validate(row) for row in rows]
    return [*readable_rows(model, [*rows], COMPANY, odd, system="fo")]


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **dict.fromkeys(InvoiceLineRow.fields(), ""),
        "dataAreaId": COMPANY,
        "InvoiceNumber": row["InvoiceId"],
        "LineCreationSequenceNumber": row["LineCreationSequenceNumber"],
        "InvoiceDate": row["InvoiceDate"],
        "ProductNumber": row["ItemId"],
        "InvoicedQuantity": row["Qty"],
        "LineAmount": row["LineAmount"],
        "LineTotalTaxAmount": row["TaxAmount"],
    }


def _day(row: Mapping[str, Any]) -> date:
    return date.fromisoformat(row["InvoiceDate"][:10])
