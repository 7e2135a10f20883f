"""What an order's mapping must know of its market and of the things sold."""

from dataclasses import dataclass
from typing import NamedTuple

from pricing_proxy.names import same_name_key
from pricing_proxy.shared_state.item_map import Item

# Between a product's SKU and those of its options.
_SUFFIX = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selling:
    """The market an order is sold in.

    Attributes:
        market: Its code.
        company: The ERP's company.
        currencies: In which it sells.
    """

    market: str
    company: str
    currencies: frozenset[str]


class SoldThing(NamedTuple):
    """What is known of a thing sold, by which its item is found.

    Attributes:
        product_id: The shop's product; None where the shop deleted it from the line too.
        sku: What the order's line calls it.
        named: The ERP's number of the item that a person named; None where nobody did.
    """

    product_id: int | None
    sku: str
    named: str | None = None


@dataclass(frozen=True, slots=True)
class Sellable:
    """What the thing sold is in the ERP.

    Attributes:
        item: The ERP's item, with its dimensions: the one named, else that of the product, else
            where the shop has no such product that of the line's own SKU; None where there is none.
        shop_sku: What the shop calls the product now; None where it has none.
        shop_unit: What the shop's product says of its unit; empty when it is not asked.
    """

    item: Item | None
    shop_sku: str | None
    shop_unit: str = ""


def is_called(line_sku: str, product_sku: str, *, has_suffix: bool) -> bool:
    """Return whether a line's SKU is that of a product.

    Args:
        line_sku: What the line says.
        product_sku: What the product is called now.
        has_suffix: Whether the SKUs of chosen options may follow the product's.
    """
    line, product = same_name_key(line_sku), same_name_key(product_sku)
    return line == product or (has_suffix and line.startswith(product + _SUFFIX))
