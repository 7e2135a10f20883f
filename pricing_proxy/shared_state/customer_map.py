"""The customer map of a market: ERP accounts, their price groups, and the shop's ids for them.

The accounts come from the ERP and are written whole. The shop's ids come from the
sync as customers are created (the demo seeds three), and are kept beside them.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import cast

from redis.asyncio import Redis

from pricing_proxy.shared_state import snapshots


@dataclass(frozen=True, slots=True)
class Customer:
    """What pricing needs to know of one customer.

    Attributes:
        account: The ERP's CustomerAccount.
        currency: Currency of the customer's documents, ISO 4217.
        price_group: Code of the price group; empty without one. So are the discount groups.
        line_discount_group: Code of the line discount group.
        multiline_discount_group: Code of the multiline discount group.
        total_discount_group: Code of the total discount group.
    """

    account: str
    currency: str
    price_group: str
    line_discount_group: str
    multiline_discount_group: str
    total_discount_group: str


@dataclass(frozen=True, slots=True)
class CustomerMap:
    """All customers of a market as the ERP listed them at one time, so a missing one is unknown."""

    customers: Mapping[str, Customer]
    as_of: datetime


# Raise when Customer changes its shape.
_VERSION = 1


def key(market: str) -> str:
    """Return the Redis key of a market's customers."""
    return f"customers:{{{market}}}"


def ids_key(market: str) -> str:
    """Return the Redis key of the hash from the shop's customer id to the ERP account."""
    return f"customer_ids:{{{market}}}"


async def write(redis: Redis, market: str, customer_map: CustomerMap) -> None:
    """Replace the kept customers; raises `redis.RedisError`."""
    rows = [astuple(customer) for customer in customer_map.customers.values()]
    blob = snapshots.encode(rows, version=_VERSION, as_of=customer_map.as_of)
    await redis.set(key(market), blob)


async def read(redis: Redis, market: str) -> CustomerMap | None:
    """Return the kept customers, None when there are none; raises `redis.RedisError`."""
    snapshot = snapshots.decode(await redis.get(key(market)), version=_VERSION)
    if snapshot is None:
        return None
    customers = (Customer(*row) for row in snapshot.rows)
    return CustomerMap({customer.account: customer for customer in customers}, snapshot.as_of)


async def write_ids(redis: Redis, market: str, accounts: Mapping[int, str]) -> None:
    """Add or replace shop ids; raises `redis.RedisError`."""
    if accounts:
        mapping = {str(shop_id): account for shop_id, account in accounts.items()}
        await cast("Awaitable[int]", redis.hset(ids_key(market), mapping=mapping))


async def read_id(redis: Redis, market: str, shop_id: int) -> str | None:
    """Return the ERP account of a shop id, None when not mapped; raises `redis.RedisError`."""
    # redis-py's types serve its blocking client too; this one always returns an awaitable.
    found = redis.hget(ids_key(market), str(shop_id))
    account = await cast("Awaitable[bytes | None]", found)
    return None if account is None else account.decode()
