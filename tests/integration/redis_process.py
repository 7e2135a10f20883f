"""A real Redis as a child process that tests may kill and start again."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from pricing_proxy.children import tied
from tests.patience import PATIENCE_SECONDS

_PROGRAM = "redis-server"


@dataclass
class RedisProcess:
    """Keeps its port from one life to the next, and nothing else."""

    program: str
    folder: Path
    port: int
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it and return once it answers."""
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self._process = await asyncio.create_subprocess_exec(
            self.program,
            *arguments,
            cwd=self.folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            **tied(),
        )
        async with asyncio.timeout(PATIENCE_SECONDS), Redis(port=self.port) as client:
            while not await _answers(client):  # noqa: ASYNC110 -- a child process tells nobody
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it as a crash would, with all that it knew."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None


@asynccontextmanager
async def redis_process(folder: Path) -> AsyncIterator[RedisProcess]:
    """Start a Redis on a free port; skip the test where there is none, unless one is required."""
    program = shutil.which(_PROGRAM)
    if program is None:
        if os.environ.get("REQUIRE_REAL_SERVICES") == "1":
            pytest.fail(f"{_PROGRAM} is not on PATH")
        pytest.skip(f"{_PROGRAM} is not on PATH")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    process = RedisProcess(program, folder, port)
    await process.start()
    try:
        yield process
    finally:
        await process.kill()


async def _answers(client: Redis) -> bool:
    try:
        # redis-py's types serve its blocking client too; this one returns an awaitable.
        await cast("Awaitable[bool]", client.ping())
    except RedisError:
        return False
    return True
