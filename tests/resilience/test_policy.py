"""The whole client layer in front of an ERP that fails in every way it knows."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from pricing_proxy.resilience.breaker_events import Phase
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.operation import OperationClass
from pricing_proxy.resilience.prober import Prober
from tests.resilience.scenario import ORDERS, PRICES, SECOND, World, clock, dead, now, run
from tests.virtual_time import VirtualLoop

CHECKOUT, INTERACTIVE = CallClass.CHECKOUT, CallClass.INTERACTIVE
REFRESH, BACKGROUND = CallClass.REFRESH, CallClass.BACKGROUND


def throttled(seconds: float | None) -> UpstreamThrottledError:
    wait = None if seconds is None else timedelta(seconds=seconds)
    return UpstreamThrottledError("429", system="fo", retry_after=wait)


def test_an_answer_passes_through_and_is_reported() -> None:
    async def main() -> None:
        world = World()
        assert await world.call(CHECKOUT, label="LAMP-01", lines=24) == "answer to LAMP-01"
        [report] = world.reports
        assert (report.system, report.operation) == ("fo", "price_batch")
        assert (report.wire_us, report.error) == (60_000, None)
        world.assert_nothing_is_held()

    run(main())


def test_an_erp_that_hangs_costs_the_deadline_and_no_more() -> None:
    async def main() -> None:
        world = World()
        world.erp.latency_seconds = 3600
        began = now()
        with pytest.raises(UpstreamTimeoutError):
            await world.call(CHECKOUT, within=4)
        assert now() - began == pytest.approx(4)
        assert isinstance(world.reports[0].error, UpstreamTimeoutError)
        world.assert_nothing_is_held()

    run(main())


def test_one_failure_costs_a_customer_a_pause() -> None:
    async def main() -> None:
        world = World()
        world.erp.outage, world.erp.failures_left = dead(), 1
        assert await world.call(INTERACTIVE) == "answer to "
        assert [report.error for report in world.reports] == [world.erp.outage, None]
        world.assert_nothing_is_held()

    run(main())


def test_a_rejected_request_is_tried_once_and_says_nothing_of_the_erp() -> None:
    async def main() -> None:
        world = World()
        world.erp.outage = UpstreamRejectedError("no such item", system="fo", status=400)
        for _ in range(30):
            with pytest.raises(UpstreamRejectedError):
                await world.call(BACKGROUND)
        assert len(world.erp.started_at) == 30
        assert world.breaker.view().calls == 0

    run(main())


def test_nothing_is_sent_with_too_little_time_left() -> None:
    async def main() -> None:
        world = World()
        with pytest.raises(CallRefusedError, match="too little time"):
            await world.call(CHECKOUT, within=0.05)
        assert world.erp.started_at == []
        world.assert_nothing_is_held()

    run(main())


def test_time_that_ran_out_at_the_gate_is_noticed_before_the_wire() -> None:
    """A late timer may let a call in after its last useful start; it is not sent then."""

    async def main() -> None:
        world = World()
        world.gate.throttled(timedelta(seconds=1))
        task = world.start(CHECKOUT, within=1.2501)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        # The loop was busy: both the gate's timer and the deadline's are due when it returns.
        assert isinstance(loop, VirtualLoop)
        loop.skip(1.3)
        with pytest.raises(CallRefusedError):
            await task
        assert world.erp.started_at == []
        world.assert_nothing_is_held()

    run(main())


def test_a_write_is_never_repeated() -> None:
    async def main() -> None:
        world = World()
        world.erp.outage = dead()
        with pytest.raises(UpstreamUnavailableError):
            await world.call(BACKGROUND, operation=ORDERS)
        assert len(world.erp.started_at) == 1

    run(main())


def test_a_dead_erp_is_refused_in_no_time_and_says_when_to_come_back() -> None:
    async def main() -> None:
        world = World(chance=0.0)
        await world.call()
        await world.lose_the_erp()
        asked, began = len(world.erp.started_at), now()
        for klass in CallClass:
            with pytest.raises(CallRefusedError) as caught:
                await world.call(klass)
            assert caught.value.retry_after == timedelta(seconds=5)
        assert now() == began
        assert len(world.erp.started_at) == asked
        world.assert_nothing_is_held()

    run(main())


def test_one_operation_class_fails_alone() -> None:
    async def main() -> None:
        world = World()
        await world.lose_the_erp()
        world.erp.outage = None
        assert await world.call(BACKGROUND, operation=ORDERS) == "answer to "
        phases = {view.name: view.phase for view in world.policy.view().breakers}
        assert phases == {
            "fo price_read": Phase.OPEN,
            "fo master_read": Phase.CLOSED,
            "fo document_read": Phase.CLOSED,
            "fo document_write": Phase.CLOSED,
            "fo mirror_read": Phase.CLOSED,
        }

    run(main())


def test_the_last_good_read_finds_the_erp_again_and_no_customer_is_the_canary() -> None:
    async def main() -> None:
        world = World(chance=0.0)
        await world.call(label="good read")
        await world.lose_the_erp()
        async with Prober(world.policy.probes()):
            # One failed round of probing: 5 s, then 10 s more.
            await asyncio.sleep(8)
            world.erp.outage = None
            world.erp.labels.clear()
            while not world.breaker.is_closed:
                with pytest.raises(CallRefusedError):
                    await world.call(CHECKOUT, label="customer", within=4)
                await asyncio.sleep(0.05)
            assert await world.call(CHECKOUT, label="customer") == "answer to customer"
        assert world.erp.labels == ["good read"] * 5 + ["customer"]
        world.assert_nothing_is_held()

    run(main())


def test_the_probe_has_a_deadline_of_its_own() -> None:
    """The read it repeats may have had little left, and that was long ago."""

    async def main() -> None:
        world = World(chance=0.0)
        deadlines: list[float] = []

        async def send(deadline: Deadline) -> None:
            deadlines.append(deadline.remaining_us(clock().monotonic_us()) / 1_000_000)
            await asyncio.sleep(0.06)

        for within in (1.0, 60.0):
            await world.policy.call(
                send,
                operation=PRICES,
                ticket=Ticket(CHECKOUT),
                deadline=Deadline.after(round(within * 1_000_000), now_us=clock().monotonic_us()),
            )
            await world.lose_the_erp()
            async with Prober(world.policy.probes()):
                await asyncio.sleep(7)
            assert world.breaker.is_closed
        assert deadlines == pytest.approx([1.0] + [10.0] * 5 + [60.0] + [60.0] * 5)

    run(main())


def test_refresh_traffic_probes_by_itself() -> None:
    async def main() -> None:
        world = World(chance=0.0)
        await world.call()
        await world.lose_the_erp()
        world.erp.outage = None
        await asyncio.sleep(5)
        for _ in range(5):
            await world.call(REFRESH)
        assert world.breaker.is_closed

    run(main())


def test_before_the_first_good_read_somebody_has_to_go() -> None:
    """Started during an outage there is nothing to repeat; three callers at a time probe."""

    async def main() -> None:
        world = World(chance=0.0)
        await world.lose_the_erp()
        world.erp.outage = None
        async with Prober(world.policy.probes()):
            await asyncio.sleep(5.5)
            assert world.breaker.view().phase is Phase.OPEN
            world.erp.labels.clear()
            tasks = [world.start(INTERACTIVE, label=str(index)) for index in range(20)]
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert len(world.erp.labels) == 3
        assert sum(isinstance(result, CallRefusedError) for result in results) == 17

    run(main())


def test_recovery_never_stampedes() -> None:
    async def main() -> None:
        world = World(chance=0.0, initial_limit=64)
        await world.call()
        await world.lose_the_erp()
        world.erp.outage = None
        await asyncio.sleep(5)
        for _ in range(5):
            await world.call(REFRESH)
        began = now()
        world.erp.started_at.clear()
        tasks = [world.start(INTERACTIVE, label=str(index)) for index in range(100)]
        tasks += [world.start(CHECKOUT, label=str(index)) for index in range(50)]
        await asyncio.gather(*tasks)
        seconds = Counter(int(at - began) for at in world.erp.started_at)
        assert [seconds[second] for second in range(3)] == [5, 10, 20]
        world.assert_nothing_is_held()

    run(main())


@pytest.mark.parametrize("seconds", [7, 2.5])
def test_after_a_429_nothing_is_sent_before_retry_after(seconds: float) -> None:
    async def main() -> None:
        world = World(chance=0.0)
        world.erp.outage, world.erp.failures_left = throttled(seconds), 1
        began = now()
        tasks = [world.start(klass, within=20) for klass in CallClass]
        await asyncio.sleep(0.1)
        tasks += [world.start(INTERACTIVE, within=20) for _ in range(20)]
        await asyncio.gather(*tasks)
        later = [at - began for at in world.erp.started_at if at > began]
        assert min(later) == pytest.approx(0.06 + seconds)
        assert world.told_closings == [timedelta(seconds=seconds)]
        assert world.breaker.is_closed
        assert world.limits[0] == 4
        world.assert_nothing_is_held()

    run(main())


def test_a_429_without_a_time_waits_two_seconds_then_four() -> None:
    async def main() -> None:
        world = World(chance=0.0)
        world.erp.outage, world.erp.failures_left = throttled(None), 2
        began = now()
        await world.call(REFRESH, within=20)
        times = [round(at - began, 2) for at in world.erp.started_at]
        assert times == [0, 2.06, 6.12]

    run(main())


def test_a_checkout_that_cannot_outwait_the_gate_is_refused_at_once() -> None:
    async def main() -> None:
        world = World(chance=0.0)
        world.erp.outage = throttled(7)
        began = now()
        with pytest.raises(CallRefusedError) as caught:
            await world.call(CHECKOUT, within=4)
        assert now() - began == pytest.approx(0.06)
        assert caught.value.retry_after == timedelta(seconds=7)

    run(main())


def test_checkout_keeps_its_share_while_browse_floods() -> None:
    async def main() -> None:
        world = World(initial_limit=10)
        world.erp.latency_seconds = 5
        pages = [world.start(INTERACTIVE, label="page", within=9) for _ in range(300)]
        await asyncio.sleep(0.1)
        world.erp.latency_seconds = 0.06
        for _ in range(20):
            began = now()
            await asyncio.gather(*(world.call(CHECKOUT, within=4) for _ in range(4)))
            assert now() - began == pytest.approx(0.06)
        await asyncio.gather(*pages, return_exceptions=True)
        world.assert_nothing_is_held()

    run(main())


def test_a_slow_erp_gets_fewer_calls_before_the_breaker_trips() -> None:
    async def main() -> None:
        world = World(initial_limit=32)
        world.erp.latency_seconds = 1.5
        for _ in range(8):
            await asyncio.gather(*(world.call(INTERACTIVE, within=60) for _ in range(4)))
        assert world.policy.view().bulkhead.limit < 10
        assert world.breaker.is_closed

    run(main())


def test_a_queued_flight_that_a_checkout_joins_goes_first() -> None:
    async def main() -> None:
        world = World(initial_limit=4)
        world.erp.latency_seconds = 5
        running = [world.start(REFRESH, label="running") for _ in range(2)]
        await asyncio.sleep(0.1)
        ticket = Ticket(REFRESH)
        flight = asyncio.create_task(world.call(ticket=ticket, label="flight"))
        await asyncio.sleep(0.1)
        assert world.erp.labels == ["running"] * 2
        ticket.lift(CHECKOUT)
        await asyncio.sleep(0)
        assert world.erp.labels == ["running"] * 2 + ["flight"]
        await asyncio.gather(*running, flight)
        world.assert_nothing_is_held()

    run(main())


@pytest.mark.parametrize("steps", range(12))
def test_cancelled_at_any_step_nothing_stays_taken(steps: int) -> None:
    """In the line for a slot, at the gate, on the wire, in the pause before a repeat."""

    async def main() -> None:
        world = World(initial_limit=4)
        world.gate.throttled(timedelta(seconds=0.1))
        world.erp.outage = UpstreamUnavailableError("503", system="fo")
        tasks = [world.start(klass) for klass in CallClass for _ in range(4)]
        await asyncio.sleep(0.025 * steps)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, BaseException) for result in results)
        assert world.erp.running == 0
        world.assert_nothing_is_held()

    run(main())


def test_a_cancelled_probe_does_not_keep_the_erp_lost() -> None:
    async def main() -> None:
        world = World(chance=0.0)
        await world.call()
        await world.lose_the_erp()
        world.erp.outage = None
        await asyncio.sleep(5)
        world.erp.latency_seconds = 60
        probes = [world.start(REFRESH) for _ in range(3)]
        await asyncio.sleep(1)
        assert world.breaker.view().probes == 3
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)
        world.erp.latency_seconds = 0.06
        for _ in range(5):
            await world.call(REFRESH)
        assert world.breaker.is_closed

    run(main())


def test_the_breaker_that_opens_while_a_call_waits_at_the_gate_stops_it() -> None:
    async def main() -> None:
        world = World(chance=0.0)
        await world.call()
        world.gate.throttled(timedelta(seconds=2))
        task = world.start(CHECKOUT)
        await asyncio.sleep(1)
        world.breaker.isolate()
        with pytest.raises(CallRefusedError, match="isolated"):
            await task
        assert len(world.erp.started_at) == 1
        world.assert_nothing_is_held()

    run(main())


def test_an_operator_isolates_and_closes_and_the_return_is_a_ramp() -> None:
    async def main() -> None:
        world = World()
        breaker = world.policy.breakers[OperationClass.PRICE_READ]
        breaker.isolate()
        with pytest.raises(CallRefusedError):
            await world.call(BACKGROUND)
        breaker.close()
        assert world.policy.view().gate.is_ramping
        assert await world.call() == "answer to "

    run(main())


def test_without_anybody_to_report_to_calls_still_go() -> None:
    async def main() -> None:
        world = World()
        world.policy._watch = None
        assert await world.call(label="quiet") == "answer to quiet"

    run(main())


def test_nobody_queues_only_to_be_refused() -> None:
    """A checkout learns at once that the ERP is lost, however long the gate stays closed."""

    async def main() -> None:
        world = World()
        world.gate.throttled(timedelta(seconds=3))
        world.breaker.isolate()
        began = now()
        with pytest.raises(CallRefusedError, match="isolated"):
            await world.call(CHECKOUT)
        assert now() == began

    run(main())


def test_no_probe_ever_repeats_a_write() -> None:
    async def main() -> None:
        world = World(chance=0.0)
        await world.call(BACKGROUND, operation=ORDERS, label="order")
        world.erp.outage = dead()
        for _ in range(5):
            with pytest.raises(UpstreamUnavailableError):
                await world.call(BACKGROUND, operation=ORDERS, label="order")
        world.erp.outage = None
        async with Prober(world.policy.probes()):
            await asyncio.sleep(60)
            assert len(world.erp.labels) == 6
        for _ in range(5):
            await world.call(BACKGROUND, operation=ORDERS, label="order")
        assert world.policy.breakers[OperationClass.DOCUMENT_WRITE].is_closed

    run(main())


def test_an_answer_between_two_429s_makes_the_second_a_first_again() -> None:
    async def main() -> None:
        world = World(chance=0.0)
        for _ in range(3):
            world.erp.outage, world.erp.failures_left = throttled(None), 1
            await world.call(REFRESH, within=20)
        assert world.told_closings == [timedelta(seconds=2)] * 3

    run(main())


def test_a_call_that_times_out_halves_the_limit() -> None:
    async def main() -> None:
        world = World(initial_limit=32)
        world.erp.latency_seconds = 3600
        with pytest.raises(UpstreamTimeoutError):
            await world.call(CHECKOUT, within=1)
        assert world.limits == [16]

    run(main())


def test_it_is_well_while_calls_that_nobody_waits_for_may_start() -> None:
    """Not while the breaker is open, nor while the gate is closed or rations."""

    async def main() -> None:
        world = World()
        assert world.policy.is_well(OperationClass.PRICE_READ)
        world.gate.close_until(clock().monotonic_us() + 2 * SECOND)
        assert not world.policy.is_well(OperationClass.PRICE_READ)
        await asyncio.sleep(3)
        assert not world.policy.is_well(OperationClass.PRICE_READ)
        await asyncio.sleep(10)
        assert world.policy.is_well(OperationClass.PRICE_READ)
        world.breaker.isolate()
        assert not world.policy.is_well(OperationClass.PRICE_READ)
        assert world.policy.is_well(OperationClass.MASTER_READ)

    run(main())


def test_another_s_throttling_closes_no_gate_of_ours() -> None:
    """Whoever issues tokens throttles: the ERP is well, and other processes hold tokens for it."""

    async def main() -> None:
        world = World()
        world.erp.outage = UpstreamThrottledError(
            "429", system="entra", retry_after=timedelta(seconds=60)
        )
        limit = world.bulkhead.view().limit
        with pytest.raises(UpstreamThrottledError):
            await world.call(CallClass.CHECKOUT)
        assert not world.gate.view().is_closed
        assert (world.told_closings, world.bulkhead.view().limit) == ([], limit)

        world.erp.outage = None
        began = now()
        await world.call(CallClass.CHECKOUT)
        assert now() - began == pytest.approx(world.erp.latency_seconds)
        world.assert_nothing_is_held()

    run(main())
