"""The item map of a market: from the shop's SKU to the ERP's item, kept in Redis.

A SKU is the ERP's ItemNumber, or the ProductVariantNumber of a variant. Whoever
reads the ERP's catalog writes the whole map at once; readers see the old map or
the new one, never a mixture.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime

from pricing_proxy.shared_state import snapshots


@dataclass(frozen=True, slots=True)
class Item:
    """What pricing needs to know of one sellable thing.

    Attributes:
        sku: The shop's SKU.
        item_number: The ERP's ItemNumber (of the master, for a variant).
        color, size, style, configuration, version: Product dimensions; empty where unused.
        sales_unit: The unit a quantity is in when the caller names none.
        list_price: Base price of one sales unit in the company's currency; None when not set.
        is_sold: False when the ERP has stopped it for sales.
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


@dataclass(frozen=True, slots=True)
class ItemMap:
    """All items of a market as the ERP listed them at one time."""

    items: Mapping[str, Item]
    as_of: datetime


# Raise when Item changes its shape: an older map is then read anew from the ERP.
_VERSION = 1


def key(market: str) -> str:
    """Return the Redis key of a market's item map."""
    return f"items:{{{market}}}"


def encode(item_map: ItemMap) -> bytes:
    """Return the map as it is kept."""
    rows = [astuple(item) for item in item_map.items.values()]
    return snapshots.encode(rows, version=_VERSION, as_of=item_map.as_of)


def decode(value: bytes | None) -> ItemMap | None:
    """Return the kept map, None when there is none of this version."""
    kept = snapshots.decode(value, version=_VERSION)
    if kept is None:
        return None
    items = (Item(*row) for row in kept.rows)
    return ItemMap({item.sku: item for item in items}, kept.as_of)
