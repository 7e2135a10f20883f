"""Credit notes: for returned goods, and for an amount of money alone.

What is credited of an order's lines is a return first, as people enter it; an amount is a line of
its own on the order, below zero, which no packing slip has.
"""

from collections.abc import Mapping
from decimal import Decimal

from pricing_proxy.sandbox.book import ZERO, fold
from pricing_proxy.sandbox.documents.invoice_rows import Invoice, InvoiceLine
from pricing_proxy.sandbox.documents.invoicing import InvoiceTerms, Invoicing
from pricing_proxy.sandbox.documents.line_defaults import ALLOWANCE
from pricing_proxy.sandbox.documents.numbers import NumberSequence
from pricing_proxy.sandbox.documents.open_lines import OpenLines
from pricing_proxy.sandbox.documents.posted import SLIP_LINES, SLIPS, Posted
from pricing_proxy.sandbox.documents.returns import ReturnBook
from pricing_proxy.sandbox.documents.rows import DocumentRow
from pricing_proxy.sandbox.row_values import day
from pricing_proxy.sandbox.stock.ledger import StockRefusedError
from pricing_proxy.sandbox.stock.places import DEFAULT_WAREHOUSE

_FIRST_SLIP = 901
_GONE = ("Scrap", "ReplaceScrap", "CreditOnly")


class Credits:
    """Posts credit notes."""

    def __init__(
        self, lines: OpenLines, posted: Posted, returns: ReturnBook, invoicing: Invoicing
    ) -> None:
        self._lines = lines
        self._posted = posted
        self._returns = returns
        self._invoicing = invoicing
        self._slips = NumberSequence(_FIRST_SLIP)

    def enter_return(self, order: str, quantities: Mapping[str, Decimal | None]) -> str:
        """Enter a return of an order's lines, of all that is invoiced where none are named.

        What an order has below zero, such as its rounding, was never sent and cannot come back.

        Raises:
            Refusal: More is returned than was sold.
            StockRefusedError: Nothing of it is invoiced.
        """
        header = self._lines.header(order)
        asked = self._lines.chosen(order, quantities, only_stocked=False)
        lots = {
            lot: max(ZERO, self._lines.done(lot).invoiced) if quantity is None else quantity
            for lot, quantity in asked.items()
        }
        if not any(lots.values()):
            raise StockRefusedError("Nothing is invoiced.")
        company = header["dataAreaId"]
        made = self._returns.create_header(
            {
                "dataAreaId": company,
                "CustomerAccountNumber": header["OrderingCustomerAccountNumber"],
                "CustomersOrderReference": header["CustomersOrderReference"],
                "CurrencyCode": header["CurrencyCode"],
            }
        )
        for lot, quantity in lots.items():
            if quantity:
                self._returns.create_line(
                    {
                        "dataAreaId": company,
                        "ReturnOrderNumber": made["ReturnOrderNumber"],
                        "ReturningInventoryLotId": lot,
                        "ReturnSalesQuantity": -quantity,
                        "ReturnWarehouseId": self._lines.row(lot)["ShippingWarehouseId"],
                        "ReturnSiteId": self._lines.row(lot)["ShippingSiteId"],
                    }
                )
        return str(made["ReturnOrderNumber"])

    def credit(self, number: str, terms: InvoiceTerms) -> Invoice:
        """Take in a return's goods, and post its credit note; raises `StockRefusedError`."""
        header = self.header(number)
        lines = [
            line
            for line in self._returns.lines.having("ReturnOrderNumber", number)
            if line["ReturnStatus"] not in ("Invoiced", "Canceled")
        ]
        if not lines:
            raise StockRefusedError(f"Nothing of return {number} is left to credit.")
        self._take_in(header, lines)
        billed = [self._billed(line) for line in lines]
        invoice = self._invoicing.post(
            billed, self._like_order(header), terms, rma=header["RMANumber"]
        )
        for line in lines:
            now = self._posted.now()
            self._returns.lines.put(
                line.changed({"ReturnStatus": "Invoiced", "ReturnClosedDate": now})
            )
        told = {"ReturnStatus": "Closed", "ReturnOrderStatus": "Invoiced"}
        self._returns.headers.put(header.changed(told))
        return invoice

    def credit_amount(
        self, order: str, amount: Decimal, terms: InvoiceTerms, *, tax_group: str
    ) -> Invoice:
        """Post a credit note of an amount, net, that is for none of an order's goods."""
        header = self._lines.header(order)
        row = self._lines.orders.create_line(
            {
                "dataAreaId": header["dataAreaId"],
                "SalesOrderNumber": order,
                "ItemNumber": ALLOWANCE,
                "OrderedSalesQuantity": Decimal(-1),
                "SalesPrice": amount,
                "SalesTaxItemGroupCode": tax_group,
                "ShippingSiteId": "1",
            }
        )
        lots = {row["InventoryLotId"]: Decimal(-1)}
        return self._invoicing.invoice({order: lots}, terms)

    def header(self, number: str) -> DocumentRow:
        """Return a return's header; raises `StockRefusedError` where there is none."""
        found = self._returns.headers.having("ReturnOrderNumber", number)
        if not found:
            raise StockRefusedError(f"There is no return {number}.")
        return found[0]

    def _take_in(self, header: DocumentRow, lines: list[DocumentRow]) -> None:
        """Have goods arrive, on a packing slip of the return."""
        arrived = [line for line in lines if line["ReturnDispositionCode"] != "CreditOnly"]
        for line in arrived:
            self._put_back(line)
        if not arrived:
            return
        today = day(self._invoicing.today())
        record, slip = self._posted.record_id(), f"PS-{self._slips.next()}"
        told = {
            "PackingSlipId": slip,
            "SalesId": header["ReturnOrderNumber"],
            "DeliveryDate": today,
        }
        self._posted.add(
            SLIPS,
            **told,
            SourceDocumentHeader=record,
            SourceKey=record,
            SalesType="ReturnItem",
            ReturnItemNum=header["RMANumber"],
            OrderAccount=header["CustomerAccountNumber"],
            InvoiceAccount=header["InvoiceCustomerAccountNumber"],
            CustomerRef=header["CustomersOrderReference"],
            Qty=sum(line["ReturnSalesQuantity"] for line in arrived),
        )
        for number, line in enumerate(arrived, start=1):
            self._posted.add(
                SLIP_LINES,
                **told,
                SourceDocumentLine=self._posted.record_id(),
                OrigSalesId=header["ReturnOrderNumber"],
                InventTransId=line["ReturnInventoryLotId"],
                ItemId=line["ItemNumber"],
                LineNum=Decimal(number),
                Ordered=line["ReturnSalesQuantity"],
                Qty=line["ReturnSalesQuantity"],
                SalesUnit=line["SalesUnitSymbol"],
            )

    def _put_back(self, line: DocumentRow) -> None:
        ledger, lot = self._lines.ledger, line["ReturningInventoryLotId"]
        if lot not in ledger.lines or line["ReturnDispositionCode"] in _GONE:
            return
        sku, _ = ledger.lines[lot].place
        place = (fold(sku), line["ReturnWarehouseId"] or DEFAULT_WAREHOUSE)
        back = self._lines.held(lot, -line["ReturnSalesQuantity"])
        ledger.put(place, ledger.balance(place).on_hand + back)

    def _billed(self, line: DocumentRow) -> InvoiceLine:
        """Return a return's line as one of an order, taxed like the line that it takes back."""
        lot = line["ReturningInventoryLotId"]
        like = self._lines.row(lot) if lot else self._empty_line()
        names = ("ItemNumber", "SalesUnitSymbol", "SalesPrice", "LineAmount", "LineDescription")
        row = like.changed(
            {
                **{name: line[name] for name in names},
                "OrderedSalesQuantity": line["ReturnSalesQuantity"],
                "FixedPriceCharges": Decimal(0),
                "ShippingWarehouseId": line["ReturnWarehouseId"],
                "ShippingSiteId": line["ReturnSiteId"],
            }
        )
        return InvoiceLine(
            lot=line["ReturnInventoryLotId"],
            order=line["ReturnOrderNumber"],
            row=row,
            is_stocked=False,
        )

    def _empty_line(self) -> DocumentRow:
        return self._lines.orders.empty_line()

    def _like_order(self, header: DocumentRow) -> DocumentRow:
        """Return a return's header under the names of an order's."""
        return self._lines.orders.empty_header().changed(
            {
                "dataAreaId": header["dataAreaId"],
                "SalesOrderNumber": header["ReturnOrderNumber"],
                "OrderingCustomerAccountNumber": header["CustomerAccountNumber"],
                "InvoiceCustomerAccountNumber": header["InvoiceCustomerAccountNumber"],
                "CustomersOrderReference": header["CustomersOrderReference"],
                "CustomerRequisitionNumber": header["CustomerRequisitionNumber"],
                "CurrencyCode": header["CurrencyCode"],
            }
        )
