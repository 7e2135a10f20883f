"""What is kept of the lines of the shop's orders for as long as stock is reserved for them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopLine:
    """A line for which the shop has something reserved, or had it lately.

    Attributes:
        item_id: The shop's id of it, unique in the whole shop.
        parent_item_id: Of the configurable or bundle that it is a part of.
        order_id: Of its order.
        increment_id: The order's number, for people and for references.
        store_id: The store view that it was placed in.
        sku: Of what is reserved, as the shop writes it.
        folded: What all spellings of the SKU share.
        reserved: How much still is (m); below zero where the shop ended more than there was.
        cancelled: How much was cancelled.
        refunded: Pieces refunded so far.
        unshipped: Of these, the ones that were never shipped.
        erp_number: The ERP's number on the order; empty where the shop has none.
        is_expected: Whether we bring the order over; another one is looked up in the ERP.
        present_since: From when on the ERP is known to have it; None while that is not known.
        asked_as: With which number it was looked up; None where nobody asked.
        warehouse: Where the ERP ships it from, as last read; empty while nobody knows.
        counted: The source to which it was added back by the last write of its SKU; empty where
            it was to none.
        inside: How much of that is still in the source's quantity; below zero likewise.
        dropped_at: Since when the shop has nothing reserved for it, though not all was shipped.
    """

    item_id: int
    parent_item_id: int | None = None
    order_id: int
    increment_id: str
    store_id: int
    sku: str
    folded: str
    reserved: Decimal
    cancelled: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    unshipped: Decimal = Decimal(0)
    erp_number: str = ""
    is_expected: bool = True
    present_since: datetime | None = None
    asked_as: str | None = None
    warehouse: str = ""
    counted: str = ""
    inside: Decimal = Decimal(0)
    dropped_at: datetime | None = None
