"""What Redis keeps of all markets' items and customers, as one store with its errors translated.

The maps come from the ERP and are written whole; an account that is newer than its map is told
of beside it, for as long as any map may be without it. The shop's ids for accounts come from
the sync as customers are linked and unlinked, a few at first from the configuration.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import astuple
from datetime import timedelta
from hashlib import blake2b
from typing import Any, TypeVar

from redis.asyncio import Redis

from pricing_proxy.names import same_name_key
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.customer_map import CUSTOMERS, Customer
from pricing_proxy.shared_state.guard import RedisGuard
from pricing_proxy.shared_state.kept_map import KeptMap, MapKind
from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES

R = TypeVar("R")

# The longest time between two readings of the whole map that can be configured.
_NEWS_LIVE = timedelta(days=1)


class SharedStateError(Exception):
    """Redis did not answer, so what both programs share is not known right now."""


class SharedMaps:
    """Reads and writes the maps; every method raises `SharedStateError`.

    Args:
        redis: A client.
        guard: Redis' breaker, where nobody may wait for each call of a Redis that is lost.
    """

    def __init__(self, redis: Redis, guard: RedisGuard | None = None) -> None:
        self._redis = redis
        self._guard = guard

    async def read(self, kind: MapKind[R], market: str) -> KeptMap[R] | None:
        """Return a market's kept map, None when there is none."""
        return kind.decode(await self._call(lambda: self._redis.get(kind.key(market))))

    async def keep(self, kind: MapKind[R], market: str, kept: KeptMap[R]) -> None:
        """Replace a market's kept map."""
        await self._call(lambda: self._redis.set(kind.key(market), kind.encode(kept)))

    async def account_of(self, market: str, shop_id: int) -> str | None:
        """Return the ERP account of a shop's customer id, None when not mapped."""
        account = await self._call(lambda: self._redis.hget(_ids_key(market), str(shop_id)))
        return None if account is None else str(account, "utf-8")

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace the accounts of shop ids."""
        if accounts:
            mapping = {str(shop_id): account for shop_id, account in accounts.items()}
            await self._call(lambda: self._redis.hset(_ids_key(market), mapping=mapping))

    async def unmap_accounts(self, market: str, shop_ids: Collection[int]) -> None:
        """Remove the accounts of shop ids."""
        if shop_ids:
            await self._call(lambda: self._redis.hdel(_ids_key(market), *map(str, shop_ids)))

    async def mapped_ids(self, market: str) -> set[int]:
        """Return the shop ids that have an account."""
        return set(map(int, await self._call(lambda: self._redis.hkeys(_ids_key(market)))))

    async def note_customer(self, market: str, customer: Customer) -> None:
        """Tell of an account that the kept customer map may not hold yet."""
        name, text = news_key(market, customer.account), [CUSTOMERS.version, astuple(customer)]
        await self._call(lambda: self._redis.set(name, json.dumps(text), ex=_NEWS_LIVE))

    async def noted_customer(self, market: str, account: str) -> Customer | None:
        """Return an account that was told of, None without word."""
        text = await self._call(lambda: self._redis.get(news_key(market, account)))
        version, members = (None, ()) if text is None else json.loads(text)
        return Customer(*members) if version == CUSTOMERS.version else None

    # redis-py's types serve its blocking client too: what they say of an answer is of no use.
    async def _call(self, send: Callable[[], Awaitable[Any] | Any]) -> Any:
        try:
            return await (send() if self._guard is None else self._guard.call(send))
        except REDIS_FAILURES as error:
            raise SharedStateError(f"Redis failed: {type(error).__name__}") from error
        except UpstreamError as error:
            raise SharedStateError(str(error)) from error


def news_key(market: str, account: str) -> str:
    """Return the Redis key of one account, however it is spelled, that the map may not hold yet.

    Hashed: keys show up in monitoring, where no customer's number belongs.
    """
    digest = blake2b(same_name_key(account).encode(), digest_size=16).hexdigest()
    return f"customer_news:{{{market}}}:{digest}"


def _ids_key(market: str) -> str:
    """Return the Redis key of the hash from the shop's customer id to the ERP account."""
    return f"customer_ids:{{{market}}}"
