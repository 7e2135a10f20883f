"""L2: prices in Redis, one hash for each context, read by all replicas.

"Redis failed" is an outcome of its own, `CacheFailedError`, and never a miss: a miss asks
the ERP and stores, a failure must not. There is no expiry of single fields (Redis 7.0 has
none): a hash goes as a whole some time after its last write, and holds a bounded number.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar, cast

from redis.asyncio import Redis

from pricing_proxy.cache import codec
from pricing_proxy.cache.keys import PriceKeys, field
from pricing_proxy.cache.merged_reads import MergedReads
from pricing_proxy.cache.shared_time import SharedTime
from pricing_proxy.domain.entry import Entry
from pricing_proxy.prices.ports import CacheFailedError, Entries
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.guard import RedisGuard

T = TypeVar("T")

# More prices than any customer looks at; an attacker's quantities must not fill Redis.
_MOST_FIELDS = 5000
# Cut by this much at once, so that a full hash is not trimmed at every write.
_TRIM_FIELDS = 500


class RedisStore:
    """Reads and writes entries.

    Args:
        redis: A client that neither retries nor waits long.
        keys: Under which names.
        guard: Redis' own breaker: every timed-out command costs its connection.
        time: Returns what is known of Redis' clock.
        now_us: The monotonic clock.
        max_age: How long an entry may live.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        keys: PriceKeys,
        guard: RedisGuard,
        time: Callable[[], SharedTime],
        now_us: Callable[[], int],
        max_age: timedelta,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._guard = guard
        self._time = time
        self._now_us = now_us
        self._max_age = max_age
        self._reads = MergedReads(redis, guard=guard)
        self.failures = 0
        self.bad_values = 0

    async def read(self, context: Context, keys: Sequence[Key]) -> Entries:
        """Return the entries that stand in Redis; raises `CacheFailedError`."""
        name = self._keys.prices(context)
        values = await self._counted(self._reads.read(name, list(map(field, keys))))
        time, now_us = self._time(), self._now_us()
        found: dict[Key, Entry] = {}
        for key, value in zip(keys, values, strict=True):
            if value is None:
                continue
            entry = codec.decode(value, time=time, now_us=now_us)
            if entry is None:
                self.bad_values += 1
            else:
                found[key] = entry
        return found

    async def write(self, context: Context, entries: Entries) -> None:
        """Store entries and keep their context alive; raises `CacheFailedError`."""
        if not entries:
            return
        time = self._time()
        name = self._keys.prices(context)
        values = {field(key): codec.encode(entry, time=time) for key, entry in entries.items()}

        async def store() -> int:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hset(name, mapping=values)
                pipe.expire(name, self._max_age)
                pipe.hlen(name)
                answers = await pipe.execute()
            return int(answers[-1])

        length = await self._counted(self._guard.call(store))
        if length > _MOST_FIELDS:
            await self._counted(self._guard.call(lambda: self._trim(name, length)))

    async def _trim(self, name: str, length: int) -> None:
        surplus = length - _MOST_FIELDS + _TRIM_FIELDS
        # Any fields will do: all can be loaded again, and Redis keeps no order of use.
        fields = await cast("Awaitable[list[bytes]]", self._redis.hrandfield(name, surplus))
        await cast("Awaitable[int]", self._redis.hdel(name, *map(bytes.decode, fields)))

    async def _counted(self, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except UpstreamError as error:
            self.failures += 1
            raise CacheFailedError(str(error)) from error
