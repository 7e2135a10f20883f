"""Redis' own row, against a server over TCP and against none."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from fakeredis import TcpFakeServer

from pricing_proxy import settings
from pricing_proxy.check.board import Finding, State
from pricing_proxy.check.redis_row import check_redis
from pricing_proxy.clock import SystemClock

# A free fake needs no more; a silent server costs as much as this.
TIMEOUT_MS = 200


async def finding(url: str) -> Finding:
    redis = settings.Redis(url=url, timeout_ms=TIMEOUT_MS)
    (row,) = (await check_redis(redis, clock=SystemClock())).rows()
    return row.finding


@pytest.fixture
def server() -> Iterator[int]:
    running = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield int(running.server_address[1])
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def silent_port() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield int(listening.getsockname()[1])


async def test_answering_redis_is_ok_even_if_it_does_not_tell_its_version(server: int) -> None:
    """The fake refuses INFO, as managed servers may."""
    found = await finding(f"redis://127.0.0.1:{server}/0")

    assert found.state is State.OK
    assert found.found.startswith("answers, ")


async def test_embedded_redis_is_ok_and_says_what_it_is() -> None:
    found = await finding("embedded")

    assert found.state is State.OK
    assert "embedded" in found.found


async def test_absent_redis_is_red() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        free = int(taken.getsockname()[1])
    found = await finding(f"redis://127.0.0.1:{free}/0")

    assert found.state is State.FAILED
    assert "redis.url" in found.next_step


async def test_silent_redis_is_red_in_time(silent_port: int) -> None:
    async with asyncio.timeout(5):
        found = await finding(f"redis://127.0.0.1:{silent_port}/0")

    assert found.state is State.FAILED
    assert "200 ms" in found.found
