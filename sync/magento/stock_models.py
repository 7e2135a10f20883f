"""Sources, stocks and what they hold, under Magento's own names."""

from decimal import Decimal
from typing import Annotated

from sync.magento.wire_types import Flag, Members, Rows, ShopModel


class SourceItem(ShopModel):
    """What a source holds of a SKU.

    Attributes:
        quantity: May be below zero, if somebody wrote that.
        status: 0 where nothing of it is to be sold, whatever the quantity.
    """

    sku: str
    source_code: str
    quantity: Decimal
    status: int


class Source(ShopModel):
    """A place that goods are shipped from."""

    source_code: str
    name: str
    enabled: Flag = False


class SalesChannel(ShopModel):
    """Who sells from a stock: of type "website", by its code."""

    type: str
    code: str


class StockExtension(ShopModel):
    """What belongs to a stock."""

    sales_channels: Annotated[tuple[SalesChannel, ...], Rows] = ()


class ShopStock(ShopModel):
    """A stock, from which websites sell."""

    stock_id: int
    name: str
    extension_attributes: Annotated[StockExtension, Members] = StockExtension()

    @property
    def websites(self) -> list[str]:
        """The codes of the websites that sell from it."""
        channels = self.extension_attributes.sales_channels
        return [channel.code for channel in channels if channel.type == "website"]


class StockSourceLink(ShopModel):
    """That a source belongs to a stock."""

    stock_id: int
    source_code: str


class SalableRow(ShopModel):
    """What may be sold of a SKU: what its sources hold, less what is reserved; never below zero."""

    sku: str
    qty: Decimal
    is_salable: Flag = False
