"""The servers that a contract suite runs against: fakeredis, and a real Redis.

    from tests.redis_contract import redis, redis_url, unique

Names built with `unique` do not meet those of others on the same server, and are deleted.
"""

import uuid
from collections.abc import AsyncIterator

import fakeredis
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.services import redis_url

__all__ = ["redis", "redis_url", "unique"]


@pytest.fixture
def unique() -> str:
    """Return a name that nobody else has."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture(
    params=["fakeredis", pytest.param("real", marks=pytest.mark.real_services)],
)
async def redis(request: pytest.FixtureRequest, unique: str) -> AsyncIterator[Redis]:
    """Return a client as the service builds it; removes keys with the unique name in them."""
    client: Redis
    if request.param == "fakeredis":
        client = fakeredis.FakeAsyncRedis()
    else:
        url = request.getfixturevalue("redis_url")
        client = Redis.from_url(url, socket_timeout=5, retry=Retry(NoBackoff(), 0))
    try:
        yield client
        keys = [key async for key in client.scan_iter(match=f"*{unique}*")]
        if keys:
            await client.delete(*keys)
    finally:
        await client.aclose(close_connection_pool=True)
