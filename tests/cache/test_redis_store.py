"""How prices stand in Redis: bounded, mortal, counted; over fakeredis, a server, a Cluster."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from pricing_proxy.cache.keys import field
from pricing_proxy.configuration.redis_address import parse_redis_address
from pricing_proxy.prices.ports import CacheFailedError
from pricing_proxy.prices.query import Context
from pricing_proxy.resilience.breaker_events import Phase
from pricing_proxy.shared_state.connection import Connecting, connected
from tests.cache.shared_prices import (
    DAY,
    KEYS,
    CountedGuard,
    PricesInRedis,
    entry,
    key,
    store_on,
)
from tests.integration.redis_process import redis_process
from tests.interrupting import Moment, is_cut_short
from tests.misbehaving_proxy import Fault, misbehaving_proxy
from tests.patience import PATIENCE_SECONDS

MOST = 5000
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
async def context(redis: Redis, unique: str) -> AsyncIterator[Context]:
    its = Context(unique, "C-1", "EUR")
    yield its
    await redis.delete(KEYS.prices(its))


async def length(redis: Redis, context: Context) -> int:
    answer: Any = redis.hlen(KEYS.prices(context))
    return int(await answer)


async def test_a_customer_s_prices_expire_together_a_while_after_the_last_write(
    redis: Redis, context: Context
) -> None:
    store, name = store_on(redis, max_age=DAY), KEYS.prices(context)
    await store.write(context, {key(1): entry("1.00")})
    assert DAY_MS - 60_000 < await redis.pttl(name) <= DAY_MS
    await redis.pexpire(name, 60_000)
    await store.read(context, [key(1)])
    assert await redis.pttl(name) <= 60_000  # reading keeps nothing alive

    await store.write(context, {key(2): entry("2.00")})

    assert DAY_MS - 60_000 < await redis.pttl(name) <= DAY_MS
    await redis.pexpire(name, 1)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await store.read(context, [key(1), key(2)]):  # noqa: ASYNC110 -- a real Redis takes real time
            await asyncio.sleep(0.002)
    assert store.bad_values == 0


async def test_a_customer_has_five_thousand_prices_at_most(redis: Redis, context: Context) -> None:
    store, last = store_on(redis), key(MOST)
    await store.write(context, {key(number): entry("1.00") for number in range(MOST)})
    assert await length(redis, context) == MOST

    await store.write(context, {last: entry("2.00")})

    kept = await length(redis, context)
    assert kept == MOST - 500
    found = await store.read(context, [key(number) for number in range(MOST)])
    assert kept - 1 <= len(found) <= kept
    assert set(found.values()) == {entry("1.00")}


@pytest.mark.parametrize("moment", Moment)
async def test_trimming_cut_short_is_made_up_for(
    redis: Redis, context: Context, moment: Moment
) -> None:
    store, name = store_on(redis), KEYS.prices(context)
    filler = {field(key(number)): "x" for number in range(MOST)}
    for place in count(1):
        answer: Any = redis.hset(name, mapping=filler)
        await answer
        writing = store.write(context, {key(MOST + 1): entry("1.00")})
        is_cut = await is_cut_short(writing, at=place, moment=moment)
        await store.write(context, {key(MOST + 2): entry("2.00")})
        assert await length(redis, context) <= MOST
        if not is_cut:
            break
    assert place > 2  # at least one wait of the write and one of the trimming


@pytest.mark.parametrize("moment", Moment)
async def test_a_write_cut_short_is_no_failure_and_lets_nothing_live_for_ever(
    redis: Redis, context: Context, moment: Moment
) -> None:
    guard = CountedGuard()
    store, name = store_on(redis, guard=guard), KEYS.prices(context)
    for place in count(1):
        writing = store.write(context, {key(1): entry("1.00")})
        is_cut = await is_cut_short(writing, at=place, moment=moment)
        assert await redis.pttl(name) != -1  # there, and without an end
        await redis.delete(name)
        if not is_cut:
            break
    view = guard.view()
    assert (store.failures, view.phase, view.failures, view.probes) == (0, Phase.CLOSED, 0, 0)


async def test_bad_bytes_are_counted(redis: Redis, context: Context) -> None:
    store = store_on(redis)
    await store.write(context, {key(1): entry("1.00")})
    await PricesInRedis(redis).put(context, key(2), b"bad")

    assert await store.read(context, [key(1), key(2), key(3)]) == {key(1): entry("1.00")}
    assert (store.bad_values, store.failures) == (1, 0)


async def test_the_reads_of_one_turn_are_one_exchange_and_everybody_gets_their_own(
    redis: Redis, unique: str
) -> None:
    """On a Cluster the customers lie on different nodes."""
    guard = CountedGuard()
    store = store_on(redis, guard=guard)
    contexts = [Context(unique, f"C-{number}", "EUR") for number in range(12)]
    own = {context: {key(1): entry(f"{n}.00")} for n, context in enumerate(contexts)}
    for context, entries in own.items():
        await store.write(context, entries)
    before = guard.calls

    leaver = asyncio.create_task(store.read(contexts[0], [key(1)]))
    readers = [asyncio.create_task(store.read(context, [key(1)])) for context in contexts * 2]
    await asyncio.sleep(0)
    leaver.cancel()
    found = await asyncio.gather(*readers)

    assert found == [own[context] for context in contexts * 2]
    assert guard.calls - before == 1
    assert leaver.cancelled() or leaver.cancelling()
    await store.read(contexts[0], [key(1)])
    assert guard.calls - before == 2
    for context in contexts:
        await redis.delete(KEYS.prices(context))


@pytest.mark.real_services
@pytest.mark.parametrize("fault", [Fault.REFUSE, Fault.BLACK_HOLE, Fault.CUT_MID_REPLY])
async def test_a_broken_line_is_a_counted_failure_and_then_costs_nothing(
    tmp_path: Path, unique: str, fault: Fault
) -> None:
    """After five of a kind nothing is sent; no failure is a miss, before or after."""
    context, guard = Context(unique, "C-1", "EUR"), CountedGuard(100_000)
    how = Connecting(timeout_seconds=0.5, connections=8)
    async with (
        redis_process(tmp_path) as server,
        misbehaving_proxy(server.port) as line,
        connected(parse_redis_address(f"redis://127.0.0.1:{line.port}/0"), how) as redis,
    ):
        store = store_on(redis, guard=guard)
        await store_on(redis).write(context, {key(1): entry("1.00")})
        line.misbehave(fault)
        for _ in range(4):
            with pytest.raises(CacheFailedError):
                await store.read(context, [key(1)])
            with pytest.raises(CacheFailedError):
                await store.write(context, {key(1): entry("2.00")})
        assert (store.failures, guard.view().phase, guard.view().calls) == (8, Phase.OPEN, 0)
        line.misbehave(Fault.NONE)
        assert (await store_on(redis).read(context, [key(1)])).keys() == {key(1)}
