"""Redis' own breaker around its calls: a Redis that is lost costs nobody a time-out more.

What Redis and the way to it raise becomes an `UpstreamError`; after five time-outs or lost
connections in a row calls are refused at once, until pings are answered again. A Redis that
refuses to write is not lost: what stands in it is read as ever.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_settings import BreakerSettings
from pricing_proxy.resilience.evidence import SlowRule
from pricing_proxy.resilience.guard import BreakerGuard
from pricing_proxy.resilience.prober import Prober
from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES
from pricing_proxy.shared_state.redis_watch import refuses_writes
from pricing_proxy.supervision import Supervision

T = TypeVar("T")

_MILLISECOND_US = 1000

# Redis answers within a millisecond; one that takes fifty costs more than it saves.
REDIS_BREAKER = BreakerSettings(
    slow=SlowRule(50 * _MILLISECOND_US, 0),
    fair_timeout_us=20 * _MILLISECOND_US,
    open_us=1_000_000,
    longest_open_us=5_000_000,
    permit_us=1_000_000,
)


class RedisGuard(Protocol):
    """A circuit breaker around calls; `redis_guard` returns one."""

    async def call(self, send: Callable[[], Awaitable[T]]) -> T:
        """Return what `send` returns; raises `UpstreamError`."""
        ...


@asynccontextmanager
async def guarded(
    redis: Redis, guard: BreakerGuard, supervision: Supervision | None = None
) -> AsyncIterator[BreakerGuard]:
    """Yield the guard of a Redis that is pinged while it is lost."""

    async def ping() -> None:
        try:
            await cast("Awaitable[bool]", redis.ping())
        except ResponseError as error:
            # One that cannot save to disk refuses even this, and may be read.
            if not refuses_writes(error):
                raise

    async with Prober([guard.probe(ping)]).watched(supervision, "probes of Redis"):
        yield guard


def redis_guard(
    clock: Clock,
    *,
    timeout_us: int,
    settings: BreakerSettings = REDIS_BREAKER,
    chance: Callable[[], float] = random.random,
) -> BreakerGuard:
    """Return a guard whose calls end within a time."""
    breaker = Breaker(system="redis", name="redis", clock=clock, chance=chance, settings=settings)
    return BreakerGuard(
        system="redis",
        breaker=breaker,
        clock=clock,
        timeout_us=timeout_us,
        failures=REDIS_FAILURES,
        is_refusal=refuses_writes,
    )
