"""The item and customer maps of all markets as one store, with Redis' errors translated."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state import customer_map, item_map
from pricing_proxy.shared_state.customer_map import Customer, CustomerMap
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
        return await self._call(lambda: item_map.read(self._redis, market))

    async def keep_items(self, market: str, items: ItemMap) -> None:
        """Replace the kept item map."""
        await self._call(lambda: item_map.write(self._redis, market, items))

    async def customers(self, market: str) -> CustomerMap | None:
        """Return the kept customer map, None when there is none."""
        return await self._call(lambda: customer_map.read(self._redis, market))

    async def keep_customers(self, market: str, customers: CustomerMap) -> None:
        """Replace the kept customer map."""
        await self._call(lambda: customer_map.write(self._redis, market, customers))

    async def account_of(self, market: str, shop_id: int) -> str | None:
        """Return the ERP account of a shop's customer id, None when not mapped."""
        return await self._call(lambda: customer_map.read_id(self._redis, market, shop_id))

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace the accounts of shop ids."""
        await self._call(lambda: customer_map.write_ids(self._redis, market, accounts))

    async def unmap_accounts(self, market: str, shop_ids: Collection[int]) -> None:
        """Remove the accounts of shop ids."""
        await self._call(lambda: customer_map.remove_ids(self._redis, market, shop_ids))

    async def mapped_ids(self, market: str) -> set[int]:
        """Return the shop ids that have an account."""
        return await self._call(lambda: customer_map.read_mapped_ids(self._redis, market))

    async def note_customer(self, market: str, customer: Customer) -> None:
        """Tell of an account that the kept customer map may not hold yet."""
        await self._call(lambda: customer_map.write_news(self._redis, market, customer))

    async def noted_customer(self, market: str, account: str) -> Customer | None:
        """Return an account that was told of, None without word."""
        return await self._call(lambda: customer_map.read_news(self._redis, market, account))

    async def _call(self, send: Callable[[], Awaitable[T]]) -> T:
        try:
            return await (send() if self._guard is None else self._guard.call(send))
        except (RedisError, OSError, TimeoutError) as error:
            raise SharedStateError(f"Redis failed: {type(error).__name__}") from error
        except UpstreamError as error:
            raise SharedStateError(str(error)) from error
