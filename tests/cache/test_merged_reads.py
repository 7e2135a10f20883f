"""Reads of one turn of the loop are one exchange, and nobody's fate hangs on another's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar, cast

import fakeredis
import pytest

from pricing_proxy.cache.merged_reads import MergedReads
from pricing_proxy.resilience.errors import UpstreamUnavailableError

T = TypeVar("T")


class Line:
    """Lets exchanges through, counts them, or cuts them off."""

    def __init__(self) -> None:
        self.exchanges = 0
        self.is_cut = False

    async def call(self, send: Callable[[], Awaitable[T]]) -> T:
        self.exchanges += 1
        await asyncio.sleep(0)
        if self.is_cut:
            raise UpstreamUnavailableError("cut", system="redis")
        return await send()


async def _set(client: fakeredis.FakeAsyncRedis, name: str, **values: str) -> None:
    # redis-py's types serve its blocking client too; this one returns an awaitable.
    await cast("Awaitable[int]", client.hset(name, mapping=values))


@pytest.fixture
async def redis() -> AsyncIterator[fakeredis.FakeAsyncRedis]:
    client = fakeredis.FakeAsyncRedis()
    await _set(client, "h1", a="1", b="2")
    await _set(client, "h2", a="3")
    yield client
    await client.aclose()


async def test_reads_of_one_turn_are_one_exchange(redis: fakeredis.FakeAsyncRedis) -> None:
    line = Line()
    reads = MergedReads(redis, guard=line)
    both = tuple(await asyncio.gather(reads.read("h1", ["b", "x", "a"]), reads.read("h2", ["a"])))
    assert both == ([b"2", None, b"1"], [b"3"])
    assert line.exchanges == 1
    assert await reads.read("h2", ["a"]) == [b"3"]
    assert line.exchanges == 2


async def test_a_reader_that_goes_away_takes_nothing_along(
    redis: fakeredis.FakeAsyncRedis,
) -> None:
    reads = MergedReads(redis, guard=Line())
    leaver = asyncio.create_task(reads.read("h1", ["a"]))
    stayer = asyncio.create_task(reads.read("h2", ["a"]))
    await asyncio.sleep(0)
    leaver.cancel()
    assert await stayer == [b"3"]
    with pytest.raises(asyncio.CancelledError):
        await leaver


async def test_a_failed_exchange_has_failed_for_all(redis: fakeredis.FakeAsyncRedis) -> None:
    line = Line()
    line.is_cut = True
    reads = MergedReads(redis, guard=line)
    leaver = asyncio.create_task(reads.read("h2", ["a"]))
    waiting = [asyncio.create_task(reads.read("h1", ["a"])) for _ in range(2)]
    await asyncio.sleep(0)
    leaver.cancel()
    failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(failure) for failure in failures] == [UpstreamUnavailableError] * 2
    line.is_cut = False
    assert await reads.read("h1", ["a"]) == [b"1"]


async def test_the_end_of_the_program_leaves_nobody_waiting(
    redis: fakeredis.FakeAsyncRedis,
) -> None:
    reads = MergedReads(redis, guard=Line())
    reading = asyncio.create_task(reads.read("h1", ["a"]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    (exchange,) = reads._exchanges
    exchange.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
