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

    def on_hand(place: Place) -> None:
        members = {"ItemNumber": item_of(book, place[0]), "InventoryWarehouseId": place[1]}
        events.happened(ON_HAND_CHANGED, members)

    def product(number: str) -> None:
        events.happened(PRODUCT_CHANGED, {"ItemNumber": item_of(book, number)})

    def slip(posted: PackingSlip) -> None:
        events.happened(
            SLIP_POSTED,
            {
                "SalesOrderId": posted.order,
                "PackingSlipId": posted.number,
                "DeliveryDate": _instant(date.fromisoformat(posted.day)),
            },
        )

    def parcel(row: DocumentRow) -> None:
        events.happened(
            TRACKING_ADDED,
            {
                "SalesOrderId": row["SalesOrderNumber"],
                "PackingSlipId": row["PackingSlipNumber"],
                "TrackingNumber": row["TrackingNumber"],
            },
        )

    def order(number: str) -> None:
        events.happened(ORDER_CHANGED, {"SalesOrderId": number})

    def invoice(posted: Invoice) -> None:
        events.happened(
            INVOICE_POSTED,
            {
                "InvoiceAccount": posted.account,
                "InvoiceId": posted.number,
                "SalesOrderId": posted.order,
                "InvoiceDate": _instant(posted.day),
                "InvoiceDueDate": _instant(posted.due),
                "InvoiceAmountInAccountingCurrency": float(posted.total),
                "InvoiceTaxAmount": float(posted.tax),
            },
        )

    documents.stock.on_change = on_hand
    book.on_product = product
    documents.fulfilment.on_slip = slip
    documents.fulfilment.on_order = order
    documents.promises.on_order = order
    documents.slip_changes.on_order = order
    documents.slip_changes.on_parcel = parcel
    documents.invoicing.on_invoice = invoice


def _instant(day: date) -> str:
    return f"/Date({int(datetime.combine(day, _MIDNIGHT).timestamp() * 1000)})/"
