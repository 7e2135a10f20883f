"""The item and customer maps of all markets as one store, with Redis' errors translated."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pricing_proxy.shared_state import customer_map, item_map
from pricing_proxy.shared_state.customer_map import CustomerMap
from pricing_proxy.shared_state.item_map import ItemMap


class SharedStateError(Exception):
    """Redis did not answer, so what both programs share is not known right now."""


class SharedMaps:
    """Reads and writes the maps; every method raises `SharedStateError`.

    Args:
        redis: A client.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def items(self, market: str) -> ItemMap | None:
        """Return the kept item map, None when there is none."""
        async with _translated():
            return await item_map.read(self._redis, market)

    async def keep_items(self, market: str, items: ItemMap) -> None:
        """Replace the kept item map."""
        async with _translated():
            await item_map.write(self._redis, market, items)

    async def customers(self, market: str) -> CustomerMap | None:
        """Return the kept customer map, None when there is none."""
        async with _translated():
            return await customer_map.read(self._redis, market)

    async def keep_customers(self, market: str, customers: CustomerMap) -> None:
        """Replace the kept customer map."""
        async with _translated():
            await customer_map.write(self._redis, market, customers)

    async def account_of(self, market: str, shop_id: int) -> str | None:
        """Return the ERP account of a shop's customer id, None when not mapped."""
        async with _translated():
            return await customer_map.read_id(self._redis, market, shop_id)

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace the accounts of shop ids."""
        async with _translated():
            await customer_map.write_ids(self._redis, market, accounts)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise SharedStateError(f"Redis failed: {type(error).__name__}") from error
