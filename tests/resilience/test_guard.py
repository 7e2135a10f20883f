"""A guarded Redis: quick, refused at once when lost, found again by its ping."""

import asyncio

import pytest

from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_settings import BreakerSettings
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.evidence import SlowRule
from pricing_proxy.resilience.guard import BreakerGuard
from pricing_proxy.resilience.prober import Prober
from tests.resilience.scenario import MILLISECOND, SECOND, FakeUpstream, clock, dead, now, run

REDIS = BreakerSettings(
    slow=SlowRule(20 * MILLISECOND, 0),
    fair_timeout_us=20 * MILLISECOND,
    open_us=SECOND,
    longest_open_us=5 * SECOND,
)


def new_guard() -> BreakerGuard:
    time = clock()
    breaker = Breaker(system="redis", name="redis", clock=time, chance=lambda: 0.0, settings=REDIS)
    return BreakerGuard(system="redis", breaker=breaker, clock=time, timeout_us=50 * MILLISECOND)


def test_a_healthy_answer_passes_through() -> None:
    async def main() -> None:
        guard, redis = new_guard(), FakeUpstream(latency_seconds=0.001)
        assert await guard.call(redis.answer) == "answer to "
        assert guard.view().calls == 1
        assert guard.view().slow == 0

    run(main())


def test_a_hanging_command_ends_in_time_and_five_of_them_open_the_breaker() -> None:
    async def main() -> None:
        guard, redis = new_guard(), FakeUpstream(latency_seconds=3600)
        began = now()
        for _ in range(5):
            with pytest.raises(UpstreamTimeoutError):
                await guard.call(redis.answer)
        assert now() - began == pytest.approx(0.25)
        with pytest.raises(CallRefusedError):
            await guard.call(redis.answer)
        assert len(redis.started_at) == 5

    run(main())


def test_only_the_ping_probes_and_then_callers_pass_again() -> None:
    async def main() -> None:
        guard, redis = new_guard(), FakeUpstream(latency_seconds=0.001, outage=dead())
        for _ in range(5):
            with pytest.raises(UpstreamUnavailableError):
                await guard.call(redis.answer)
        async with Prober([guard.probe(lambda: redis.answer("ping"))]):
            await asyncio.sleep(1.05)
            with pytest.raises(CallRefusedError):
                await guard.call(redis.answer)
            redis.outage = None
            await asyncio.sleep(1)
            assert await guard.call(lambda: redis.answer("get")) == "answer to get"
        assert redis.labels[5:] == ["ping"] * 5 + ["get"]

    run(main())


def test_a_cancelled_caller_is_no_evidence() -> None:
    async def main() -> None:
        guard, redis = new_guard(), FakeUpstream(latency_seconds=0.04)
        for _ in range(100):
            task = asyncio.create_task(guard.call(redis.answer))
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert guard.view().calls == 0
        assert redis.running == 0

    run(main())
