"""What processes tell each other about warming: one suite for the fake and every Redis."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TypeVar

import fakeredis
import pytest
from redis.asyncio import Redis

from pricing_proxy.cache.warm_marks import MOST_SEEN, RedisWarmMarks
from pricing_proxy.clock import SystemClock
from pricing_proxy.prices.ports import CacheFailedError, WarmMarks
from pricing_proxy.prices.query import Context, Key
from pricing_proxy.shared_state.guard import redis_guard
from tests.cache.shared_prices import KEYS
from tests.fakes.price_cache import FakeRedis
from tests.fakes.warm_marks import FakeWarmMarks
from tests.patience import PATIENCE_SECONDS

T = TypeVar("T")

HOLD = timedelta(seconds=30)


def marks_over(redis: Redis) -> RedisWarmMarks:
    return RedisWarmMarks(
        redis,
        keys=KEYS,
        guard=redis_guard(SystemClock(), timeout_us=5_000_000),
        shared_us=SystemClock().monotonic_us,
    )


@pytest.fixture(params=["fake", "redis"])
async def marks(
    request: pytest.FixtureRequest, redis: Redis, unique: str
) -> AsyncIterator[WarmMarks]:
    if request.param == "fake":
        yield FakeWarmMarks(FakeRedis(), clock=SystemClock())
        return
    yield marks_over(redis)
    for account in ("C-1", "C-2"):
        for name in await names_of(redis, context_of(unique, account)):
            await redis.delete(name)


def context_of(unique: str, account: str = "C-1") -> Context:
    return Context(unique, account, "EUR")


async def names_of(redis: Redis, context: Context) -> list[bytes]:
    """Return the names of all marks in the slot of the context's prices."""
    slot = KEYS.prices(context).removeprefix("p1:").partition("}")[0]
    return [name async for name in redis.scan_iter(match=f"w:{slot}}}*")]


def keys(first: int, last: int) -> list[Key]:
    return [Key(f"S-{number}", "PCS", "1") for number in range(first, last + 1)]


async def test_what_was_seen_last_comes_first(marks: WarmMarks, unique: str) -> None:
    context = context_of(unique)
    assert list(await marks.seen(context)) == []
    await marks.note_seen(context, keys(1, 3))
    await marks.note_seen(context, keys(1, 1))
    assert [key.sku for key in await marks.seen(context)] == ["S-1", "S-3", "S-2"]
    assert list(await marks.seen(context_of(unique, "C-2"))) == []


async def test_only_the_newest_two_hundred_are_kept(marks: WarmMarks, unique: str) -> None:
    context = context_of(unique)
    await marks.note_seen(context, keys(1, 150))
    await marks.note_seen(context, keys(101, 300))
    assert list(await marks.seen(context)) == list(reversed(keys(101, 300)))
    assert MOST_SEEN == 200


async def test_a_login_is_claimed_once_for_each_customer(marks: WarmMarks, unique: str) -> None:
    claims = [await marks.claim_login(context_of(unique), HOLD) for _ in range(3)]
    assert claims == [True, False, False]
    assert await marks.claim_login(context_of(unique, "C-2"), HOLD)


async def test_a_claim_ends_by_itself(marks: WarmMarks, unique: str) -> None:
    """A process that died while holding one must not stop the others."""
    assert await marks.claim_login(context_of(unique), timedelta(milliseconds=20))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await marks.claim_login(context_of(unique), HOLD):  # noqa: ASYNC110 -- Redis' own clock
            await asyncio.sleep(0.01)


async def test_each_line_is_claimed_by_one(marks: WarmMarks, unique: str) -> None:
    context = context_of(unique)
    assert list(await marks.claim_lines(context, keys(1, 3), HOLD)) == keys(1, 3)
    assert list(await marks.claim_lines(context, keys(2, 5), HOLD)) == keys(4, 5)


async def test_everything_of_a_context_lies_in_the_slot_of_its_prices(
    redis: Redis, unique: str
) -> None:
    marks, context = marks_over(redis), context_of(unique)
    await marks.note_seen(context, keys(1, 2))
    await marks.claim_login(context, HOLD)
    await marks.claim_lines(context, keys(1, 2), HOLD)
    names = await names_of(redis, context)
    assert len(names) == 4
    assert all(unique.encode() not in name for name in names)
    for name in names:
        assert await redis.pttl(name) > 0
        await redis.delete(name)


async def test_a_redis_that_fails_is_neither_a_claim_nor_a_refusal(unique: str) -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    dead = fakeredis.FakeAsyncRedis(server=server)
    marks, context = marks_over(dead), context_of(unique)
    for asking in (
        marks.seen(context),
        marks.note_seen(context, keys(1, 1)),
        marks.claim_login(context, HOLD),
        marks.claim_lines(context, keys(1, 1), HOLD),
    ):
        with pytest.raises(CacheFailedError):
            await asking
    await dead.aclose()
