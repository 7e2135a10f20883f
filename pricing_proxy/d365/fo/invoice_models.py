"""What the ERP says of invoices and credit notes, which are invoices below zero.

No set of the standard ones says whose line of which order an invoice's line is. Two others do,
which are there for analytics or for printing, and not in every environment.
"""

# ruff: noqa: N815 - the names are the wire's
from decimal import Decimal

from pricing_proxy.d365.fo.instants import Instant
from pricing_proxy.d365.fo.models import Day, Number, Row, Text


class InvoiceRow(Row):
    """A row of `SalesInvoiceHeadersV2`: a posted invoice, or a credit note.

    Attributes:
        SalesOrderNumber: Its order; one of them where it bills several, and the return where it
            is the credit note of one.
        TotalInvoiceAmount: With tax; below zero of a credit note.
    """

    entity_set = "SalesInvoiceHeadersV2"
    key = ("dataAreaId", "InvoiceNumber", "InvoiceDate", "LedgerVoucher")
    shown_by = "InvoiceNumber"

    dataAreaId: str
    InvoiceNumber: str
    InvoiceDate: Day
    LedgerVoucher: Text
    SalesOrderNumber: Text
    TotalInvoiceAmount: Number


class InvoiceLineRow(Row):
    """A row of `SalesInvoiceV2Lines`: a line, of which no lot is told.

    Attributes:
        LineAmount: In the currency of the invoice.
    """

    entity_set = "SalesInvoiceV2Lines"
    key = (
        "dataAreaId",
        "InvoiceNumber",
        "LineCreationSequenceNumber",
        "InvoiceDate",
        "LedgerVoucher",
    )
    shown_by = "InvoiceNumber"

    dataAreaId: str
    InvoiceNumber: str
    LineCreationSequenceNumber: Number
    InvoiceDate: Day
    LedgerVoucher: Text
    ProductNumber: Text
    ProductColorId: Text
    ProductConfigurationId: Text
    ProductSizeId: Text
    ProductStyleId: Text
    ProductVersionId: Text
    InvoicedQuantity: Number
    LineAmount: Number
    LineTotalTaxAmount: Number


class LotInvoiceLineRow(Row):
    """A row of `CustInvoiceTransBiEntities`: a line, with the lot that it bills.

    Attributes:
        InventTransId: The lot of the order's line; of the return's own line in a credit note.
        SalesId: The order that the invoice is filed under.
        OrigSalesId: The line's own, which is another one where an invoice is of several.
        Qty: In the line's sales unit; below zero where it is credited.
        LineAmount: With tax where the order's prices are.
        LineAmountTax: How much of `LineAmount` is tax.
    """

    entity_set = "CustInvoiceTransBiEntities"
    key = ("dataAreaId", "InvoiceId", "InvoiceDate", "LineCreationSequenceNumber")
    shown_by = "InvoiceId"

    dataAreaId: str
    InvoiceId: str
    InvoiceDate: Day
    LineCreationSequenceNumber: Number
    InventTransId: Text
    SalesId: Text
    OrigSalesId: Text
    Qty: Number
    LineAmount: Number
    LineAmountTax: Number
    TaxAmount: Number
    CreatedOn: Instant
    SysModifiedDateTime: Instant

    @property
    def order(self) -> str:
        """The order or return that it bills of."""
        return self.OrigSalesId or self.SalesId

    @property
    def net(self) -> Decimal:
        """Its amount without tax."""
        return self.LineAmount.value - self.LineAmountTax.value


class InvoicedSlipRow(Row):
    """A row of `BusinessDocumentStockedPackingSlipLinesV3`: what of a slip's line was billed."""

    entity_set = "BusinessDocumentStockedPackingSlipLinesV3"
    key = (
        "dataAreaId",
        "SalesId",
        "PackingSlipId",
        "DeliveryDate",
        "LineNum",
        "OrigSalesId",
        "InvoiceId",
    )
    shown_by = "InvoiceId"

    dataAreaId: str
    SalesId: Text
    PackingSlipId: Text
    DeliveryDate: Day
    LineNum: Number
    OrigSalesId: Text
    InvoiceId: Text
    Quantity: Number

    @property
    def order(self) -> str:
        """The order that it bills of."""
        return self.OrigSalesId or self.SalesId


class SlipLotRow(Row):
    """A row of `CustPackingSlipTransBiEntities` as far as it says which lot a slip's line is."""

    entity_set = "CustPackingSlipTransBiEntities"
    key = ("dataAreaId", "SourceDocumentLine")
    shown_by = "PackingSlipId"

    dataAreaId: str
    SourceDocumentLine: Number
    SalesId: Text
    PackingSlipId: Text
    DeliveryDate: Day
    LineNum: Number
    InventTransId: Text


class ReturnedLotRow(Row):
    """A row of `ReturnOrderLinesV2` as far as it says what was taken back.

    Attributes:
        ReturnInventoryLotId: Its own lot, which its credit note names.
        ReturningInventoryLotId: The lot of the order's line.
    """

    entity_set = "ReturnOrderLinesV2"
    key = ("dataAreaId", "ReturnOrderNumber", "ReturnInventoryLotId")
    shown_by = "ReturnOrderNumber"

    dataAreaId: str
    ReturnOrderNumber: str
    ReturnInventoryLotId: str
    ReturningInventoryLotId: Text
    ItemNumber: Text
    ProductColorId: Text
    ProductConfigurationId: Text
    ProductSizeId: Text
    ProductStyleId: Text
    ProductVersionId: Text
    ReturnSalesQuantity: Number


class ReturnReferenceRow(Row):
    """A row of `ReturnOrderHeadersV2` as far as it says who made the return."""

    entity_set = "ReturnOrderHeadersV2"
    key = ("dataAreaId", "ReturnOrderNumber")
    shown_by = "ReturnOrderNumber"

    dataAreaId: str
    ReturnOrderNumber: str
    CustomersOrderReference: Text
