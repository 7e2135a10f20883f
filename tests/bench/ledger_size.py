"""What 100,000 invalidations in a day cost: the start of a process, and then its pages."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, cast

from redis.asyncio import Redis

from pricing_proxy.clock import SystemClock
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.shared_state import ledger
from pricing_proxy.shared_state.ledger import LedgerWriter, Scope, ScopeKind, positions_within
from pricing_proxy.shared_state.ledger_reader import LedgerReader
from pricing_proxy.sleep_watch import SleepWatch

COUNT = 100_000
_MARKET = "bench"
_DAY = timedelta(days=1)
_AT_ONCE = 1000


def invalidate(port: int, skus: Sequence[str]) -> None:
    """Append so many SKUs to every ledger of a Redis, the named ones last."""
    asyncio.run(_invalidate(port, skus))


def lines(port: int) -> Sequence[tuple[str, float, float]]:
    """Return name, value and goal of each of the table's lines about the ledger."""
    return ((f"Start with {COUNT:,} SKUs invalidated, CPU seconds", _start_seconds(port), 2),)


async def _invalidate(port: int, skus: Sequence[str]) -> None:
    async with Redis(port=port) as redis:
        for name in await redis.keys("i:*"):
            await _append(redis, name.decode(), skus)


def _start_seconds(port: int) -> float:
    """Return the CPU time until a process has read its ledger and vouches for prices."""
    return asyncio.run(_measured_start(port))


async def _measured_start(port: int) -> float:
    clock = SystemClock()
    async with Redis(port=port, db=4) as redis:
        writer = LedgerWriter(redis, provenances={_MARKET: _MARKET}, keep={_MARKET: _DAY})
        # Every ledger begins with an entry about all.
        await writer.append(_MARKET, Scope(ScopeKind.ALL), is_hard=False, reason="begins")
        await _append(redis, ledger.key(_MARKET), ())
        known = Invalidations(
            keep_positions=positions_within(_DAY),
            keep_us=_DAY // timedelta(microseconds=1),
            now_us=clock.monotonic_us,
        )
        began = time.process_time()
        async with LedgerReader(
            redis,
            _MARKET,
            provenance=_MARKET,
            take=partial(known.take, _MARKET),
            keep=_DAY,
            lease_us=60_000_000,
            offset_us=lambda: 0,
            clock=clock,
            watch=SleepWatch(clock),
        ) as reader:
            while not reader.is_verified():  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)
            spent = time.process_time() - began
        assert known.count(_MARKET) == COUNT + 1
        await redis.flushdb()
    return spent


async def _append(redis: Redis, name: str, skus: Sequence[str]) -> None:
    codes = [*(f"SKU-{number:06}" for number in range(COUNT - len(skus))), *skus]
    for start in range(0, COUNT, _AT_ONCE):
        async with redis.pipeline(transaction=False) as pipe:
            for code in codes[start : start + _AT_ONCE]:
                fields = {"scope": "item", "code": code, "level": "soft", "reason": "bench"}
                pipe.xadd(name, cast("Any", fields))
            await pipe.execute()
