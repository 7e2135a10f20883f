"""Both levels behind one face, as the price service wants it: `prices.ports.PriceCache`."""

from collections.abc import Sequence

from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.cache.redis_store import RedisStore
from pricing_proxy.prices.ports import Entries
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.prices.shelf import Shelf


class TieredCache:
    """Memory first, then Redis.

    Args:
        memory: L1.
        redis: L2.
    """

    def __init__(self, memory: MemoryStore, redis: RedisStore) -> None:
        self._memory = memory
        self._redis = redis

    @property
    def remembers(self) -> bool:
        """Whether this process remembers anything at all."""
        return self._memory.remembers

    def shelf(self, context: Context) -> Shelf:
        """Return what this process remembers of a context."""
        return self._memory.shelf(context)

    def remember(self, context: Context, entries: Entries) -> None:
        """Keep entries in this process only."""
        self._memory.remember(context, entries)

    async def read(self, context: Context, keys: Sequence[Key]) -> Entries:
        """Return what Redis holds of `keys`; raises `CacheFailedError`."""
        return await self._redis.read(context, keys)

    async def write(self, context: Context, entries: Entries) -> None:
        """Keep entries in Redis; raises `CacheFailedError`."""
        await self._redis.write(context, entries)
