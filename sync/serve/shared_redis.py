"""Reach the Redis that the sync shares with the price service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import fakeredis
from redis.asyncio import Redis

from pricing_proxy.configuration.reading import secret_text
from pricing_proxy.configuration.redis_address import parse_redis_address
from pricing_proxy.shared_state.connection import Connecting, connected
from sync.sections import EMBEDDED, SharedRedis

# The map of customers and the throttling of other systems: nothing that anybody waits for.
_SECONDS, _CONNECTIONS = 2.0, 8


@asynccontextmanager
async def open_redis(shared: SharedRedis) -> AsyncIterator[Redis]:
    """Yield a client; one of this process alone where Redis is embedded."""
    if shared.url != EMBEDDED:
        how = Connecting(
            password=secret_text(shared.password) or None,
            timeout_seconds=_SECONDS,
            connections=_CONNECTIONS,
        )
        async with connected(parse_redis_address(shared.url), how) as client:
            yield client
        return
    embedded: Redis = fakeredis.FakeAsyncRedis()
    try:
        yield embedded
    finally:
        await embedded.aclose(close_connection_pool=True)
