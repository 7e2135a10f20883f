"""What processes tell each other about warming, on virtual time; cut off like `FakeRedis`."""

from collections.abc import Sequence
from datetime import timedelta

from pricing_proxy.clock import Clock
from pricing_proxy.prices.ports import CacheFailedError
from pricing_proxy.prices.query import Context, Key
from tests.fakes.price_cache import FakeRedis

_MOST_SEEN = 200


class FakeWarmMarks:
    """A `prices.ports.WarmMarks` over the marks of a `FakeRedis`.

    Args:
        redis: Shared by all processes.
        clock: Time.
    """

    def __init__(self, redis: FakeRedis, *, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    async def note_seen(self, context: Context, keys: Sequence[Key]) -> None:
        self._require()
        known = [key for key in self._redis.seen.get(context, []) if key not in keys]
        self._redis.seen[context] = [*reversed(keys), *known][:_MOST_SEEN]

    async def seen(self, context: Context) -> Sequence[Key]:
        self._require()
        return self._redis.seen.get(context, [])

    async def claim_login(self, context: Context, hold: timedelta) -> bool:
        self._require()
        return self._claim((context, "login"), hold)

    async def claim_lines(
        self, context: Context, keys: Sequence[Key], hold: timedelta
    ) -> Sequence[Key]:
        self._require()
        return [key for key in keys if self._claim((context, key), hold)]

    def _claim(self, what: object, hold: timedelta) -> bool:
        now_us = self._clock.monotonic_us()
        if self._redis.claims.get(what, now_us) > now_us:
            return False
        self._redis.claims[what] = now_us + hold // timedelta(microseconds=1)
        return True

    def _require(self) -> None:
        if self._redis.is_cut:
            raise CacheFailedError("cut")
