"""What an order's mapping must know of its market and of the things sold."""

from dataclasses import dataclass

from pricing_proxy.shared_state.item_map import Item


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


@dataclass(frozen=True, slots=True)
class Sellable:
    """What the shop's product is in the ERP.

    Attributes:
        item: The ERP's item, with its dimensions.
        shop_unit: What the shop's product says of its unit; empty when it is not asked.
    """

    item: Item
    shop_unit: str = ""
