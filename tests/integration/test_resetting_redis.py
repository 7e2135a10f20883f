"""The service over uvloop, as it is run, before a Redis whose connections are all reset."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.integration.redis_process import redis_process
from tests.integration.running import Running, running_service, until
from tests.resetting_server import resetting

pytestmark = pytest.mark.real_services


def test_the_service_starts_answers_and_has_lost_nothing_when_redis_is_back(
    tmp_path: Path,
) -> None:
    """It raised a RuntimeError: `serve` died at its start, gates and heartbeat for good."""

    async def main() -> None:
        async with redis_process(tmp_path) as redis, AsyncExitStack() as resetter:
            await redis.kill()
            await resetter.enter_async_context(resetting(2, port=redis.port))
            async with running_service(tmp_path / "sandbox", redis={"url": redis.url}) as running:
                answer = await running.ask(wait_ms=5000)
                assert {line["state"] for line in answer.content["lines"]} == {"unverified"}
                assert failures(await running.status()) == 0
                await resetter.aclose()
                await redis.start()
                await until(lambda: is_verified(running))
                assert failures(await running.status()) == 0
                assert unsupervised(await running.status()) == set()

    on_uvloop(main())


async def is_verified(running: Running) -> bool:
    answer = await running.ask()
    return bool(answer.content["verified"])


def failures(status: Any) -> int:
    return sum(each["failures"] for each in status["background"])


def unsupervised(status: Any) -> set[str]:
    """Return the loops of the service that `/status` does not tell of."""
    told = {each["name"] for each in status["background"]}
    loops = {
        task.get_name()
        for task in asyncio.all_tasks()
        if getattr(task.get_coro(), "__qualname__", "") == "Loop.run"
    }
    assert {"Redis' clock", "ledger of b2b_de", "maps of b2b_de", "refreshing ahead"} <= loops
    # The simulated shop's consumer runs in the same process.
    return loops - told - {"Crowd", "Consumer"}


def on_uvloop(main: Coroutine[Any, Any, None]) -> None:
    uvloop.run(main)
