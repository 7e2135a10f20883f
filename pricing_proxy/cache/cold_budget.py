"""The budgets of cold lines, counted in Redis for all replicas together.

One counter for each customer, which Redis forgets a minute after its first line. It is only
asked when the ERP is about to be, so it costs a cached page nothing. While Redis does not
answer, each process counts alone: twenty replicas then grant twenty times as much, and the
bulkhead and the gate still stand before the ERP.
"""

from datetime import timedelta

from redis.asyncio import Redis

from pricing_proxy.cache.keys import PriceKeys
from pricing_proxy.clock import Clock
from pricing_proxy.prices.cold_budget import WINDOW_US, Grant, OwnColdBudget
from pricing_proxy.prices.query import Context
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.guard import RedisGuard

_WINDOW = timedelta(microseconds=WINDOW_US)


class SharedColdBudget:
    """A `prices.cold_budget.ColdBudget` over all replicas.

    Args:
        redis: A client that neither retries nor waits long.
        keys: Under which names.
        guard: Redis' breaker.
        own: What this process grants at most, and alone while Redis is away.
        clock: Time.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        keys: PriceKeys,
        guard: RedisGuard,
        own: OwnColdBudget,
        clock: Clock,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._guard = guard
        self._own = own
        self._clock = clock

    async def grant(self, context: Context, lines: int) -> Grant:
        """Count up to `lines` as spent and return how many they were; never fails."""
        own = self._own.take(context, lines)
        if own.lines == 0:
            return own
        name = self._keys.budget(context)
        try:
            spent, left_us = await self._guard.call(lambda: self._count(name, own.lines))
        except UpstreamError:
            return own
        left = max(self._own.per_minute - (spent - own.lines), 0)
        return Grant(min(own.lines, left), self._clock.monotonic_us() + left_us)

    async def _count(self, name: str, lines: int) -> tuple[int, int]:
        """Return what all replicas have spent, and for how long that counts."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.incrby(name, lines)
            # Only the first line of a minute sets its end.
            pipe.expire(name, _WINDOW, nx=True)
            pipe.pttl(name)
            spent, _, left_ms = await pipe.execute()
        if left_ms > _WINDOW // timedelta(milliseconds=1):
            # Redis' clock stepped back: the customer would wait for it to catch up.
            await self._redis.expire(name, _WINDOW)
        return int(spent), min(int(left_ms) * 1000, WINDOW_US)
