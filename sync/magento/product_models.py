"""Products of Magento, under its own field names."""

from decimal import Decimal
from typing import Annotated, Any

from sync.magento.wire_types import Amount, CustomAttribute, Flag, Members, Rows, ShopModel, Text


class ShopProduct(ShopModel):
    """What an order line needs to know of its product; `sku` is without option suffixes."""

    id: int
    sku: str
    name: Text = ""
    status: int | None = None
    price: Amount = Decimal(0)
    custom_attributes: Annotated[tuple[CustomAttribute, ...], Rows] = ()


class StockSettings(ShopModel):
    """How many pieces an order may have; where the shop's own settings apply, a flag says so.

    Attributes:
        min_qty: So many are never sold; below zero, so many more than there are.
    """

    min_qty: Amount = Decimal(0)
    use_config_min_qty: Flag = True
    min_sale_qty: Amount = Decimal(0)
    use_config_min_sale_qty: Flag = True
    max_sale_qty: Amount = Decimal(0)
    use_config_max_sale_qty: Flag = True
    qty_increments: Amount = Decimal(0)
    use_config_qty_increments: Flag = True
    enable_qty_increments: Flag = False
    use_config_enable_qty_inc: Flag = True


class ProductExtensions(ShopModel):
    """What Magento's own modules add to a product.

    Attributes:
        stock_item: In no list; a product that is read alone has it.
        configurable_product_links: Ids of a configurable's children.
    """

    website_ids: Annotated[tuple[int, ...], Rows] = ()
    stock_item: StockSettings | None = None
    configurable_product_links: Annotated[tuple[int, ...], Rows] = ()


class CatalogProduct(ShopProduct):
    """A product as one store view has it.

    Attributes:
        weight: None where it has none, as services have not.
    """

    type_id: Text = ""
    weight: Decimal | None = None
    extension_attributes: Annotated[ProductExtensions, Members] = ProductExtensions()

    def attribute(self, code: str) -> Any:
        """Return the value of an attribute, None where it has none."""
        found = (each.value for each in self.custom_attributes if each.attribute_code == code)
        return next(found, None)
