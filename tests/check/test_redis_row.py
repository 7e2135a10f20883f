"""Redis' own row, against a server over TCP and against none."""

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr

from pricing_proxy.children import tied
from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.diagnosis.board import Finding, RowState
from pricing_proxy.diagnosis.redis_row import check_redis
from tests.fakes.redis_server import fake_redis_port
from tests.patience import PATIENCE_SECONDS

__all__ = ["fake_redis_port"]

# Nobody who answers at all needs as long, however busy the machine is.
TIMEOUT_MS = 5000
# A silent server costs as much as this.
SHORT_MS = 200


async def finding(
    url: str, *, password: str | None = None, timeout_ms: int = TIMEOUT_MS
) -> Finding:
    secret = None if password is None else SecretStr(password)
    redis = RedisSection(url=url, password=secret, timeout_ms=timeout_ms)
    return await check_redis(redis, embedded="nothing is shared", clock=SystemClock())


@pytest.fixture
def silent_port() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield int(listening.getsockname()[1])


async def test_answering_redis_is_ok_even_if_it_does_not_tell_its_version(
    fake_redis_port: int,
) -> None:
    """The fake refuses INFO, as managed servers may."""
    found = await finding(f"redis://127.0.0.1:{fake_redis_port}/0")

    assert found.state is RowState.OK
    assert found.found.startswith("answers, ")


async def test_embedded_redis_is_ok_and_says_what_it_is() -> None:
    found = await finding("embedded")

    assert found.state is RowState.OK
    assert "embedded" in found.found


async def test_absent_redis_is_red() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        free = int(taken.getsockname()[1])
    found = await finding(f"redis://127.0.0.1:{free}/0")

    assert found.state is RowState.FAILED
    assert "redis.url" in found.next_step


async def test_silent_redis_is_red_in_time(silent_port: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await finding(f"redis://127.0.0.1:{silent_port}/0", timeout_ms=SHORT_MS)

    assert found.state is RowState.FAILED
    assert "200 ms" in found.found


async def test_what_sentinels_answer_is_told_and_their_password_named(silent_port: int) -> None:
    """`MasterNotFoundError` alone says the same of a wrong password and of a silent Sentinel."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await finding(
            f"redis+sentinel://127.0.0.1:{silent_port}/mymaster/0", timeout_ms=SHORT_MS
        )

    assert found.state is RowState.FAILED
    assert found.found.startswith("MasterNotFoundError (TimeoutError), ")
    assert "redis.sentinel_password" in found.next_step


@pytest.fixture
def real_server(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("REQUIRE_REAL_SERVICES") == "1":
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed")
    address = tmp_path / "redis.sock"
    process = subprocess.Popen(  # noqa: S603 -- the server found on the path, with our own words
        [
            *(program, "--port", "0", "--unixsocket", str(address), "--dir", str(tmp_path)),
            *("--save", "", "--requirepass", "open"),
        ],
        stdout=subprocess.DEVNULL,
        **tied(),
    )
    until = time.monotonic() + 30
    while not address.exists() and time.monotonic() < until:
        time.sleep(0.01)
    yield f"unix://{address}"
    process.terminate()
    process.wait()


@pytest.mark.real_services
async def test_real_redis_tells_its_version(real_server: str) -> None:
    found = await finding(real_server, password="open")

    assert found.state is RowState.OK
    assert found.found.startswith("version ")


@pytest.mark.real_services
@pytest.mark.parametrize("password", [None, "wrong-password"])
async def test_wrong_password_is_red_and_not_shown(real_server: str, password: str | None) -> None:
    found = await finding(real_server, password=password)

    assert found.state is RowState.FAILED
    assert "redis.password" in found.next_step
    assert "wrong-password" not in found.found
