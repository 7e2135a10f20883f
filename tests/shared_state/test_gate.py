"""The shared gate over fakeredis, a real Redis and a real Cluster."""

from datetime import timedelta

import fakeredis
import pytest
from redis.asyncio import Redis

from pricing_proxy.clock import SystemClock
from pricing_proxy.shared_state.gate import (
    SharedGate,
    app_gate,
    closed_gates,
    shop_gate,
    tokens_of,
)
from pricing_proxy.shared_state.maps import SharedStateError

MINUTE = timedelta(minutes=1)


def pricing_app(environment: str) -> str:
    return app_gate(f"https://{environment}", "pricing")


def sync_app(environment: str) -> str:
    return app_gate(f"https://{environment}", "sync")


class LocalGate:
    """Remembers for how long it was closed, and how often it was opened."""

    def __init__(self) -> None:
        self.closed_seconds: list[float] = []
        self.opened = 0

    def close_until(self, until_us: int) -> bool:
        left_us = until_us - SystemClock().monotonic_us()
        self.closed_seconds.append(round(left_us / 1_000_000))
        return True

    def open(self) -> None:
        self.opened += 1


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
    while tasks := set(shared._under_way):
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
        for task in set(shared._under_way):
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
    with pytest.raises(SharedStateError):
        await closed_gates(dead, [pricing_app(unique)])
    await dead.aclose()


async def test_an_operator_opens_the_gate_of_every_process(redis: Redis, unique: str) -> None:
    """Each obeys once, whenever it looks; one that starts later has nothing to open."""
    name = pricing_app(unique)
    gates = [LocalGate() for _ in range(3)]
    here, there, late = (SharedGate(redis, name, clock=SystemClock()) for _ in gates)
    for shared, gate in zip((here, there, late), gates, strict=True):
        shared.attach(gate)
    await here.look()
    await there.look()
    await throttle(redis, unique, MINUTE)
    await there.look()

    await here.open()
    for _ in range(2):
        for shared in (here, there, late):
            await shared.look()

    assert gates[0].opened >= 1
    assert [gate.opened for gate in gates[1:]] == [1, 0]
    assert [gate.closed_seconds for gate in gates] == [[], [60], []]
    assert await closed_gates(redis, [name]) == {}

    # What is said afterwards is news again, and the next opening too.
    await throttle(redis, unique, MINUTE)
    await there.look()
    await here.open()
    await there.look()
    assert gates[1].opened == 2
    assert gates[1].closed_seconds == [60, 60]


async def test_the_command_opens_gates_of_which_it_has_none(redis: Redis, unique: str) -> None:
    gate = LocalGate()
    process = SharedGate(redis, tokens_of(sync_app(unique)), clock=SystemClock())
    process.attach(gate)
    await process.look()

    await SharedGate(redis, tokens_of(sync_app(unique)), clock=SystemClock()).open()
    await process.look()

    assert gate.opened == 1


async def test_who_cannot_tell_the_others_opens_its_own_gate_and_says_so(unique: str) -> None:
    server = fakeredis.FakeServer()
    server.connected = False
    dead = fakeredis.FakeAsyncRedis(server=server)
    gate = LocalGate()
    shared = SharedGate(dead, pricing_app(unique), clock=SystemClock())
    shared.attach(gate)
    with pytest.raises(SharedStateError):
        await shared.open()
    assert gate.opened == 1
    await dead.aclose()


async def test_what_an_operator_opened_while_redis_was_away_stays_open(unique: str) -> None:
    """Redis still holds the closing; it would come back with Redis, for minutes."""
    server = fakeredis.FakeServer()
    redis = fakeredis.FakeAsyncRedis(server=server)
    name = pricing_app(unique)
    gates = [LocalGate(), LocalGate()]
    here, there = (SharedGate(redis, name, clock=SystemClock()) for _ in gates)
    for shared, gate in zip((here, there), gates, strict=True):
        shared.attach(gate)
        await shared.look()
    await throttle(redis, unique, MINUTE)
    server.connected = False
    with pytest.raises(SharedStateError):
        await here.open()
    await here.look()

    server.connected = True
    for shared in (here, there, here):
        await shared.look()

    assert [gate.closed_seconds for gate in gates] == [[], []]
    assert [gate.opened >= 1 for gate in gates] == [True, True]
    assert await closed_gates(redis, [name]) == {}
    await redis.aclose()


async def test_a_throttling_after_an_opening_that_nobody_heard_of_counts(unique: str) -> None:
    """The operator did not know of it."""
    server = fakeredis.FakeServer()
    redis = fakeredis.FakeAsyncRedis(server=server)
    shared = SharedGate(redis, pricing_app(unique), clock=SystemClock())
    server.connected = False
    with pytest.raises(SharedStateError):
        await shared.open()
    server.connected = True

    shared.publish(MINUTE)
    for task in set(shared._under_way):
        await task
    await shared.look()

    assert await said(redis, pricing_app(unique)) == [60]
    await redis.aclose()


async def test_no_process_tells_or_believes_more_than_ten_minutes(
    redis: Redis, unique: str
) -> None:
    """Also of a closing for a day that an older version left behind: nobody else would end it."""
    await throttle(redis, unique, timedelta(days=1))
    assert await said(redis, pricing_app(unique)) == [600]

    await redis.set(f"gate:{{{pricing_app(unique)}}}", b"1", px=timedelta(days=1))
    assert await said(redis, pricing_app(unique)) == [600]
    left = (await closed_gates(redis, [pricing_app(unique)]))[pricing_app(unique)]
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)


async def test_the_token_s_gate_is_another_than_the_app_s(redis: Redis, unique: str) -> None:
    app = pricing_app(unique)
    shared = SharedGate(redis, tokens_of(app), clock=SystemClock())
    shared.publish(MINUTE)
    for task in set(shared._under_way):
        await task
    assert await said(redis, tokens_of(app)) == [60]
    assert await said(redis, app) == []
    assert list(
        await closed_gates(redis, [app, tokens_of(app), shop_gate("https://shop.example.com")])
    ) == [tokens_of(app)]


async def test_a_process_that_starts_knows_at_once_what_is_closed(
    redis: Redis, unique: str
) -> None:
    await throttle(redis, unique, MINUTE)
    gate = LocalGate()
    shared = SharedGate(redis, pricing_app(unique), clock=SystemClock())
    shared.attach(gate)
    async with shared:
        assert gate.closed_seconds == [60]


def test_a_gate_is_of_its_address_however_that_is_spelled() -> None:
    """The names of environments tell nothing: both deployments call theirs alike."""
    spellings = (
        "https://erp.example.com",
        "https://ERP.example.com:443/",
        "https://erp.example.com/",
    )
    assert len({app_gate(each, "sync") for each in spellings}) == 1
    others = ("https://test.example.com", "https://erp.example.com:8443", "http://erp.example.com")
    assert len({app_gate(each, "sync") for each in (*spellings, *others)}) == 4
