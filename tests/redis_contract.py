"""The servers that a contract suite runs against: fakeredis, a real Redis, a real Cluster.

    from tests.redis_contract import redis, redis_cluster, redis_url, unique

Names built with `unique` do not meet those of others on the same server, and are deleted.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import fakeredis
import pytest
from redis.asyncio import Redis

from pricing_proxy.configuration.redis_address import parse_redis_address
from pricing_proxy.shared_state.connection import Connecting, connected
from tests.redis_servers import redis_cluster
from tests.services import redis_url

__all__ = ["KINDS", "opened_redis", "redis", "redis_cluster", "redis_url", "unique"]

# Patient with a busy machine; otherwise as the service connects.
_HOW = Connecting(timeout_seconds=5, connections=8)
KINDS = (
    "fakeredis",
    pytest.param("redis_url", marks=pytest.mark.real_services),
    pytest.param("redis_cluster", marks=pytest.mark.real_services),
)


@pytest.fixture
def unique() -> str:
    """Return a name that nobody else has."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture(params=KINDS)
async def redis(request: pytest.FixtureRequest, unique: str) -> AsyncIterator[Redis]:
    """Return a client as the service builds it; removes keys with the unique name in them."""
    async with opened_redis(request.param, request) as client:
        yield client
        if request.param == "fakeredis":
            return
        for key in [key async for key in client.scan_iter(match=f"*{unique}*")]:
            await client.delete(key)  # one by one: on a Cluster they lie in many slots


@asynccontextmanager
async def opened_redis(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Redis]:
    """Yield a client of one of `KINDS`."""
    if kind == "fakeredis":
        client: Redis = fakeredis.FakeAsyncRedis()
        try:
            yield client
        finally:
            await client.aclose(close_connection_pool=True)
        return
    async with connected(parse_redis_address(request.getfixturevalue(kind)), _HOW) as real:
        yield real
