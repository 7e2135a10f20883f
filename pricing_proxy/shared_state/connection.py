"""Connect to Redis so that one failure is one failure: bounded, impatient, without retries.

redis-py retries ten times by default, and its plain pools raise when they are full. Every
client made here fails within its time-out, waits for a free connection no longer than
that, and never repeats a command; repeating belongs to callers, who have a breaker.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from pricing_proxy.configuration.redis_address import RedisAddress, RedisKind
from pricing_proxy.shared_state.cluster import BoundedCluster
from pricing_proxy.shared_state.lost_connections import told_as_lost


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """How to connect.

    Attributes:
        password: Redis' own; None without one.
        sentinel_password: The Sentinels' own; None without one.
        timeout_seconds: Of connecting, of an answer, and of waiting for a connection.
        connections: At most so many at once.
    """

    password: str | None = None
    sentinel_password: str | None = None
    timeout_seconds: float
    connections: int


@asynccontextmanager
async def connected(address: RedisAddress, how: Connecting) -> AsyncIterator[Redis]:
    """Yield a client, which connects when first used; closed on exit."""
    async with AsyncExitStack() as stack:
        client: Redis
        if address.kind is RedisKind.SENTINEL:
            client = _behind_sentinels(address, how, stack)
        elif address.kind is RedisKind.CLUSTER:
            client = _cluster(address, how)
        else:
            client = _server(address, how)
        stack.push_async_callback(client.aclose, close_connection_pool=True)
        yield client


def _server(address: RedisAddress, how: Connecting) -> Redis:
    pool = BlockingConnectionPool.from_url(
        address.url,
        password=how.password,
        max_connections=how.connections,
        timeout=how.timeout_seconds,
        **_impatient(how.timeout_seconds),
    )
    return _client(pool)


class _SentinelPool(SentinelConnectionPool, BlockingConnectionPool):
    """Finds the server through Sentinels, and lets callers wait when it is full."""


def _behind_sentinels(address: RedisAddress, how: Connecting, stack: AsyncExitStack) -> Redis:
    # Asked one after the other: all of them together must fit into the caller's patience,
    # or one that swallows packets would keep the next from ever being asked.
    share_seconds = how.timeout_seconds / (len(address.nodes) + 1)
    sentinels = Sentinel(  # type: ignore[no-untyped-call]  # redis-py is untyped here
        address.nodes,
        sentinel_kwargs={
            "password": how.sentinel_password,
            "ssl": address.is_encrypted,
            **_impatient(share_seconds),
        },
    )
    for sentinel in sentinels.sentinels:
        _translate(sentinel.connection_pool)
        stack.push_async_callback(sentinel.aclose, close_connection_pool=True)
    pool = _SentinelPool(  # type: ignore[no-untyped-call]  # as above
        address.service,
        sentinels,
        db=address.database,
        username=address.username,
        password=how.password,
        ssl=address.is_encrypted,
        max_connections=how.connections,
        timeout=how.timeout_seconds,
        **_impatient(how.timeout_seconds),
    )
    return _client(pool)


def _client(pool: ConnectionPool) -> Redis:
    _translate(pool)
    return Redis(connection_pool=pool)


def _translate(pool: ConnectionPool) -> None:
    """Have the pool's connections, none of which is made yet, raise redis-py's errors only."""
    pool.connection_class = told_as_lost(pool.connection_class)


def _cluster(address: RedisAddress, how: Connecting) -> Redis:
    client = BoundedCluster(
        address.nodes,
        connections=how.connections,
        timeout_seconds=how.timeout_seconds,
        username=address.username,
        password=how.password,
        ssl=address.is_encrypted,
    )
    # It has the commands of `Redis` without being one; redis-py shares no type between them.
    return cast("Redis", client)


def _impatient(timeout_seconds: float) -> dict[str, Any]:
    return {
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
    }
