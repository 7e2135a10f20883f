"""The rules of return orders.

A return is a sales order of another kind: its numbers come from the same sequence. A
line that names the lot of an order line takes item, unit and price from it, and cannot
return more of it than was ordered.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pricing_proxy.sandbox.book import ONE, Book, fold
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.documents.countries import check_country
from pricing_proxy.sandbox.documents.line_defaults import SERVICE_ITEMS
from pricing_proxy.sandbox.documents.numbers import NumberSequence
from pricing_proxy.sandbox.documents.orders import SalesOrderBook
from pricing_proxy.sandbox.documents.refusals import (
    header_refused,
    line_refused,
    not_found,
)
from pricing_proxy.sandbox.documents.rows import DocumentRow, DocumentTable, UndoLog
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS

_HEADERS = DOCUMENT_SETS["ReturnOrderHeadersV2"]
_LINES = DOCUMENT_SETS["ReturnOrderLinesV2"]
_CENT = Decimal("0.01")
_DISPOSITIONS = ("Credit", "CreditOnly", "Scrap", "ReplaceCredit", "ReplaceScrap", "ReturnToCust")
_FROM_ORDER_LINE = (
    "ItemNumber",
    "SalesUnitSymbol",
    "SalesPrice",
    "ProductColorId",
    "ProductSizeId",
    "ProductStyleId",
    "ProductConfigurationId",
    "ProductVersionId",
    "LineDescription",
)


class ReturnBook:
    """The return orders of the environment.

    Attributes:
        headers: By company and number.
        lines: By company, number and lot.
    """

    def __init__(
        self,
        book: Book,
        dials: Dials,
        orders: SalesOrderBook,
        *,
        numbers: NumberSequence,
        undo: UndoLog,
    ) -> None:
        self.headers = DocumentTable(
            key=_HEADERS.key, indexed=("ReturnOrderNumber", "CustomersOrderReference"), undo=undo
        )
        self.lines = DocumentTable(key=_LINES.key, indexed=("ReturnOrderNumber",), undo=undo)
        self._book = book
        self._dials = dials
        self._orders = orders
        self._numbers = numbers
        self._rmas = NumberSequence(31)
        self._lots = NumberSequence(21001)

    def create_header(self, values: Mapping[str, Any]) -> DocumentRow:
        """Add a return; raises `Refusal`."""
        account = values["CustomerAccountNumber"]
        customer = self._book.customers.get(fold(account))
        if customer is None or fold(values["dataAreaId"]) != fold(self._book.company):
            raise not_found(_HEADERS.aot_entity, account, "Customer account", "Customers")
        row = DocumentRow(
            {
                "InvoiceCustomerAccountNumber": account,
                "CurrencyCode": customer.currency,
                "LanguageId": "de",
                **values,
                "ReturnOrderNumber": self._numbers.next(),
                "RMANumber": self._rmas.next(),
                "ReturnStatus": "Created",
                "ReturnOrderStatus": "Backorder",
            },
            empty=_HEADERS.empty,
            computed={"OrderTotalAmount": self._total},
        )
        return self._put_header(row)

    def change_header(self, row: DocumentRow, values: Mapping[str, Any]) -> DocumentRow:
        """Change a return; raises `Refusal`."""
        return self._put_header(row.changed(values))

    def remove_header(self, row: DocumentRow) -> None:
        """Delete a return with its lines; raises `Refusal` once goods have arrived."""
        lines = self._lines_of(row)
        if any(line["ReturnStatus"] != "Awaiting" for line in lines):
            raise header_refused(_HEADERS.aot_entity, "The return order has registered lines.")
        for line in lines:
            self.lines.remove(line)
        self.headers.remove(row)

    def create_line(self, values: Mapping[str, Any]) -> DocumentRow:
        """Add a line; raises `Refusal`."""
        number = values["ReturnOrderNumber"]
        header = self.headers.get(values["dataAreaId"], number)
        if header is None:
            raise not_found(_LINES.aot_entity, number, "Return order", "Return orders")
        row = DocumentRow(
            {
                "ReturnWarehouseId": header["DefaultReturnWarehouseId"],
                "ReturnSiteId": header["DefaultReturnSiteId"],
                "CustomerAccountNumber": header["CustomerAccountNumber"],
                **self._from_order_line(values),
                **values,
                "ReturnInventoryLotId": self._lots.next(),
                "RMANumber": header["RMANumber"],
                "ReturnStatus": "Awaiting",
            },
            empty=_LINES.empty,
            computed={},
        )
        self._put_line(row)
        self.headers.put(header.changed({"ReturnStatus": "Open"}))
        return row

    def change_line(self, row: DocumentRow, values: Mapping[str, Any]) -> DocumentRow:
        """Change a line; raises `Refusal`."""
        return self._put_line(row.changed(values))

    def remove_line(self, row: DocumentRow) -> None:
        """Delete a line."""
        self.lines.remove(row)

    def told(self) -> list[dict[str, Any]]:
        """Return every return with its lines, as judges read them: only what was set."""
        return [{"header": header, "lines": self._lines_of(header)} for header in self.headers]

    def _put_header(self, row: DocumentRow) -> DocumentRow:
        check_country(row, prefix="ReturnAddress", aot_entity=_HEADERS.aot_entity)
        self.headers.put(row)
        return row

    def _put_line(self, row: DocumentRow) -> DocumentRow:
        aot = _LINES.aot_entity
        number = fold(row["ItemNumber"])
        if number not in self._book.items and number not in SERVICE_ITEMS:
            raise not_found(aot, row["ItemNumber"], "Item number", "Released products")
        if row["ReturnSalesQuantity"] >= 0:
            raise line_refused(aot, "Quantity must be negative.")
        if row["ReturnDispositionCode"] not in ("", *_DISPOSITIONS):
            code = row["ReturnDispositionCode"]
            raise not_found(aot, code, "Disposition code", "Disposition codes")
        self._check_lot(row)
        amount = row["ReturnSalesQuantity"] * row["SalesPrice"] / self._price_unit(row)
        row["LineAmount"] = amount.quantize(_CENT, ROUND_HALF_UP)
        self.lines.put(row)
        return row

    def _check_lot(self, row: DocumentRow) -> None:
        lot = row["ReturningInventoryLotId"]
        if not lot:
            return
        original = self._original(row)
        if original is None:
            raise not_found(_LINES.aot_entity, lot, "Return lot ID", "Inventory transactions")
        others = (
            line["ReturnSalesQuantity"]
            for line in self.lines
            if line["ReturningInventoryLotId"] == lot
            and line["ReturnInventoryLotId"] != row["ReturnInventoryLotId"]
        )
        if sum(others, row["ReturnSalesQuantity"]) + original["OrderedSalesQuantity"] < 0:
            raise line_refused(_LINES.aot_entity, f"More is returned of lot {lot} than was sold.")

    def _from_order_line(self, values: Mapping[str, Any]) -> dict[str, Any]:
        original = self._original(values)
        if original is None:
            return {}
        return {name: original[name] for name in _FROM_ORDER_LINE}

    def _price_unit(self, row: DocumentRow) -> Decimal:
        original = self._original(row) if self._dials.return_price_unit else None
        return ONE if original is None else original["SalesPriceQuantity"] or ONE

    def _original(self, values: Mapping[str, Any]) -> DocumentRow | None:
        lot = values.get("ReturningInventoryLotId", "")
        return self._orders.lines.get(values["dataAreaId"], lot)

    def _lines_of(self, header: Mapping[str, Any]) -> list[DocumentRow]:
        return self.lines.having("ReturnOrderNumber", header["ReturnOrderNumber"])

    def _total(self, header: DocumentRow) -> Decimal:
        return sum((line["LineAmount"] for line in self._lines_of(header)), Decimal(0))
