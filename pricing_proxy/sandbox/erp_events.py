"""Which business events F&O sends of what happens in it, and what they say.

Only that of invoices is documented; the others are an extension's, as a customer has them made,
since F&O's own classes for them are not documented. They are hints: what they tell of is read.

| event | members |
|---|---|
| XYZOnHandChanged | ItemNumber, InventoryWarehouseId |
| XYZProductChanged | ItemNumber |
| XYZPackingSlipPosted | SalesOrderId, PackingSlipId, DeliveryDate |
| XYZTrackingAdded | SalesOrderId, PackingSlipId, TrackingNumber |
| XYZSalesOrderChanged | SalesOrderId: confirmed, promised, picked, closed short, slip corrected |
| SalesInvoicePosted | InvoiceId, InvoiceAccount, SalesOrderId, its dates and amounts |
"""

from datetime import UTC, date, datetime, time

from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.business_events import BusinessEvents
from pricing_proxy.sandbox.documents.fulfilment import PackingSlip
from pricing_proxy.sandbox.documents.invoice_rows import Invoice
from pricing_proxy.sandbox.documents.rows import DocumentRow
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.product_changes import item_of
from pricing_proxy.sandbox.stock.places import Place

ON_HAND_CHANGED = "XYZOnHandChangedBusinessEvent"
PRODUCT_CHANGED = "XYZProductChangedBusinessEvent"
SLIP_POSTED = "XYZPackingSlipPostedBusinessEvent"
TRACKING_ADDED = "XYZTrackingAddedBusinessEvent"
ORDER_CHANGED = "XYZSalesOrderChangedBusinessEvent"
INVOICE_POSTED = "SalesInvoicePostedBusinessEvent"

_MIDNIGHT = time(tzinfo=UTC)


def announce(events: BusinessEvents, book: Book, documents: Documents) -> None:
    """Send an event for each thing that happens from now on."""
    told = _Told(events, book)
    documents.stock.on_change = told.on_hand
    book.on_product = told.product
    documents.fulfilment.on_slip = told.slip
    documents.fulfilment.on_order = told.order
    documents.promises.on_order = told.order
    documents.slip_changes.on_order = told.order
    documents.slip_changes.on_parcel = told.parcel
    documents.invoicing.on_invoice = told.invoice


class _Told:
    def __init__(self, events: BusinessEvents, book: Book) -> None:
        self._events = events
        self._book = book

    def on_hand(self, place: Place) -> None:
        members = {
            "ItemNumber": item_of(self._book, place[0]),
            "InventoryWarehouseId": place[1],
        }
        self._events.happened(ON_HAND_CHANGED, members)

    def product(self, number: str) -> None:
        self._events.happened(PRODUCT_CHANGED, {"ItemNumber": item_of(self._book, number)})

    def slip(self, posted: PackingSlip) -> None:
        members = {
            "SalesOrderId": posted.order,
            "PackingSlipId": posted.number,
            "DeliveryDate": _instant(date.fromisoformat(posted.day)),
        }
        self._events.happened(SLIP_POSTED, members)

    def parcel(self, row: DocumentRow) -> None:
        members = {
            "SalesOrderId": row["SalesOrderNumber"],
            "PackingSlipId": row["PackingSlipNumber"],
            "TrackingNumber": row["TrackingNumber"],
        }
        self._events.happened(TRACKING_ADDED, members)

    def order(self, number: str) -> None:
        self._events.happened(ORDER_CHANGED, {"SalesOrderId": number})

    def invoice(self, posted: Invoice) -> None:
        members = {
            "InvoiceAccount": posted.account,
            "InvoiceId": posted.number,
            "SalesOrderId": posted.order,
            "InvoiceDate": _instant(posted.day),
            "InvoiceDueDate": _instant(posted.due),
            "InvoiceAmountInAccountingCurrency": float(posted.total),
            "InvoiceTaxAmount": float(posted.tax),
        }
        self._events.happened(INVOICE_POSTED, members)


def _instant(day: date) -> str:
    return f"/Date({int(datetime.combine(day, _MIDNIGHT).timestamp() * 1000)})/"
