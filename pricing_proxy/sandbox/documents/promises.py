"""What the ERP promises of an order: confirmations, and confirmed dates that move without one.

A confirmation that is posted again counts on in its number. Dates move on lines alone, or on all
open lines and the header.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pricing_proxy.sandbox.documents.amounts import order_totals
from pricing_proxy.sandbox.documents.open_lines import OpenLines, Quantities
from pricing_proxy.sandbox.documents.posted import CONFIRMATION_LINES, CONFIRMATIONS, Posted
from pricing_proxy.sandbox.documents.rows import DocumentRow
from pricing_proxy.sandbox.row_values import day
from pricing_proxy.sandbox.stock.ledger import StockRefusedError


class Promises:
    """Confirms orders.

    Attributes:
        on_order: Told of each order that was promised something.
    """

    def __init__(self, lines: OpenLines, posted: Posted, *, today: Callable[[], date]) -> None:
        self.on_order: Callable[[str], None] = lambda _: None
        self._lines = lines
        self._posted = posted
        self._today = today

    def confirm(self, order: str, ships: date | None) -> DocumentRow:
        """Post a confirmation of an order, that says when it ships where that is told."""
        if ships is not None:
            self._move(order, {}, ships)
        header = self._lines.header(order)
        number = 1 + len(self._posted.having(CONFIRMATIONS, "SalesOrderNumber", order))
        told = {
            "SalesOrderNumber": order,
            "ConfirmationNumber": f"{order}-{number}",
            "ConfirmationDate": day(self._today()),
            "CurrencyCode": header["CurrencyCode"],
            "OrderingCustomerAccountNumber": header["OrderingCustomerAccountNumber"],
            "InvoiceCustomerAccountNumber": header["InvoiceCustomerAccountNumber"],
        }
        row = self._posted.add(
            CONFIRMATIONS,
            **told,
            CustomersOrderReference=header["CustomersOrderReference"],
            CustomerRequisitionNumber=header["CustomerRequisitionNumber"],
            ArePricesIncludingSalesTax=header["ArePricesIncludingSalesTax"],
            LanguageId=header["LanguageId"],
            TotalConfirmedAmount=header["OrderTotalAmount"],
            TotalSalesTaxAmount=header["OrderTotalTaxAmount"],
            TotalQuantity=sum(line["OrderedSalesQuantity"] for line in self._lines.of(order)),
        )
        for line in self._lines.of(order):
            self._confirm_line(header, line, told)
        self._lines.prepare(order, "Confirmation")
        self.on_order(order)
        return row

    def move(self, order: str, quantities: Quantities, ships: date) -> list[str]:
        """Promise another day, without a confirmation; return the lots it is promised for.

        Raises:
            StockRefusedError: Nothing of it is open.
        """
        moved = self._move(order, quantities, ships)
        self.on_order(order)
        return moved

    def _move(self, order: str, quantities: Quantities, ships: date) -> list[str]:
        asked = self._lines.chosen(order, quantities, only_stocked=False)
        dates = {"ConfirmedShippingDate": day(ships), "ConfirmedReceiptDate": day(ships)}
        open_lots = [lot for lot in asked if self._lines.left(lot) > 0]
        if not open_lots:
            raise StockRefusedError("Nothing is left to deliver.")
        for lot in open_lots:
            self._lines.orders.lines.put(self._lines.row(lot).changed(dates))
        if not quantities:
            header = self._lines.header(order)
            self._lines.orders.headers.put(header.changed(dates))
        return open_lots

    def _confirm_line(
        self, header: DocumentRow, line: DocumentRow, told: Mapping[str, Any]
    ) -> None:
        same = (
            *("ItemNumber", "LineNumber", "LineDescription", "SalesPrice", "SalesPriceQuantity"),
            *("LineAmount", "SalesUnitSymbol", "ShippingWarehouseId", "ShippingSiteId"),
            *("ConfirmedShippingDate", "LineDiscountAmount", "LineDiscountPercentage"),
            *("ProductColorId", "ProductSizeId", "ProductStyleId", "ProductConfigurationId"),
        )
        is_gross = header["ArePricesIncludingSalesTax"] == "Yes"
        tax = order_totals([line], tax_included=is_gross, rounding="line").tax
        self._posted.add(
            CONFIRMATION_LINES,
            **told,
            **{name: line[name] for name in same},
            SalesOrderLineInventoryLotId=line["InventoryLotId"],
            ConfirmedSalesQuantity=line["OrderedSalesQuantity"],
            TotalLineSalesTaxAmount=tax,
        )
