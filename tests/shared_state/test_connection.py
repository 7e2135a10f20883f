"""Clients for a Cluster and behind a Sentinel: bounded, impatient, unharmed by cancellation."""

import asyncio
import socket
from collections.abc import Awaitable
from typing import cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.redis_address import parse_redis_address
from pricing_proxy.shared_state.cluster import BoundedCluster
from pricing_proxy.shared_state.connection import Connecting, connected
from tests.patience import PATIENCE_SECONDS
from tests.redis_servers import ServiceBehindSentinel

pytestmark = pytest.mark.real_services

# Long enough for a busy machine; a test that waits for it fails by its own assertion.
HOW = Connecting(timeout_seconds=5, connections=4)


async def many(client: Redis, unique: str) -> None:
    """Use more names, and so nodes, than there are connections."""
    names = [f"{unique}-{number}" for number in range(40)]
    await asyncio.gather(*(client.set(name, name, ex=60) for name in names))
    assert await asyncio.gather(*map(client.get, names)) == [name.encode() for name in names]


async def test_a_cluster_answers_more_callers_than_it_has_connections(
    redis_cluster: str, unique: str
) -> None:
    async with connected(parse_redis_address(redis_cluster), HOW) as client:
        await many(client, unique)
        assert await cast("Awaitable[bool]", client.ping())


async def test_a_cluster_is_found_through_any_node_that_lives(
    redis_cluster: str, unique: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        dead = probe.getsockname()[1]
    last = redis_cluster.rpartition(",")[2]
    address = parse_redis_address(f"redis+cluster://127.0.0.1:{dead},{last}")
    async with connected(address, HOW) as client:
        await many(client, unique)


async def test_all_processes_read_one_node_s_clock(redis_cluster: str) -> None:
    """Ages in Redis are instants of one clock; those of two nodes do not compare."""
    clocks, seconds = set[str](), 0
    for _ in range(3):
        async with connected(parse_redis_address(redis_cluster), HOW) as client:
            assert isinstance(client, BoundedCluster)
            seconds, _ = await client.time()
            clocks.add(client.get_node_from_key("{clock}").name)
    assert abs(seconds - SystemClock().utc().timestamp()) < 60
    assert len(clocks) == 1


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8])
async def test_commands_cancelled_at_any_await_cost_a_cluster_no_connection(
    redis_cluster: str, unique: str, turns: int
) -> None:
    async with connected(parse_redis_address(redis_cluster), HOW) as client:
        for _ in range(5):
            asking = [asyncio.ensure_future(_write(client, unique)) for _ in range(6)]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        await many(client, unique)
        assert isinstance(client, BoundedCluster)
        nodes = client.get_nodes()
        assert all(len(node._connections) <= HOW.connections for node in nodes)
        assert all(len(node._free) == len(node._connections) for node in nodes)


async def _write(client: Redis, unique: str) -> None:
    async with client.pipeline(transaction=False) as pipe:
        pipe.hset(f"{unique}-hash", mapping={"a": "1"})
        pipe.expire(f"{unique}-hash", 60)
        await pipe.execute()


async def test_a_lost_cluster_costs_no_memory_however_often_it_is_asked(unique: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        dead = probe.getsockname()[1]
    address = parse_redis_address(f"redis+cluster://127.0.0.1:{dead}")
    async with connected(address, HOW) as client:
        assert isinstance(client, BoundedCluster)
        for _ in range(20):
            with pytest.raises(RedisError):
                await client.get(unique)
        assert sum(len(node._connections) for node in client.startup_nodes) <= 1


async def test_whoever_finds_no_free_connection_in_time_is_told(
    redis_cluster: str, unique: str
) -> None:
    how = Connecting(timeout_seconds=1, connections=1)
    async with connected(parse_redis_address(redis_cluster), how) as client:
        await client.get(unique)
        blocking = asyncio.ensure_future(
            cast("Awaitable[object]", client.blpop([f"{{{unique}}}-list"], timeout=2))
        )
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(RedisError, match="free in time"):
            await client.get(unique)
        await asyncio.gather(blocking, return_exceptions=True)


# redis-py does not wait for the closing of connections that the old master cut.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_failover_is_followed(redis_sentinel: ServiceBehindSentinel, unique: str) -> None:
    async with connected(parse_redis_address(redis_sentinel.address), HOW) as client:
        await many(client, unique)
        redis_sentinel.fail_over()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await _is_written(client, unique):  # noqa: ASYNC110 -- a process tells nobody
                await asyncio.sleep(0.05)
        await many(client, unique)


async def _is_written(client: Redis, name: str) -> bool:
    try:
        return bool(await client.set(name, "after", ex=60))
    except (RedisError, OSError):
        return False


async def test_a_sentinel_that_swallows_packets_leaves_time_for_the_next(
    redis_sentinel: ServiceBehindSentinel, unique: str
) -> None:
    live = redis_sentinel.address.removeprefix("redis+sentinel://")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"redis+sentinel://127.0.0.1:{silent.getsockname()[1]},{live}"
        how = Connecting(timeout_seconds=2, connections=2)
        async with connected(parse_redis_address(address), how) as client, asyncio.timeout(2):
            assert await client.set(unique, "1", ex=60)
