"""The item and customer maps of all markets as one store, with Redis' errors translated."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import RedisError

from pricing_proxy.shared_state import customer_map, item_map
from pricing_proxy.shared_state.customer_map import Customer, CustomerMap
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

    async def unmap_accounts(self, market: str, shop_ids: Collection[int]) -> None:
        """Remove the accounts of shop ids."""
        async with _translated():
            await customer_map.remove_ids(self._redis, market, shop_ids)

    async def mapped_ids(self, market: str) -> set[int]:
        """Return the shop ids that have an account."""
        async with _translated():
            return await customer_map.read_mapped_ids(self._redis, market)

    async def note_customer(self, market: str, customer: Customer) -> None:
        """Tell of an account that the kept customer map may not hold yet."""
        async with _translated():
            await customer_map.write_news(self._redis, market, customer)

    async def noted_customer(self, market: str, account: str) -> Customer | None:
        """Return an account that was told of, None without word."""
        async with _translated():
            return await customer_map.read_news(self._redis, market, account)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise SharedStateError(f"Redis failed: {type(error).__name__}") from error
