"""Build the Redis client, or the embedded stand-in of one process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import fakeredis
from redis.asyncio import Redis

from pricing_proxy.configuration.reading import secret_text
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.configuration.redis_address import parse_redis_address
from pricing_proxy.shared_state.connection import Connecting, connected

# A read of the ledger waits for news that long; see `shared_state.ledger_reader`.
_LONGEST_READ_MS = 1000


@asynccontextmanager
async def redis_client(redis: RedisSection) -> AsyncIterator[Redis]:
    """Yield a client that neither retries nor waits long; closed on exit."""
    if not redis.is_embedded:
        how = Connecting(
            password=secret_text(redis.password) or None,
            sentinel_password=secret_text(redis.sentinel_password) or None,
            timeout_seconds=redis.timeout_ms / 1000,
            connections=redis.connections,
        )
        async with connected(parse_redis_address(redis.url), how) as client:
            yield client
        return
    embedded: Redis = fakeredis.FakeAsyncRedis()
    try:
        yield embedded
    finally:
        await embedded.aclose(close_connection_pool=True)


@asynccontextmanager
async def ledger_client(
    redis: RedisSection, shared: Redis, *, connections: int
) -> AsyncIterator[Redis]:
    """Yield a client with connections of its own, on which a read may wait for a second.

    An embedded Redis is within this process: there `shared` serves as well.
    """
    if redis.is_embedded:
        yield shared
        return
    own = redis.patient(_LONGEST_READ_MS).model_copy(update={"connections": connections})
    async with redis_client(own) as client:
        yield client
