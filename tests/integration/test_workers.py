"""`serve --workers 2`: two processes on one port, over a real Redis and the simulated ERP."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from aiohttp import ClientConnectionError, ClientSession

from pricing_proxy.children import tied
from pricing_proxy.demo.plan import SECRET, SECRET_NAME
from pricing_proxy.serve.worker_place import PORTS_APART
from tests.integration.redis_process import redis_process
from tests.integration.replicas import Replica, RoundRobin, replicas
from tests.patience import PATIENCE_SECONDS

WORKERS = (1, 2)


async def states(shop: RoundRobin, number: int) -> list[tuple[str, int]] | None:
    """Return how a worker says that all stand, with their restarts; None while it does not."""
    [replica] = shop.replicas
    address = f"http://127.0.0.1:{replica.admin_port + PORTS_APART * (number - 1)}/status"
    try:
        async with shop.session.get(address) as answer:
            service: dict[str, Any] = (await answer.json())["service"]
    except ClientConnectionError:
        return None
    assert service["worker"] == number
    return [(each["state"], each["restarts"]) for each in service["workers"]]


async def until(shop: RoundRobin, wanted: list[tuple[str, int]]) -> None:
    """Return when every worker says this."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        # Other processes tell nobody.
        while [await states(shop, number) for number in WORKERS] != [wanted, wanted]:  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.05)


async def served_by(shop: RoundRobin) -> set[str]:
    """Return which workers have answered prices, by their own metrics."""
    [replica] = shop.replicas
    found = set()
    for number in WORKERS:
        address = f"http://127.0.0.1:{replica.admin_port + PORTS_APART * (number - 1)}/metrics"
        async with shop.session.get(address) as answer:
            text = await answer.text()
        if 'requests_total{mode="browse",outcome="answered"} 0.0' not in text:
            found.add(f"worker {number}")
    return found


def workers_of(replica: Replica) -> list[int]:
    assert replica.process is not None
    pid = replica.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def test_workers_share_a_port_and_one_that_dies_costs_only_what_it_had_under_way(
    tmp_path: Path,
) -> None:
    async with (
        redis_process(tmp_path) as redis,
        replicas(tmp_path, redis.url, count=1, workers=2) as shop,
    ):
        [replica] = shop.replicas
        await until(shop, [("ready", 0), ("ready", 0)])
        await shop.until_ready(1)
        # A connection each: the kernel gives it to one of them.
        for _ in range(64):
            async with ClientSession() as session:
                await RoundRobin(session, shop.replicas, shop.outcomes, shop.ready).send()
        assert await served_by(shop) == {"worker 1", "worker 2"}
        assert shop.outcomes == {"200": 64}

        os.kill(workers_of(replica)[1], signal.SIGKILL)
        await until(shop, [("ready", 0), ("ready", 1)])

        # Another replica on the port would share it, and each would be called by the other's name.
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pricing_proxy", "serve", "--workers=2"),
            *("--config", str(replica.file)),
            env={**os.environ, SECRET_NAME: SECRET},
            stderr=asyncio.subprocess.PIPE,
            **tied(),
        )
        _, said = await second.communicate()
        assert second.returncode == 2
        assert b"set service.public.port" in said

        processes = workers_of(replica)
        assert await replica.terminate() == 0
        assert [pid for pid in processes if os.path.exists(f"/proc/{pid}")] == []  # noqa: ASYNC240, PTH110 -- the kernel's, at once
