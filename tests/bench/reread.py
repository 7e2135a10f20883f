"""How long reading a large catalog holds the loop at a time: python -m tests.bench.reread PORT.

The longest slice is what the loop's thread spends in one callback, in CPU time: whatever page
arrives meanwhile waits that long. The port is of a Redis.

Prints JSON: milliseconds by what was done.
"""

import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
from redis.asyncio import Redis

from pricing_proxy.children import tied
from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.client import FinanceOperationsClient
from pricing_proxy.d365.transport import Transport
from pricing_proxy.prices.master_data import MarketMaps
from pricing_proxy.prices.sources.fo_master_data import FoMasterData
from pricing_proxy.shared_state.maps import SharedMaps
from tests.bench.catalog import CUSTOMERS, SKUS
from tests.d365.loopback import DirectPolicy, Tokens

_MARKET, _GOAL_MS = "b2b_de", 20
_SECONDS = 120.0
# As `serve` sets it.
_COLLECT_EVERY_ALLOCATIONS = 50_000


class Slices:
    """The longest callback of the running loop, in CPU seconds of its thread."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def during(self, work: Awaitable[Any]) -> float:
        """Return the longest slice during some work, in milliseconds."""
        self.longest = 0.0
        await work
        return self.longest * 1000

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Time every callback."""
        handles: Any = asyncio.Handle
        run: Callable[[asyncio.Handle], None] = handles._run

        def timed(handle: asyncio.Handle) -> None:
            began = time.thread_time()
            run(handle)
            self.longest = max(self.longest, time.thread_time() - began)

        handles._run = timed
        try:
            yield
        finally:
            handles._run = run


async def measure(erp: str, redis_port: int) -> dict[str, float]:
    """Return the longest slice of each way to a map, in milliseconds."""
    slices = Slices()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        redis = await stack.enter_async_context(Redis(port=redis_port, db=4))
        ours, others = (_maps(session, erp, redis) for _ in range(2))
        with slices.watching():
            found = {"first read": await slices.during(ours.refresh())}
            found["re-read, nothing new"] = await slices.during(ours.refresh())
            found["taken from Redis at start"] = await slices.during(_enter(others))
            async with session.post(f"{erp}/change"):
                pass
            found["re-read, every item new"] = await slices.during(ours.refresh())
            found["taken from Redis, every item new"] = await slices.during(_enter(others))
        await redis.flushdb()
    assert len(ours.items() or ()) == len(others.items() or ()) == SKUS
    return found


async def _enter(maps: MarketMaps) -> None:
    async with maps:
        pass


def _maps(session: aiohttp.ClientSession, erp: str, redis: Redis) -> MarketMaps:
    clock = SystemClock()
    transport = Transport(
        session, base_url=erp, tokens=Tokens(), clock=clock, system="erp", max_body_bytes=2**26
    )
    client = FinanceOperationsClient(transport, policy=DirectPolicy(), clock=clock)
    return MarketMaps(
        _MARKET,
        reader=FoMasterData(client, company="demf", clock=clock),
        kept=SharedMaps(redis, {_MARKET: _MARKET}),
        clock=clock,
        refresh_every=timedelta(minutes=15),
        least_percent=90,
    )


def lines(redis_port: int) -> Sequence[tuple[str, float, float]]:
    """Return name, value and goal of the table's lines about reading maps."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.reread", str(redis_port)],
        capture_output=True,
        text=True,
        check=True,
        **tied(),
    )
    found: dict[str, float] = json.loads(done.stdout)
    size = f"{SKUS:,} SKUs, {CUSTOMERS:,} customers"
    return [(f"{size}, {name}: longest slice, ms", ms, _GOAL_MS) for name, ms in found.items()]


@contextmanager
def _erp() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "address")
        command = [sys.executable, "-m", "tests.bench.catalog", str(told)]
        with subprocess.Popen(command, **tied()) as process:
            try:
                until = time.monotonic() + _SECONDS
                while not told.exists() and time.monotonic() < until:
                    time.sleep(0.05)
                yield told.read_text(encoding="ascii")
            finally:
                process.kill()


if __name__ == "__main__":
    gc.set_threshold(_COLLECT_EVERY_ALLOCATIONS)
    with _erp() as address:
        print(json.dumps(asyncio.run(measure(address, int(sys.argv[1])))))
