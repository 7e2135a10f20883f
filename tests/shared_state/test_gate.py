"""The shared gate over fakeredis, a real Redis and a real Cluster."""

from datetime import timedelta

import fakeredis
import pytest
from redis.asyncio import Redis

from pricing_proxy.clock import SystemClock
from pricing_proxy.shared_state.gate import SharedGate, pricing_app, sync_app

MINUTE = timedelta(minutes=1)


class LocalGate:
    """Remembers for how long it was closed."""

    def __init__(self) -> None:
        self.closed_seconds: list[float] = []

    def close_until(self, until_us: int) -> bool:
        left_us = until_us - SystemClock().monotonic_us()
        self.closed_seconds.append(round(left_us / 1_000_000))
        return True


async def said(redis: Redis, name: str) -> list[float]:
    """Return for how many seconds another process of the app would close."""
    gate = LocalGate()
    other = SharedGate(redis, name, clock=SystemClock())
    other.attach(gate)
    await other.look()
    return gate.closed_seconds


async def throttle(redis: Redis, environment: str, closed_for: timedelta) -> None:
    """Have one process of the pricing app throttled; return when it is told."""
    shared = SharedGate(
        redis, pricing_app(environment), clock=SystemClock(), gives_way=sync_app(environment)
    )
    shared.publish(closed_for)
    while tasks := set(shared._tasks):
        for task in tasks:
            await task


async def test_one_process_s_throttling_closes_the_others_gates(redis: Redis, unique: str) -> None:
    assert await said(redis, pricing_app(unique)) == []
    await throttle(redis, unique, MINUTE)
    assert await said(redis, pricing_app(unique)) == [60]


async def test_a_shorter_closing_does_not_cut_a_longer_one_short(redis: Redis, unique: str) -> None:
    await throttle(redis, unique, MINUTE)
    await throttle(redis, unique, timedelta(seconds=2))
    assert await said(redis, pricing_app(unique)) == [60]


async def test_two_throttlings_of_the_pricing_app_pause_the_sync(redis: Redis, unique: str) -> None:
    """Of whichever processes: the shop's customers come first."""
    await throttle(redis, unique, timedelta(seconds=2))
    assert await said(redis, sync_app(unique)) == []
    await throttle(redis, unique, timedelta(seconds=2))
    assert await said(redis, sync_app(unique)) == [30]
    await throttle(redis, unique, MINUTE)
    assert await said(redis, sync_app(unique)) == [60]


async def test_two_throttlings_far_apart_leave_the_sync_alone(redis: Redis, unique: str) -> None:
    await throttle(redis, unique, timedelta(seconds=2))
    ttl_ms = await redis.pttl(f"gate:{{{pricing_app(unique)}}}:throttled")
    assert 9_000 < ttl_ms <= 10_000
    await redis.delete(f"gate:{{{pricing_app(unique)}}}:throttled")
    await throttle(redis, unique, timedelta(seconds=2))
    assert await said(redis, sync_app(unique)) == []


async def test_the_sync_s_own_throttling_closes_no_other_gate(redis: Redis, unique: str) -> None:
    shared = SharedGate(redis, sync_app(unique), clock=SystemClock())
    for _ in range(2):
        shared.publish(MINUTE)
        for task in set(shared._tasks):
            await task
    assert await said(redis, sync_app(unique)) == [60]
    assert await said(redis, pricing_app(unique)) == []


async def test_without_redis_each_process_is_on_its_own(
    unique: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    dead = fakeredis.FakeAsyncRedis(server=server)
    await throttle(dead, unique, MINUTE)
    assert await said(dead, pricing_app(unique)) == []
    assert "do not know of the throttling" in caplog.text
    await dead.aclose()
