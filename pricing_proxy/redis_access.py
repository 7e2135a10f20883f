"""Build the Redis client, or the embedded stand-in of one process."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import fakeredis
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pricing_proxy import settings
from pricing_proxy.configuration.reading import secret_text
from pricing_proxy.resilience.breaker_settings import BreakerSettings
from pricing_proxy.resilience.evidence import SlowRule

_log = logging.getLogger(__name__)

EMBEDDED = "embedded"
_MILLISECOND_US = 1000

# Redis answers within a millisecond; one that takes fifty costs more than it saves.
REDIS_BREAKER = BreakerSettings(
    slow=SlowRule(50 * _MILLISECOND_US, 0),
    fair_timeout_us=20 * _MILLISECOND_US,
    open_us=1_000_000,
    longest_open_us=5_000_000,
    permit_us=1_000_000,
)


@asynccontextmanager
async def redis_client(redis: settings.Redis) -> AsyncIterator[Redis]:
    """Yield a client that neither retries nor waits long; closed on exit.

    redis-py retries ten times by default, and its plain pool raises when it is full.
    """
    if redis.url == EMBEDDED:
        _log.warning("Redis is embedded: prices are kept in this process alone, and end with it")
        client: Redis = fakeredis.FakeAsyncRedis()
    else:
        client = Redis(
            connection_pool=BlockingConnectionPool.from_url(
                redis.url,
                password=secret_text(redis.password) or None,
                max_connections=redis.connections,
                timeout=redis.timeout_ms / 1000,
                socket_timeout=redis.timeout_ms / 1000,
                socket_connect_timeout=redis.timeout_ms / 1000,
                retry=Retry(NoBackoff(), 0),
            )
        )
    try:
        yield client
    finally:
        await client.aclose(close_connection_pool=True)
