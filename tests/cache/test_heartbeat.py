"""Redis' clock as processes learn it, over every Redis there is."""

import asyncio
import logging

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError, RedisError

from pricing_proxy.cache.heartbeat import RedisHeartbeat
from pricing_proxy.cache.shared_time import UNKNOWN_EPOCH
from pricing_proxy.clock import SystemClock
from pricing_proxy.sleep_watch import SleepWatch
from tests.fakes.virtual_redis import VirtualRedis
from tests.virtual_time import LoopClock

CLOCK = SystemClock()


def process(redis: Redis) -> RedisHeartbeat:
    return RedisHeartbeat(redis, clock=CLOCK, watch=SleepWatch(CLOCK))


async def test_processes_agree_on_clock_and_epoch(redis: Redis) -> None:
    first, second = process(redis), process(redis)
    for each in (first, second, first):
        await each.beat()
    assert first.time().epoch == second.time().epoch != UNKNOWN_EPOCH
    assert abs(first.time().offset_us - second.time().offset_us) < 1_000_000
    wall_us = CLOCK.wall_us()
    assert abs(first.shared_us() - wall_us) < 5_000_000


async def test_in_doubt_no_epoch_is_ours_until_the_next_beat(redis: Redis) -> None:
    one = process(redis)
    await one.beat()
    one.doubt(slept_us=0)
    assert one.time().epoch == UNKNOWN_EPOCH
    await one.beat()
    assert one.time().epoch != UNKNOWN_EPOCH


async def test_whoever_slept_is_in_doubt_before_anybody_told_it() -> None:
    """An answer of Redis may be what wakes it: the ages in that are older than they look."""
    clock = LoopClock(asyncio.get_running_loop())
    watch = SleepWatch(clock, on_woken=lambda slept_us: one.doubt(slept_us=slept_us))
    redis = VirtualRedis(clock=clock, send_seconds=0, reply_seconds=0)
    one = RedisHeartbeat(redis.client("one"), clock=clock, watch=watch)
    await one.beat()
    assert one.time().epoch != UNKNOWN_EPOCH
    clock.slept_seconds += 60
    assert one.time().epoch == UNKNOWN_EPOCH


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (NoPermissionError("No permissions to access a key"), "Redis refuses"),
        (RedisConnectionError("Connection refused"), "Redis does not answer"),
    ],
)
async def test_what_is_refused_is_not_called_an_outage(
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    failure: RedisError,
    told: str,
) -> None:
    async def fail(*_: object) -> None:
        raise failure

    one = process(redis)
    monkeypatch.setattr(redis, "hmget", fail)
    with caplog.at_level(logging.WARNING, "pricing_proxy.cache.heartbeat"):
        await one.beat()
        await one.beat()
    assert [record.getMessage() for record in caplog.records] == [
        f"{told} ({type(failure).__name__})"
    ]
