"""Orders and shipments of Magento as far as stock is reserved for them, under its own names."""

from decimal import Decimal
from typing import Annotated

from sync.magento.order_line_models import LineHead
from sync.magento.order_models import OrderHead
from sync.magento.wire_types import Amount, Flag, Instant, Rows, ShopModel, Text


class ReservingLine(LineHead):
    """A line; children of configurables and bundles are lines of their own.

    Attributes:
        sku: Of the variant for a configurable and its child; with option suffixes. `product_id`
            says which product it is.
        qty_invoiced: Of a bundle's parts it may be more than was ordered.
    """

    parent_item_id: int | None = None
    product_id: int | None = None
    product_type: Text = "simple"
    sku: Text = ""
    is_virtual: Flag = False
    qty_ordered: Amount = Decimal(0)
    qty_invoiced: Amount = Decimal(0)
    qty_shipped: Amount = Decimal(0)
    qty_refunded: Amount = Decimal(0)


class ReservingOrder(OrderHead):
    """An order, with what its lines have reserved."""

    items: Annotated[tuple[ReservingLine, ...], Rows] = ()


class ShipmentHead(ShopModel):
    """What tells that more of an order was shipped: a second part moves nothing of the order."""

    entity_id: int
    order_id: int
    updated_at: Instant
