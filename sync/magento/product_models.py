"""Products of Magento, under its own field names."""

from decimal import Decimal
from typing import Annotated

from sync.magento.wire_types import Amount, CustomAttribute, Rows, ShopModel, Text


class ShopProduct(ShopModel):
    """What an order line needs to know of its product; `sku` is without option suffixes."""

    id: int
    sku: str
    name: Text = ""
    status: int | None = None
    price: Amount = Decimal(0)
    custom_attributes: Annotated[tuple[CustomAttribute, ...], Rows] = ()
