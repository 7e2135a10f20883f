"""The item and customer maps of all markets as one store, with Redis' errors translated."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state import customer_map, item_map
from pricing_proxy.shared_state.customer_map import Customer, CustomerMap, ids_key, news_key
from pricing_proxy.shared_state.guard import Guard
from pricing_proxy.shared_state.item_map import ItemMap

T = TypeVar("T")


class SharedStateError(Exception):
    """Redis did not answer, so what both programs share is not known right now."""


class SharedMaps:
    """Reads and writes the maps; every method raises `SharedStateError`.

    Args:
        redis: A client.
        guard: Redis' breaker, where nobody may wait for each call of a Redis that is lost.
    """

    def __init__(self, redis: Redis, guard: Guard | None = None) -> None:
        self._redis = redis
        self._guard = guard

    async def items(self, market: str) -> ItemMap | None:
        """Return the kept item map, None when there is none."""
        return item_map.decode(await self._call(lambda: self._redis.get(item_map.key(market))))

    async def keep_items(self, market: str, items: ItemMap) -> None:
        """Replace the kept item map."""
        kept = item_map.encode(items)
        await self._call(lambda: self._redis.set(item_map.key(market), kept))

    async def customers(self, market: str) -> CustomerMap | None:
        """Return the kept customer map, None when there is none."""
        kept = await self._call(lambda: self._redis.get(customer_map.key(market)))
        return customer_map.decode(kept)

    async def keep_customers(self, market: str, customers: CustomerMap) -> None:
        """Replace the kept customer map."""
        kept = customer_map.encode(customers)
        await self._call(lambda: self._redis.set(customer_map.key(market), kept))

    async def account_of(self, market: str, shop_id: int) -> str | None:
        """Return the ERP account of a shop's customer id, None when not mapped."""
        account = await self._call_hash(lambda: self._redis.hget(ids_key(market), str(shop_id)))
        return None if account is None else account.decode()

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace the accounts of shop ids."""
        if accounts:
            ids = {str(shop_id): account for shop_id, account in accounts.items()}
            await self._call_hash(lambda: self._redis.hset(ids_key(market), mapping=ids))

    async def unmap_accounts(self, market: str, shop_ids: Collection[int]) -> None:
        """Remove the accounts of shop ids."""
        if shop_ids:
            ids = [str(shop_id) for shop_id in shop_ids]
            await self._call_hash(lambda: self._redis.hdel(ids_key(market), *ids))

    async def mapped_ids(self, market: str) -> set[int]:
        """Return the shop ids that have an account."""
        return set(map(int, await self._call_hash(lambda: self._redis.hkeys(ids_key(market)))))

    async def note_customer(self, market: str, customer: Customer) -> None:
        """Tell of an account that the kept customer map may not hold yet."""
        key, text = news_key(market, customer.account), customer_map.encode_news(customer)
        await self._call(lambda: self._redis.set(key, text, ex=customer_map.NEWS_LIVE))

    async def noted_customer(self, market: str, account: str) -> Customer | None:
        """Return an account that was told of, None without word."""
        text = await self._call(lambda: self._redis.get(news_key(market, account)))
        return customer_map.decode_news(text)

    async def _call_hash(self, send: Callable[[], object]) -> Any:
        # redis-py's types serve its blocking client too; this one always returns an awaitable.
        return await self._call(cast("Callable[[], Awaitable[Any]]", send))

    async def _call(self, send: Callable[[], Awaitable[T]]) -> T:
        try:
            return await (send() if self._guard is None else self._guard.call(send))
        except (RedisError, OSError, TimeoutError) as error:
            raise SharedStateError(f"Redis failed: {type(error).__name__}") from error
        except UpstreamError as error:
            raise SharedStateError(str(error)) from error
