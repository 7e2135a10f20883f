"""Build both cache levels, and what guards and watches Redis."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

from pricing_proxy.cache.heartbeat import RedisHeartbeat
from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.cache.redis_store import RedisStore
from pricing_proxy.cache.tiered import TieredCache
from pricing_proxy.cache.warm_marks import RedisWarmMarks
from pricing_proxy.clock import Clock
from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.guard import BreakerGuard
from pricing_proxy.resilience.prober import Prober
from pricing_proxy.settings import Settings
from pricing_proxy.shared_state.opening import REDIS_BREAKER

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Caching:
    """Both cache levels and Redis' health."""

    tiered: TieredCache
    memory: MemoryStore
    store: RedisStore
    guard: BreakerGuard
    heartbeat: RedisHeartbeat
    marks: RedisWarmMarks


@asynccontextmanager
async def open_caching(settings: Settings, redis: Redis, *, clock: Clock) -> AsyncIterator[Caching]:
    """Open the caches; on exit, end the heartbeat and the probing."""
    freshness = [market.freshness for market in settings.markets.values()]
    heartbeat = RedisHeartbeat(redis, clock=clock)
    guard = _guard(settings, clock)
    store = RedisStore(
        redis,
        guard=guard,
        offset_us=lambda: heartbeat.offset_us,
        max_age=timedelta(seconds=max(market.max_seconds for market in freshness)),
    )
    memory = MemoryStore(settings.service.memory_megabytes * _MEGABYTE)
    async with heartbeat, Prober([guard.probe(store.ping)]):
        yield Caching(
            tiered=TieredCache(memory, store),
            memory=memory,
            store=store,
            guard=guard,
            heartbeat=heartbeat,
            marks=RedisWarmMarks(redis, guard=guard, shared_us=heartbeat.shared_us),
        )


def _guard(settings: Settings, clock: Clock) -> BreakerGuard:
    breaker = Breaker(
        system="redis", name="redis", clock=clock, chance=random.random, settings=REDIS_BREAKER
    )
    timeout_us = settings.redis.timeout_ms * 1000
    return BreakerGuard(system="redis", breaker=breaker, clock=clock, timeout_us=timeout_us)
