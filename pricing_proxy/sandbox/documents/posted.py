"""What postings leave behind: the rows of the sets that nobody writes through the interface.

A posted row stays what it was, but for corrections. `OPERATIONS` is how reads are counted.
"""

from collections.abc import Mapping
from itertools import count
from typing import Any

from pricing_proxy.sandbox.documents.order_views import order_views
from pricing_proxy.sandbox.documents.orders import SalesOrderBook
from pricing_proxy.sandbox.documents.returns import ReturnBook
from pricing_proxy.sandbox.documents.rows import DocumentRow, DocumentTable, UndoLog
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS
from pricing_proxy.sandbox.documents.shown import ReadTable

SLIPS = "CustPackingSlipJourBiEntities"
SLIP_LINES = "CustPackingSlipTransBiEntities"
SLIP_VERSIONS = "CustPackingSlipVersionBiEntities"
TRACKING = "PackingSlipTrackingInformation"
CARRIERS = "ShippingCarriers"
PICKING = "WMSPickingRouteBiEntities"
CONFIRMATIONS = "SalesOrderConfirmationHeaders"
CONFIRMATION_LINES = "SalesOrderConfirmationLines"
INVOICES = "SalesInvoiceHeadersV2"
INVOICE_LINES = "SalesInvoiceV2Lines"
INVOICE_JOURNAL = "CustInvoiceJourBiEntities"
INVOICE_TRANSACTIONS = "CustInvoiceTransBiEntities"
SLIPS_OF_INVOICES = "BusinessDocumentStockedPackingSlipLinesV3"

OPERATIONS: Mapping[str, str] = {
    SLIPS: "packing_slips",
    SLIP_LINES: "packing_slip_lines",
    SLIP_VERSIONS: "packing_slip_versions",
    TRACKING: "tracking",
    CARRIERS: "carriers",
    PICKING: "picking_routes",
    CONFIRMATIONS: "confirmations",
    CONFIRMATION_LINES: "confirmation_lines",
    INVOICES: "invoices",
    INVOICE_LINES: "invoice_lines",
    INVOICE_JOURNAL: "invoice_journal",
    INVOICE_TRANSACTIONS: "invoice_transactions",
    SLIPS_OF_INVOICES: "slips_of_invoices",
    "SalesTableBiEntities": "sales_table",
    "SalesLineBiEntities": "sales_lines",
}
"""Under which name calls to a set are counted."""

_INDEXED: Mapping[str, tuple[str, ...]] = {
    SLIPS: ("SalesId", "PackingSlipId"),
    SLIP_LINES: ("SalesId", "OrigSalesId", "InventTransId", "PackingSlipId"),
    SLIP_VERSIONS: ("CustPackingSlipJour",),
    TRACKING: ("SalesOrderNumber", "PackingSlipNumber"),
    CARRIERS: ("CarrierId",),
    PICKING: ("transRefId",),
    CONFIRMATIONS: ("SalesOrderNumber",),
    CONFIRMATION_LINES: ("SalesOrderNumber",),
    INVOICES: ("InvoiceNumber", "SalesOrderNumber"),
    INVOICE_LINES: ("InvoiceNumber",),
    INVOICE_JOURNAL: ("InvoiceId", "SalesId"),
    INVOICE_TRANSACTIONS: ("InvoiceId", "OrigSalesId", "InventTransId"),
    SLIPS_OF_INVOICES: ("InvoiceId", "OrigSalesId", "PackingSlipId"),
}
# What readers ask the latest rows by.
_INSTANTS = ("CreatedOn", "SysModifiedDateTime", "DeliveryDate", "InvoiceDate")
_FIRST_RECORD = 5_637_160_001
_CARRIERS = ("DHL", "DPD", "GLS", "UPS")


class Posted:
    """The rows of the sets that postings fill.

    Attributes:
        tables: By the name of the set.
    """

    def __init__(
        self, orders: SalesOrderBook, returns: ReturnBook, *, company: str, undo: UndoLog
    ) -> None:
        self._tables = {
            name: DocumentTable(
                key=DOCUMENT_SETS[name].key,
                indexed=_INDEXED[name],
                undo=undo,
                instants=[each for each in _INSTANTS if each in DOCUMENT_SETS[name].empty],
            )
            for name in _INDEXED
        }
        self.tables: dict[str, ReadTable] = {**self._tables, **order_views(orders, returns)}
        self._records = count(_FIRST_RECORD)
        self._undo = undo
        self.company = company
        with undo.transaction():
            for carrier in _CARRIERS:
                self.add(
                    CARRIERS,
                    CarrierId=carrier,
                    CarrierName=carrier,
                    IsShippingCarrierActive="Yes",
                    ShippingCarrierTrackingURL=f"https://{carrier.lower()}.example/track?n=%1",
                )

    def add(self, name: str, **values: Any) -> DocumentRow:
        """Add a row to a set."""
        row = DocumentRow(
            {"dataAreaId": self.company, **values}, empty=DOCUMENT_SETS[name].empty, computed={}
        )
        if "SysDataAreaId" in row.empty:
            row["SysDataAreaId"] = self.company
        for field in ("CreatedOn", "SysModifiedDateTime"):
            if field in row.empty:
                row.setdefault(field, self.now())
        self._tables[name].put(row)
        return row

    def change(self, name: str, row: DocumentRow, **values: Any) -> DocumentRow:
        """Correct a row."""
        if "SysModifiedDateTime" in row.empty:
            values["SysModifiedDateTime"] = self.now()
        changed = row.changed(values)
        self._tables[name].put(changed)
        return changed

    def having(self, name: str, field: str, value: str) -> list[DocumentRow]:
        """Return the rows of a set with a value in an indexed field."""
        return self._tables[name].having(field, value)

    def now(self) -> str:
        """Return the time as rows hold it."""
        return self._undo.time()

    def record_id(self) -> int:
        """Return an id that no row had."""
        return next(self._records)
