"""The customer map of a market: ERP accounts, their price groups, and the shop's ids for them.

The accounts come from the ERP and are written whole; one that is newer than the map is told of
beside it, for as long as any map may be without it. The shop's ids come from the sync as
customers are linked and unlinked, a few at first from the configuration; they are kept
beside them.
"""

import json
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import cast

from redis.asyncio import Redis

from pricing_proxy.names import same_name_key
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
# The longest time between two readings of the whole map that can be configured.
NEWS_LIVE = timedelta(days=1)


def key(market: str) -> str:
    """Return the Redis key of a market's customers."""
    return f"customers:{{{market}}}"


def ids_key(market: str) -> str:
    """Return the Redis key of the hash from the shop's customer id to the ERP account."""
    return f"customer_ids:{{{market}}}"


def news_key(market: str, account: str) -> str:
    """Return the Redis key of one account, however it is spelled, that the map may not hold yet.

    Hashed: keys show up in monitoring, where no customer's number belongs.
    """
    digest = blake2b(same_name_key(account).encode(), digest_size=16).hexdigest()
    return f"customer_news:{{{market}}}:{digest}"


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


async def remove_ids(redis: Redis, market: str, shop_ids: Collection[int]) -> None:
    """Remove shop ids; raises `redis.RedisError`."""
    if shop_ids:
        await cast("Awaitable[int]", redis.hdel(ids_key(market), *map(str, shop_ids)))


async def read_mapped_ids(redis: Redis, market: str) -> set[int]:
    """Return all shop ids that have an account; raises `redis.RedisError`."""
    fields = await cast("Awaitable[list[bytes]]", redis.hkeys(ids_key(market)))
    return {int(field) for field in fields}


async def write_news(redis: Redis, market: str, customer: Customer) -> None:
    """Tell of one account; raises `redis.RedisError`."""
    text = json.dumps([_VERSION, astuple(customer)])
    await redis.set(news_key(market, customer.account), text, ex=NEWS_LIVE)


async def read_news(redis: Redis, market: str, account: str) -> Customer | None:
    """Return an account that was told of, None without word; raises `redis.RedisError`."""
    text = await redis.get(news_key(market, account))
    if text is None:
        return None
    version, members = json.loads(text)
    return Customer(*members) if version == _VERSION else None
