"""The item map of a market: from the shop's SKU to the ERP's item, kept in Redis.

A SKU is the ERP's ItemNumber, or the ProductVariantNumber of a variant. Whoever
reads the ERP's catalog writes the whole map at once; readers see the old map or
the new one, never a mixture.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime

from redis.asyncio import Redis

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


async def write(redis: Redis, market: str, item_map: ItemMap) -> None:
    """Replace the kept map; raises `redis.RedisError`."""
    rows = [astuple(item) for item in item_map.items.values()]
    blob = snapshots.encode(rows, version=_VERSION, as_of=item_map.as_of)
    await redis.set(key(market), blob)


async def read(redis: Redis, market: str) -> ItemMap | None:
    """Return the kept map, None when there is none of this version; raises `redis.RedisError`."""
    snapshot = snapshots.decode(await redis.get(key(market)), version=_VERSION)
    if snapshot is None:
        return None
    items = (Item(*row) for row in snapshot.rows)
    return ItemMap({item.sku: item for item in items}, snapshot.as_of)
