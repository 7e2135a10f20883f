"""A Redis that hears and does not answer costs five time-outs, and then nobody anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from pricing_proxy.clock import SystemClock
from pricing_proxy.shared_state.guard import guarded, redis_guard
from pricing_proxy.shared_state.maps import SharedMaps, SharedStateError
from pricing_proxy.shared_state.seen_events import SeenEvents
from tests.patience import PATIENCE_SECONDS

TIMEOUT_SECONDS = 0.1


class Server:
    """Hears commands and keeps quiet, until it answers each with OK."""

    def __init__(self) -> None:
        self.is_answering = False
        self.heard = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            self.heard += 1
            if self.is_answering:
                writer.write(b"+OK\r\n")
        writer.close()


@asynccontextmanager
async def client_of(server: Server) -> AsyncIterator[Redis]:
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        redis = Redis(
            port=port,
            protocol=2,
            driver_info=None,
            socket_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        yield redis
        await redis.aclose(close_connection_pool=True)


async def test_what_both_programs_share_hangs_on_no_redis() -> None:
    server, clock = Server(), SystemClock()
    async with client_of(server) as redis:
        guard = redis_guard(clock, timeout_us=2_000_000)
        async with guarded(redis, guard):
            maps = SharedMaps(redis, {"b2b": "erp|demf|b2b"}, guard)
            seen = SeenEvents("https://shop.example.com", redis, guard)
            for number in range(4):
                with pytest.raises(SharedStateError):
                    await maps.map_accounts("b2b", {number: "C-1"})
            assert await seen.is_new("e-1")
            heard, began_us = server.heard, clock.monotonic_us()
            for number in range(200):
                with pytest.raises(SharedStateError):
                    await maps.map_accounts("b2b", {number: "C-1"})
                assert await seen.is_new("e-1")
            assert clock.monotonic_us() - began_us < 4_000_000
            assert server.heard - heard <= 40  # pings, whatever they cost

            server.is_answering = True
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not await _is_answered(maps):  # noqa: ASYNC110 -- Redis tells nobody
                    await asyncio.sleep(0.05)


async def _is_answered(maps: SharedMaps) -> bool:
    try:
        await maps.map_accounts("b2b", {1: "C-1"})
    except SharedStateError:
        return False
    return True
