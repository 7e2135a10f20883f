"""The rows that a posted invoice leaves in the sets of invoices.

An invoice over several orders names the first one in its head and in each of its lines;
`OrigSalesId` and the lot say whose a line is. A credit note is an invoice below zero. Amounts
include tax where the order's prices do; then `LineAmountTax` says how much of it is tax.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.book import ZERO
from pricing_proxy.sandbox.documents.amounts import order_totals
from pricing_proxy.sandbox.documents.posted import (
    INVOICE_JOURNAL,
    INVOICE_LINES,
    INVOICE_TRANSACTIONS,
    INVOICES,
    SLIP_LINES,
    SLIPS_OF_INVOICES,
    Posted,
)
from pricing_proxy.sandbox.row_values import Row, day

_DUE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """A line of an invoice.

    Attributes:
        lot: Of the line of the order or return.
        order: Whose it is.
        row: As the order's line, with the quantity and the amount of the invoice.
        is_stocked: Whether stock knows it.
    """

    lot: str
    order: str
    row: Row
    is_stocked: bool

    @property
    def quantity(self) -> Decimal:
        """How much is invoiced; below zero of a credit note."""
        return Decimal(self.row["OrderedSalesQuantity"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A posted invoice.

    Attributes:
        order: The order that its head names.
        rma: Of a credit note for a return.
        total: What is to be paid, tax included.
    """

    number: str
    day: date
    order: str
    account: str
    currency: str
    rma: str
    total: Decimal
    tax: Decimal
    lines: Sequence[InvoiceLine]

    @property
    def due(self) -> date:
        """When it is to be paid."""
        return self.day + _DUE


def invoice_of(
    lines: Sequence[InvoiceLine],
    header: Row,
    *,
    number: str,
    when: date,
    rounding: str,
    rma: str = "",
) -> Invoice:
    """Return an invoice with its sums.

    Args:
        lines: Its lines.
        header: Of the order that it names, as an order's.
        number: Its number.
        when: Its date.
        rounding: Of tax, as of orders.
        rma: Of a return.
    """
    included = header["ArePricesIncludingSalesTax"] == "Yes"
    rows = [line.row for line in lines]
    totals = order_totals(rows, tax_included=included, rounding=rounding)
    return Invoice(
        number=number,
        day=when,
        order=header["SalesOrderNumber"],
        account=header["InvoiceCustomerAccountNumber"],
        currency=header["CurrencyCode"],
        rma=rma,
        total=totals.amount,
        tax=totals.tax,
        lines=lines,
    )


def post_invoice(posted: Posted, invoice: Invoice, header: Row) -> None:
    """Write all rows of an invoice."""
    record = posted.record_id()
    _post_head(posted, invoice, header)
    _post_journal(posted, invoice, header, record)
    is_gross = header["ArePricesIncludingSalesTax"] == "Yes"
    for number, line in enumerate(invoice.lines, start=1):
        tax = order_totals([line.row], tax_included=is_gross, rounding="line").tax
        _post_line(posted, invoice, line, number, tax)
        transaction = _post_transaction(posted, invoice, line, number, tax, is_gross=is_gross)
        if line.is_stocked:
            _link(posted, invoice, line, (record, transaction))


def _post_head(posted: Posted, invoice: Invoice, header: Row) -> None:
    same = ("DeliveryModeCode", "DeliveryTermsCode", "PaymentTermsName", "ContactPersonId")
    address = ("City", "CountryRegionId", "CountryRegionISOCode", "Street", "StreetNumber")
    posted.add(
        INVOICES,
        InvoiceNumber=invoice.number,
        InvoiceDate=day(invoice.day),
        LedgerVoucher=_voucher(invoice),
        SalesOrderNumber=invoice.order,
        InvoiceCustomerAccountNumber=invoice.account,
        CurrencyCode=invoice.currency,
        TotalInvoiceAmount=invoice.total,
        TotalTaxAmount=invoice.tax,
        InvoiceHeaderTaxAmount=ZERO,
        TotalChargeAmount=ZERO,
        TotalDiscountAmount=_discount(invoice),
        CustomersOrderReference=header["CustomersOrderReference"],
        SalesOrderOriginCode=header["SalesOrderOriginCode"],
        **{name: header[name] for name in same},
        **{f"InvoiceAddress{name}": header[f"DeliveryAddress{name}"] for name in address},
        InvoiceAddressZipCode=header["DeliveryAddressZipCode"],
        InvoiceAddressState=header["DeliveryAddressStateId"],
    )


def _post_journal(posted: Posted, invoice: Invoice, header: Row, record: int) -> None:
    posted.add(
        INVOICE_JOURNAL,
        SourceKey=record,
        InvoiceId=invoice.number,
        InvoiceDate=day(invoice.day),
        DocumentDate=day(invoice.day),
        DueDate=day(invoice.due),
        LedgerVoucher=_voucher(invoice),
        SalesId=invoice.order,
        SalesType="ReturnItem" if invoice.rma else "Sales",
        ReturnItemNum=invoice.rma,
        ReturnStatus="Closed" if invoice.rma else "None",
        OrderAccount=header["OrderingCustomerAccountNumber"],
        InvoiceAccount=invoice.account,
        CustomerRef=header["CustomersOrderReference"],
        PurchaseOrder=header["CustomerRequisitionNumber"],
        SalesOriginId=header["SalesOrderOriginCode"],
        CurrencyCode=invoice.currency,
        InclTax=header["ArePricesIncludingSalesTax"],
        InvoiceAmount=invoice.total,
        SumTax=invoice.tax,
        SalesBalance=invoice.total - invoice.tax,
        SumLineDisc=_discount(invoice),
        SumMarkup=ZERO,
        Qty=sum((line.quantity for line in invoice.lines), ZERO),
        DlvMode=header["DeliveryModeCode"],
    )


def _post_line(
    posted: Posted, invoice: Invoice, line: InvoiceLine, number: int, tax: Decimal
) -> None:
    row = line.row
    dimensions = ("Color", "Configuration", "Size", "Style", "Version")
    posted.add(
        INVOICE_LINES,
        InvoiceNumber=invoice.number,
        InvoiceDate=day(invoice.day),
        LedgerVoucher=_voucher(invoice),
        LineCreationSequenceNumber=number,
        ProductNumber=row["ItemNumber"],
        ProductName=row["LineDescription"],
        ProductDescription=row["LineDescription"],
        InvoicedQuantity=line.quantity,
        SalesUnitSymbol=row["SalesUnitSymbol"],
        SalesPrice=row["SalesPrice"],
        CurrencyCode=invoice.currency,
        LineAmount=row["LineAmount"],
        LineTotalTaxAmount=tax,
        LineTotalDiscountAmount=_line_discount(row),
        LineTotalChargeAmount=ZERO,
        InventorySiteId=row["ShippingSiteId"],
        InventoryWarehouseId=row["ShippingWarehouseId"],
        ConfirmedShippingDate=row["ConfirmedShippingDate"],
        **{f"Product{name}Id": row[f"Product{name}Id"] for name in dimensions},
    )


def _post_transaction(
    posted: Posted,
    invoice: Invoice,
    line: InvoiceLine,
    number: int,
    tax: Decimal,
    *,
    is_gross: bool,
) -> int:
    """Write the row that says whose an invoice's line is; return its record."""
    row, record = line.row, posted.record_id()
    told: dict[str, Any] = {"LineAmountTax": tax} if is_gross else {}
    posted.add(
        INVOICE_TRANSACTIONS,
        SourceKey=record,
        SourceDocumentLine=posted.record_id(),
        InvoiceId=invoice.number,
        InvoiceDate=day(invoice.day),
        LineCreationSequenceNumber=number,
        LineNum=Decimal(number),
        SalesId=invoice.order,
        OrigSalesId=line.order,
        InventTransId=line.lot,
        ItemId=row["ItemNumber"],
        Name=row["LineDescription"],
        Qty=line.quantity,
        SalesUnit=row["SalesUnitSymbol"],
        SalesPrice=row["SalesPrice"],
        PriceUnit=row["SalesPriceQuantity"],
        CurrencyCode=invoice.currency,
        LineAmount=row["LineAmount"],
        TaxAmount=tax,
        DiscAmount=_line_discount(row),
        DiscPercent=row["LineDiscountPercentage"],
        StockedProduct="Yes" if line.is_stocked else "No",
        DlvDate=row["ConfirmedShippingDate"],
        **told,
    )
    return record


def _link(posted: Posted, invoice: Invoice, line: InvoiceLine, records: tuple[int, int]) -> None:
    """Say which packing slips an invoice's line bills: the oldest first."""
    left = line.quantity
    for slip in posted.having(SLIP_LINES, "InventTransId", line.lot):
        mine = {
            name: slip[name]
            for name in ("SalesId", "PackingSlipId", "DeliveryDate", "LineNum", "OrigSalesId")
        }
        billed = (
            row["Quantity"]
            for row in posted.having(SLIPS_OF_INVOICES, "PackingSlipId", slip["PackingSlipId"])
            if all(row[name] == value for name, value in mine.items())
        )
        quantity = min(left, slip["Qty"] - sum(billed, ZERO))
        if quantity <= 0:
            continue
        left -= quantity
        posted.add(
            SLIPS_OF_INVOICES,
            **mine,
            InvoiceId=invoice.number,
            Quantity=quantity,
            InvoiceJourRecId=records[0],
            InvoiceTransRecId=records[1],
        )


def _voucher(invoice: Invoice) -> str:
    return f"AR{invoice.number.removeprefix('C')}"


def _discount(invoice: Invoice) -> Decimal:
    return sum((_line_discount(line.row) for line in invoice.lines), ZERO)


def _line_discount(row: Row) -> Decimal:
    unit = row["SalesPriceQuantity"] or Decimal(1)
    whole = row["OrderedSalesQuantity"] * row["SalesPrice"] / unit
    off: Decimal = whole + row["FixedPriceCharges"] - row["LineAmount"]
    return off.quantize(Decimal("0.01"))
