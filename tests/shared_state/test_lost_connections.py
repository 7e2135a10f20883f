"""A connection to Redis that is reset is a lost one, also over uvloop.

There it raises what no caller of redis-py expects: "RuntimeError: unable to perform operation on
<TCPTransport closed=True ...>". No server is needed: one that resets speaks no Redis to the end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import pytest
import uvloop
from redis.asyncio import Redis

from pricing_proxy.cache.heartbeat import RedisHeartbeat
from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.redis_address import parse_redis_address
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.connection import Connecting, connected
from pricing_proxy.shared_state.gate import SharedGate
from pricing_proxy.shared_state.guard import redis_guard
from pricing_proxy.shared_state.lost_connections import REDIS_FAILURES
from pricing_proxy.sleep_watch import SleepWatch
from tests.resetting_server import resetting

HOW = Connecting(timeout_seconds=5, connections=4)
ADDRESSES = {
    "one server": "redis://127.0.0.1:{}/0",
    "a cluster": "redis+cluster://127.0.0.1:{}",
    "behind a sentinel": "redis+sentinel://127.0.0.1:{}/prices",
}
Ask = Callable[[Redis], Awaitable[object]]
T = TypeVar("T")


async def time(client: Redis) -> object:
    return await client.time()


async def read(client: Redis) -> object:
    return await client.xread({"stream": "0"}, block=1000)


async def pipeline(client: Redis) -> object:
    async with client.pipeline(transaction=False) as pipe:
        pipe.get("one")
        pipe.pttl("one")
        return await pipe.execute()


@pytest.mark.parametrize("replies", [None, 0, 1, 2])
@pytest.mark.parametrize("place", ADDRESSES)
@pytest.mark.parametrize("ask", [time, read, pipeline])
def test_every_command_ends_in_a_failure_of_redis(
    place: str, replies: int | None, ask: Ask
) -> None:
    async def main() -> set[type[BaseException]]:
        async with resetting(replies) as port, client_of(place, port) as client:
            tries = [ask(client) for _ in range(3)] + [ask(client) for _ in range(3)]
            ended = await asyncio.gather(*tries, return_exceptions=True)
            return {type(each) for each in ended if isinstance(each, BaseException)}

    kinds = on_uvloop(main())
    assert kinds
    assert all(issubclass(kind, REDIS_FAILURES) for kind in kinds), kinds


def test_a_call_through_the_guard_ends_in_an_upstream_error() -> None:
    async def main() -> None:
        guard = redis_guard(SystemClock(), timeout_us=5_000_000)
        async with resetting(2) as port, client_of("one server", port) as client:
            for _ in range(8):
                with pytest.raises(UpstreamError):
                    await guard.call(lambda: time(client))

    on_uvloop(main())


def test_a_gate_opens_and_goes_on_looking() -> None:
    async def main() -> int:
        async with (
            resetting(2) as port,
            client_of("one server", port) as client,
            SharedGate(client, "any", clock=SystemClock()) as gate,
        ):
            for _ in range(3):
                await gate.look()
            return gate.loop.view().failures

    assert on_uvloop(main()) == 0


def test_a_heartbeat_begins_and_goes_on() -> None:
    async def main() -> int:
        clock = SystemClock()
        async with (
            resetting(2) as port,
            client_of("one server", port) as client,
            RedisHeartbeat(client, clock=clock, watch=SleepWatch(clock)) as heartbeat,
        ):
            for _ in range(3):
                await heartbeat.beat()
            return heartbeat.loop.view().failures

    assert on_uvloop(main()) == 0


def on_uvloop(main: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(main)


def client_of(place: str, port: int) -> AbstractAsyncContextManager[Redis]:
    return connected(parse_redis_address(ADDRESSES[place].format(port)), HOW)
