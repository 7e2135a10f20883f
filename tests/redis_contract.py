"""The servers that a contract suite runs against: fakeredis, a real Redis, a real Cluster.

    from tests.redis_contract import redis, redis_cluster, redis_url, unique

Names built with `unique` do not meet those of others on the same server, and are deleted.
"""

import uuid
from collections.abc import AsyncIterator

import fakeredis
import pytest
from redis.asyncio import Redis

from pricing_proxy.configuration.redis_address import parse_redis_address
from pricing_proxy.shared_state.connection import Connecting, connected
from tests.redis_servers import redis_cluster
from tests.services import redis_url

__all__ = ["redis", "redis_cluster", "redis_url", "unique"]

# Patient with a busy machine; otherwise as the service connects.
_HOW = Connecting(timeout_seconds=5, connections=8)


@pytest.fixture
def unique() -> str:
    """Return a name that nobody else has."""
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture(
    params=[
        "fakeredis",
        pytest.param("redis_url", marks=pytest.mark.real_services),
        pytest.param("redis_cluster", marks=pytest.mark.real_services),
    ],
)
async def redis(request: pytest.FixtureRequest, unique: str) -> AsyncIterator[Redis]:
    """Return a client as the service builds it; removes keys with the unique name in them."""
    if request.param == "fakeredis":
        client: Redis = fakeredis.FakeAsyncRedis()
        yield client
        await client.aclose(close_connection_pool=True)
        return
    address = parse_redis_address(request.getfixturevalue(request.param))
    async with connected(address, _HOW) as real:
        yield real
        for key in [key async for key in real.scan_iter(match=f"*{unique}*")]:
            await real.delete(key)  # one by one: on a Cluster they lie in many slots
