import asyncio
import logging

import pytest

from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_events import Phase
from pricing_proxy.resilience.prober import Probe, Prober
from tests.resilience.scenario import SECOND, clock, dead, now, run


def lost_breaker() -> Breaker:
    breaker = Breaker(system="fo", name="fo price_read", clock=clock(), chance=lambda: 0.0)
    for _ in range(5):
        breaker.settle(breaker.acquire(may_probe=False), dead(), wire_us=SECOND)
    return breaker


def test_probing_begins_when_due_and_closes_the_breaker_without_any_traffic() -> None:
    async def main() -> None:
        breaker = lost_breaker()
        began, probed_at = now(), list[float]()

        async def ping() -> None:
            permit = breaker.acquire(may_probe=True)
            probed_at.append(now() - began)
            await asyncio.sleep(0.06)
            breaker.settle(permit, None, wire_us=60_000)

        async with Prober([Probe(breaker, ping)]):
            await asyncio.sleep(6.5)
        assert breaker.is_closed
        assert len(probed_at) == 5
        assert probed_at[0] == pytest.approx(5.1)

    run(main())


def test_it_sleeps_while_all_is_well_and_wakes_when_the_system_is_lost() -> None:
    async def main() -> None:
        breaker = Breaker(system="fo", name="fo", clock=clock(), chance=lambda: 0.0)
        pings: list[float] = []

        async def ping() -> None:
            pings.append(now())
            breaker.settle(breaker.acquire(may_probe=True), None, wire_us=1000)

        async with Prober([Probe(breaker, ping)]):
            await asyncio.sleep(3600)
            assert pings == []
            for _ in range(5):
                breaker.settle(breaker.acquire(may_probe=False), dead(), wire_us=SECOND)
            await asyncio.sleep(6)
        assert len(pings) == 5
        assert breaker.is_closed

    run(main())


def test_refresh_traffic_that_probes_is_left_to_it() -> None:
    async def main() -> None:
        breaker = lost_breaker()
        pings: list[float] = []

        async def ping() -> None:
            pings.append(now())

        async with Prober([Probe(breaker, ping)]):
            await asyncio.sleep(5)
            refresh = breaker.acquire(may_probe=True)
            await asyncio.sleep(5)
            assert pings == []
            breaker.settle(refresh, None, wire_us=5000)
            await asyncio.sleep(0.15)
        assert pings != []

    run(main())


def test_an_operator_s_closing_ends_the_wait_for_the_probe() -> None:
    async def main() -> None:
        breaker = lost_breaker()

        async def ping() -> None:
            raise AssertionError("nothing is left to probe")

        async with Prober([Probe(breaker, ping)]):
            await asyncio.sleep(1)
            breaker.close()
            await asyncio.sleep(60)

    run(main())


def test_a_broken_probe_is_logged_and_the_next_one_still_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        breaker = lost_breaker()
        errors: list[Exception] = [ZeroDivisionError("a bug"), dead()]

        async def ping() -> None:
            if errors:
                raise errors.pop(0)
            breaker.settle(breaker.acquire(may_probe=True), None, wire_us=1000)

        async with Prober([Probe(breaker, ping)]).watched(None, "probes of fo"):
            await asyncio.sleep(8)
        assert breaker.is_closed

    caplog.set_level(logging.ERROR)
    run(main())
    assert [record.getMessage() for record in caplog.records] == [
        "probes of fo failed, and goes on soon"
    ]


def test_leaving_the_block_ends_a_probe_under_way() -> None:
    async def main() -> None:
        breaker = lost_breaker()
        ends: list[str] = []

        async def ping() -> None:
            permit = breaker.acquire(may_probe=True)
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError as error:
                breaker.settle(permit, error, wire_us=SECOND)
                ends.append("cancelled")
                raise

        async with Prober([Probe(breaker, ping)]):
            await asyncio.sleep(5.5)
        assert ends == ["cancelled"]
        assert breaker.view().phase is Phase.HALF_OPEN
        assert len(asyncio.all_tasks()) == 1

    run(main())


def test_a_loss_after_an_operator_s_closing_is_probed_in_its_own_time() -> None:
    """Not after the minute that the outage before it had earned."""

    async def main() -> None:
        breaker = lost_breaker()
        answers: list[float] = []

        async def ping() -> None:
            permit = breaker.acquire(may_probe=True)
            answers.append(now())
            breaker.settle(permit, dead(), wire_us=1000)

        async with Prober([Probe(breaker, ping)]):
            await asyncio.sleep(5 + 10 + 20 + 40 + 5)
            breaker.close()
            for _ in range(5):
                breaker.settle(breaker.acquire(may_probe=False), dead(), wire_us=1000)
            answers.clear()
            lost_at = now()
            await asyncio.sleep(6)
        assert answers[0] - lost_at == pytest.approx(5.1)
        assert breaker._listeners == []

    run(main())
