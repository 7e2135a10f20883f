"""What was invoiced and refunded of Magento's orders, under its own field names.

Amounts without `base_` are in the order's currency. A refund names amounts in the shop's.
"""

from decimal import Decimal
from typing import Annotated

from sync.magento.credit_memo_models import DocumentLine
from sync.magento.document_bodies import Comments
from sync.magento.order_models import Order
from sync.magento.wire_types import Amount, InstantOrNone, Number, Rows, ShopModel


class BilledOrder(Order):
    """An order with what was invoiced and refunded of it; absent until it first happens.

    Attributes:
        base_to_order_rate: What one of the shop's currency is in the order's.
        total_invoiced: With tax, over all invoices.
        shipping_invoiced: Net, before discount; all of it in the first invoice.
    """

    base_to_order_rate: Amount = Decimal(1)
    base_shipping_invoiced: Amount = Decimal(0)
    base_shipping_refunded: Amount = Decimal(0)
    shipping_invoiced: Amount = Decimal(0)
    total_invoiced: Amount = Decimal(0)


class ShopInvoice(ShopModel):
    """An invoice; its lines' `row_total` is before discount."""

    entity_id: int
    increment_id: Number
    order_id: int
    created_at: InstantOrNone = None
    items: Annotated[tuple[DocumentLine, ...], Rows] = ()
    comments: Comments = ()
