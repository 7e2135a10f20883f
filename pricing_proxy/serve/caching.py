"""Build both cache levels, and what guards and watches Redis."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

from pricing_proxy.cache.heartbeat import RedisHeartbeat
from pricing_proxy.cache.keys import PriceKeys
from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.cache.redis_store import RedisStore
from pricing_proxy.cache.warm_marks import RedisWarmMarks
from pricing_proxy.clock import Clock
from pricing_proxy.resilience.guard import BreakerGuard
from pricing_proxy.settings import Settings
from pricing_proxy.shared_state.guard import guarded, redis_guard
from pricing_proxy.shared_state.provenance import provenance
from pricing_proxy.shared_state.redis_watch import SERVICE_KEYS, RedisWatch
from pricing_proxy.sleep_watch import SleepWatch
from pricing_proxy.supervision import Supervision

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Caching:
    """Both cache levels and Redis' health."""

    keys: PriceKeys
    memory: MemoryStore
    store: RedisStore
    guard: BreakerGuard
    heartbeat: RedisHeartbeat
    watch: SleepWatch
    marks: RedisWarmMarks
    redis: RedisWatch


@asynccontextmanager
async def open_caching(
    settings: Settings, redis: Redis, *, clock: Clock, supervision: Supervision
) -> AsyncIterator[Caching]:
    """Open the caches; on exit, end the heartbeat and the probing."""
    freshness = [market.freshness for market in settings.markets.values()]
    memory = MemoryStore(settings.service.memory_megabytes * _MEGABYTE)

    def doubt_memory() -> None:
        memory.doubt_ages(clock.monotonic_us())

    def wake(slept_us: int) -> None:
        memory.doubt_ages(clock.monotonic_us(), slept_us=slept_us)
        heartbeat.doubt(slept_us=slept_us)

    watch = SleepWatch(clock, on_woken=wake)
    beats = RedisHeartbeat(redis, clock=clock, watch=watch, on_doubt=doubt_memory)
    heartbeat = beats.watched(supervision, "Redis' clock")
    guard = redis_guard(clock, timeout_us=settings.redis.timeout_ms * 1000)
    keys = price_keys(settings)
    store = RedisStore(
        redis,
        keys=keys,
        guard=guard,
        time=heartbeat.time,
        now_us=clock.monotonic_us,
        max_age=timedelta(seconds=max(market.max_seconds for market in freshness)),
    )
    redis_watch = RedisWatch(redis, SERVICE_KEYS).watched(supervision, "watch over Redis")
    async with heartbeat, redis_watch, guarded(redis, guard, supervision):
        yield Caching(
            keys=keys,
            memory=memory,
            store=store,
            guard=guard,
            heartbeat=heartbeat,
            watch=watch,
            marks=RedisWarmMarks(redis, keys=keys, guard=guard, shared_us=heartbeat.shared_us),
            redis=redis_watch,
        )


def price_keys(settings: Settings) -> PriceKeys:
    """Return how what is kept of prices is called, under these settings."""
    return PriceKeys({code: _meaning(settings, code) for code in settings.markets})


def _meaning(settings: Settings, code: str) -> str:
    """Return what a market's prices are read from, and every setting that says what they mean.

    Not how old they may be: what is kept carries its own ages.
    """
    market = settings.markets[code]
    environment = settings.environments[market.environment]
    named = [
        provenance(environment, market.legal_entity, code),
        environment.kind,
        environment.price_service_path,
        environment.time_zone,
        market.sources,
        market.tax_included,
        market.price_decimals,
        market.price_limits.model_dump(mode="json"),
        market.company_currency or market.currency,
    ]
    return json.dumps(named)
