"""The item map of a market: from the shop's SKU to the ERP's item, kept in Redis.

A SKU is the ERP's ItemNumber, or the ProductVariantNumber of a variant.
"""

from dataclasses import dataclass

from pricing_proxy.shared_state.kept_map import MapKind


@dataclass(frozen=True, slots=True)
class Item:
    """What pricing needs to know of one sellable thing.

    Attributes:
        sku: The shop's SKU.
        item_number: The ERP's ItemNumber (of the master, for a variant).
        color, size, style, configuration, version: Product dimensions; empty where unused.
        sales_unit: The unit a quantity is in when the caller names none.
        list_price: Base price in the company's currency, the ERP's own text; None when not set.
        is_sold: False when the ERP has stopped it for sales.
        list_price_unit: How many sales units that is for; whoever shows a price divides.
    """

    sku: str
    item_number: str
    color: str
    size: str
    style: str
    configuration: str
    version: str
    sales_unit: str
    list_price: str | None
    is_sold: bool
    list_price_unit: str = "1"


ITEMS = MapKind(name="items", row=Item, version=1)
