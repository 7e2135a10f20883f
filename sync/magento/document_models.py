"""Invoices, shipments and credit memos of Magento, under its own field names.

Lines point to the order's by `order_item_id`, and also list companions without a value
(the child of a configurable, the parent of a bundle). In contrast to an order's,
`row_total` is before discount here. A credit memo's own totals count, not the sum of
its lines: with a discounted shipping they differ.
"""

from decimal import Decimal
from typing import Annotated

from sync.magento.wire_types import Amount, Instant, Members, Rows, ShopModel, Text


class DocumentLine(ShopModel):
    """A line of an invoice or a credit memo."""

    entity_id: int
    order_item_id: int
    product_id: int | None = None
    sku: Text = ""
    name: Text = ""
    qty: Amount = Decimal(0)
    price: Amount = Decimal(0)
    price_incl_tax: Amount = Decimal(0)
    row_total: Amount = Decimal(0)
    row_total_incl_tax: Amount = Decimal(0)
    tax_amount: Amount = Decimal(0)
    discount_amount: Amount = Decimal(0)
    discount_tax_compensation_amount: Amount = Decimal(0)


class DocumentComment(ShopModel):
    """A comment on a document."""

    comment: Text = ""
    created_at: Instant


class MoneyDocument(ShopModel):
    """What invoices and credit memos share.

    Attributes:
        state: 2 is paid or refunded, 3 is cancelled.
        discount_amount: Negative.
    """

    entity_id: int
    increment_id: str
    order_id: int
    store_id: int | None = None
    state: int | None = None
    order_currency_code: str
    created_at: Instant
    updated_at: Instant
    subtotal: Amount = Decimal(0)
    discount_amount: Amount = Decimal(0)
    discount_tax_compensation_amount: Amount = Decimal(0)
    shipping_amount: Amount = Decimal(0)
    shipping_tax_amount: Amount = Decimal(0)
    shipping_incl_tax: Amount = Decimal(0)
    tax_amount: Amount = Decimal(0)
    grand_total: Amount = Decimal(0)
    items: Annotated[tuple[DocumentLine, ...], Rows] = ()
    comments: Annotated[tuple[DocumentComment, ...], Rows] = ()


class Invoice(MoneyDocument):
    """An invoice; the first one of an order carries all of its shipping."""

    transaction_id: Text = ""
    total_qty: Amount = Decimal(0)
    shipping_discount_tax_compensation_amount: Amount = Decimal(0)


class CreditMemo(MoneyDocument):
    """A credit memo; adjustments change the total only, without tax."""

    invoice_id: int | None = None
    adjustment_positive: Amount = Decimal(0)
    adjustment_negative: Amount = Decimal(0)


class ShippedLine(ShopModel):
    """A line of a shipment."""

    order_item_id: int
    product_id: int | None = None
    sku: Text = ""
    name: Text = ""
    qty: Amount = Decimal(0)


class Track(ShopModel):
    """A parcel's number."""

    track_number: Text = ""
    title: Text = ""
    carrier_code: Text = ""


class ShipmentExtension(ShopModel):
    """Which stock it left."""

    source_code: Text = ""


class Shipment(ShopModel):
    """A shipment; Magento repeats one gladly, so look for the own mark first."""

    entity_id: int
    increment_id: str
    order_id: int
    created_at: Instant
    updated_at: Instant
    items: Annotated[tuple[ShippedLine, ...], Rows] = ()
    tracks: Annotated[tuple[Track, ...], Rows] = ()
    comments: Annotated[tuple[DocumentComment, ...], Rows] = ()
    extension_attributes: Annotated[ShipmentExtension, Members] = ShipmentExtension()
