"""Real servers for tests: a Redis that is there, or one started for the session.

    from tests.services import redis_url  # in a conftest.py: the name is the fixture

Without either, tests that need one are skipped, unless REQUIRE_REAL_SERVICES=1.
Whoever uses it invents unique key names and deletes them: the server may not be ours.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis as blocking

from pricing_proxy.children import tied
from tests.patience import PATIENCE_SECONDS

# A database that nobody uses by default.
_USUAL_URL = "redis://127.0.0.1:6379/15"
_MISSING = "no Redis answers, and no redis-server is on PATH"


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a real Redis; skip without one, fail where one is required."""
    url = os.environ.get("REDIS_URL", _USUAL_URL)
    if answers(url):
        yield url
    elif (program := shutil.which("redis-server")) is not None:
        with _started(program, tmp_path_factory.mktemp("redis")) as own_url:
            yield own_url
    elif os.environ.get("REQUIRE_REAL_SERVICES") == "1":
        pytest.fail(_MISSING)
    else:
        pytest.skip(_MISSING)


def answers(url: str) -> bool:
    """Say whether a Redis answers there."""
    client = blocking.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except (blocking.RedisError, OSError):
        return False
    finally:
        client.close()


@contextmanager
def _started(program: str, folder: Path) -> Iterator[str]:
    port = _free_port()
    process = subprocess.Popen(  # noqa: S603 -- a program from PATH with arguments of ours
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
        **tied(),
    )
    url = f"redis://127.0.0.1:{port}/15"
    try:
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _wait_for(url: str) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not answers(url):
        if time.monotonic() > give_up:
            pytest.fail(f"redis-server does not answer at {url}")
        time.sleep(0.02)  # a real process takes real time


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
