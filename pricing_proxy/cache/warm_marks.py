"""What processes tell each other in Redis about warming: lines seen, and who does what.

Every key of a context lies in the slot of its prices. All of it is for efficiency: losing
it costs calls, never a wrong price. "Redis failed" is `CacheFailedError`, as in the store.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any, TypeVar

from redis.asyncio import Redis

from pricing_proxy.cache.keys import PriceKeys, field, key_of
from pricing_proxy.prices.ports import CacheFailedError
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.guard import RedisGuard

T = TypeVar("T")

# Customers come back within a week, if they come back for the same things.
_KEEP_SEEN = timedelta(days=7)
# A login warms 200 lines; more would never be read.
MOST_SEEN = 200


class RedisWarmMarks:
    """A `prices.ports.WarmMarks`.

    Args:
        redis: A client that neither retries nor waits long.
        keys: Under which names.
        guard: Redis' own breaker, shared with the store.
        shared_us: Redis' clock, by which processes agree on what was seen last.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        keys: PriceKeys,
        guard: RedisGuard,
        shared_us: Callable[[], int],
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._guard = guard
        self._shared_us = shared_us

    async def note_seen(self, context: Context, keys: Sequence[Key]) -> None:
        """Remember the lines as seen last, and forget all but the newest 200."""
        name = self._keys.warm_mark(context, "seen")
        now_us = self._shared_us()

        async def store() -> None:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.zadd(name, {field(key): now_us + place for place, key in enumerate(keys)})
                pipe.zremrangebyrank(name, 0, -MOST_SEEN - 1)
                pipe.expire(name, _KEEP_SEEN)
                await pipe.execute()

        await self._call(store)

    async def seen(self, context: Context) -> list[Key]:
        """Return the lines seen by any process, newest first."""
        name = self._keys.warm_mark(context, "seen")
        members = await self._call(lambda: self._redis.zrevrange(name, 0, MOST_SEEN - 1))
        return [key for member in members if (key := key_of(member)) is not None]

    async def claim_login(self, context: Context, hold: timedelta) -> bool:
        """Return whether this process is the first to warm the customer within `hold`."""
        name = self._keys.warm_mark(context, "login")
        return bool(await self._call(lambda: self._redis.set(name, b"1", nx=True, px=hold)))

    async def claim_lines(
        self, context: Context, keys: Sequence[Key], hold: timedelta
    ) -> Sequence[Key]:
        """Return those lines that no other process has claimed within `hold`."""

        async def claim() -> list[Any]:
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.set(self._keys.warm_mark(context, _short(key)), b"1", nx=True, px=hold)
                return list(await pipe.execute())

        won = await self._call(claim)
        return [key for key, is_ours in zip(keys, won, strict=True) if is_ours]

    async def _call(self, send: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._guard.call(send)
        except UpstreamError as error:
            raise CacheFailedError(str(error)) from error


def _short(key: Key) -> str:
    return blake2b(field(key).encode(), digest_size=12).hexdigest()
