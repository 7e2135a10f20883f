import asyncio
import logging
from datetime import timedelta

import pytest

from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.errors import CallRefusedError
from pricing_proxy.resilience.gate import Gate
from tests.resilience.scenario import SECOND, clock, deadline_in, now, run
from tests.virtual_time import VirtualLoop

CHECKOUT, INTERACTIVE = CallClass.CHECKOUT, CallClass.INTERACTIVE
REFRESH, BACKGROUND = CallClass.REFRESH, CallClass.BACKGROUND


def new_gate(*, chance: float = 0.0, told: list[timedelta] | None = None) -> Gate:
    return Gate(
        system="fo",
        name="fo pricing",
        clock=clock(),
        chance=lambda: chance,
        on_closed=None if told is None else told.append,
    )


class Callers:
    """Tasks that enter the gate; remembers who got in, and when."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.began = now()
        self.entered: list[tuple[str, float]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def come(
        self, name: str, klass: CallClass, *, within: float = 60, ticket: Ticket | None = None
    ) -> "asyncio.Task[None]":
        async def enter() -> None:
            await self.gate.enter(ticket or Ticket(klass), start_by=deadline_in(within))
            self.entered.append((name, round(now() - self.began, 3)))

        task = asyncio.create_task(enter())
        self.tasks.append(task)
        return task

    def seconds(self) -> list[int]:
        """Return in which whole second each entered."""
        return [int(at) for _, at in self.entered]


def test_an_open_gate_lets_everybody_in_at_once() -> None:
    async def main() -> None:
        callers = Callers(new_gate())
        for index in range(500):
            callers.come(str(index), BACKGROUND)
        await asyncio.gather(*callers.tasks)
        assert set(callers.seconds()) == {0}

    run(main())


@pytest.mark.parametrize(("chance", "opens"), [(0.0, 7.0), (0.5, 7.7), (0.999, 8.3986)])
def test_no_call_starts_before_retry_after_and_chance_only_adds(
    chance: float, opens: float
) -> None:
    async def main() -> None:
        gate = new_gate(chance=chance)
        callers = Callers(gate)
        gate.throttled(timedelta(seconds=7))
        await callers.come("first", CHECKOUT)
        [(_, entered_at)] = callers.entered
        assert entered_at == pytest.approx(opens, abs=0.001)

    run(main())


def test_a_call_that_cannot_wait_so_long_is_refused_at_once() -> None:
    async def main() -> None:
        gate = new_gate()
        gate.throttled(timedelta(seconds=7))
        began = now()
        with pytest.raises(CallRefusedError) as caught:
            await gate.enter(Ticket(CHECKOUT), start_by=deadline_in(4))
        assert caught.value.retry_after == timedelta(seconds=7)
        assert now() == began

    run(main())


def test_a_waiting_call_is_refused_when_the_closing_is_prolonged_past_its_deadline() -> None:
    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.throttled(timedelta(seconds=2))
        short = callers.come("short", INTERACTIVE, within=4)
        patient = callers.come("patient", INTERACTIVE, within=60)
        await asyncio.sleep(1)
        gate.throttled(timedelta(seconds=10))
        with pytest.raises(CallRefusedError) as caught:
            await short
        assert caught.value.retry_after == timedelta(seconds=10)
        await patient
        assert callers.entered == [("patient", 11.0)]

    run(main())


def test_a_shorter_wish_never_opens_it_earlier() -> None:
    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.throttled(timedelta(seconds=9))
        gate.throttled(timedelta(seconds=1))
        gate.throttled(None)
        await callers.come("first", CHECKOUT)
        assert callers.seconds() == [9]

    run(main())


@pytest.mark.parametrize("unnamed", [None, timedelta(0)])
def test_without_a_named_time_the_wait_doubles_to_thirty_seconds(unnamed: timedelta | None) -> None:
    async def main() -> None:
        told: list[timedelta] = []
        gate = new_gate(told=told)
        for _ in range(6):
            gate.throttled(unnamed)
            await asyncio.sleep(gate.view().opens_in_us / SECOND)
        assert [wait.seconds for wait in told] == [2, 4, 8, 16, 30, 30]
        gate.answered(began_us=clock().monotonic_us())
        gate.throttled(unnamed)
        assert told[-1] == timedelta(seconds=2)

    run(main())


def test_twenty_answers_at_once_are_one_throttling() -> None:
    async def main() -> None:
        told: list[timedelta] = []
        gate = new_gate(told=told)
        for _ in range(20):
            gate.throttled(None)
        assert told == [timedelta(seconds=2)]
        gate.answered(began_us=clock().monotonic_us() - SECOND)
        await asyncio.sleep(2)
        gate.throttled(None)
        assert told[-1] == timedelta(seconds=4)

    run(main())


def test_news_from_another_process_closes_it_and_is_not_told_again() -> None:
    async def main() -> None:
        told: list[timedelta] = []
        gate = new_gate(told=told)
        until_us = clock().monotonic_us() + 3 * SECOND
        assert gate.close_until(until_us)
        assert not gate.close_until(until_us)
        callers = Callers(gate)
        await callers.come("first", CHECKOUT)
        assert callers.seconds() == [3]
        assert told == []

    run(main())


def test_recovery_is_a_ramp_and_checkout_has_its_share_of_it() -> None:
    """A flood of pages and a flood of checkouts return together."""

    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.throttled(timedelta(seconds=1))
        for index in range(100):
            callers.come(f"page {index}", INTERACTIVE)
        for index in range(10):
            callers.come(f"checkout {index}", CHECKOUT)
        await asyncio.gather(*callers.tasks)
        seconds = callers.seconds()
        assert seconds[0] == 1
        assert [seconds.count(second) for second in range(1, 7)] == [5, 10, 12, 24, 48, 11]
        first = [name.split()[0] for name, at in callers.entered if at < 2]
        assert first == ["checkout"] * 5

    run(main())


def test_pages_leave_forty_percent_of_the_ramp_to_checkout() -> None:
    async def main() -> None:
        gate = new_gate()
        gate.start_ramp()
        callers = Callers(gate)
        for index in range(50):
            callers.come(f"page {index}", INTERACTIVE)
        await asyncio.sleep(0.5)
        assert len(callers.entered) == 3
        callers.come("checkout", CHECKOUT)
        callers.come("checkout", CHECKOUT)
        await asyncio.sleep(0.1)
        assert [name for name, _ in callers.entered[3:]] == ["checkout", "checkout"]
        assert gate.view().is_ramping

    run(main())


def test_after_six_seconds_the_ramp_is_over() -> None:
    async def main() -> None:
        gate = new_gate()
        gate.start_ramp()
        await asyncio.sleep(6)
        callers = Callers(gate)
        for index in range(1000):
            callers.come(str(index), INTERACTIVE)
        await asyncio.gather(*callers.tasks)
        assert set(callers.seconds()) == {0}
        assert not gate.view().is_ramping

    run(main())


def test_a_lifted_call_is_served_before_its_old_neighbours() -> None:
    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.start_ramp()
        for _ in range(3):
            await callers.come("early", INTERACTIVE)
        ticket = Ticket(REFRESH)
        callers.come("other refresh", REFRESH)
        callers.come("lifted", REFRESH, ticket=ticket)
        await asyncio.sleep(0.2)
        ticket.lift(CHECKOUT)
        await asyncio.sleep(0)
        assert callers.entered[3:] == [("lifted", 0.2)]
        await asyncio.gather(*callers.tasks)

    run(main())


def test_the_newest_page_goes_first_and_the_oldest_refresh() -> None:
    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.throttled(timedelta(seconds=1))
        for name in ("old refresh", "new refresh"):
            callers.come(name, REFRESH)
        for name in ("old page", "new page"):
            callers.come(name, INTERACTIVE)
        await asyncio.gather(*callers.tasks)
        names = [name for name, _ in callers.entered]
        assert names == ["new page", "old page", "old refresh", "new refresh"]

    run(main())


def test_a_cancelled_caller_takes_no_turn() -> None:
    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.throttled(timedelta(seconds=1))
        gone = callers.come("gone", CHECKOUT)
        callers.come("stays", CHECKOUT)
        await asyncio.sleep(0.5)
        gone.cancel()
        await asyncio.gather(*callers.tasks, return_exceptions=True)
        assert [name for name, _ in callers.entered] == ["stays"]
        assert set(gate.view().waiting.values()) == {0}

    run(main())


def test_cancelled_in_the_moment_of_its_turn_the_start_stays_counted() -> None:
    """The ramp is a ceiling: a start that nobody used is not given twice."""

    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.throttled(timedelta(seconds=1))
        gone = callers.come("gone", CHECKOUT)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        # Runs after the gate's own timer of the same instant, and before the woken task.
        loop.call_at(loop.time() + 1.0, gone.cancel)
        await asyncio.sleep(1.01)
        assert gone.cancelled()
        for index in range(6):
            callers.come(str(index), CHECKOUT)
        await asyncio.sleep(0.5)
        assert len(callers.entered) == 4
        await asyncio.gather(*callers.tasks, return_exceptions=True)

    run(main())


def test_one_line_when_closed_and_one_when_open_again(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        gate = new_gate()
        for _ in range(3):
            gate.throttled(timedelta(seconds=7))
            await asyncio.sleep(0.1)
        callers = Callers(gate)
        for index in range(3):
            callers.come(str(index), CHECKOUT)
        await asyncio.gather(*callers.tasks)

    caplog.set_level(logging.INFO)
    run(main())
    assert [record.getMessage() for record in caplog.records] == [
        "fo pricing: throttled, no call for 7.0 s",
        "fo pricing: open again after 7.2 s",
    ]


def test_the_view_says_when_it_opens_and_who_waits() -> None:
    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.throttled(timedelta(seconds=7))
        callers.come("one", REFRESH)
        await asyncio.sleep(2)
        view = gate.view()
        assert (view.is_closed, view.opens_in_us, view.is_ramping) == (True, 5 * SECOND, False)
        others = {"checkout": 0, "interactive": 0, "background": 0, "mirror": 0}
        assert view.waiting == {"refresh": 1, **others}

    run(main())


def test_a_newcomer_does_not_overtake_who_waits_when_the_timer_is_late() -> None:
    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.throttled(timedelta(seconds=1))
        for index in range(5):
            callers.come(f"waits {index}", CHECKOUT)
        await asyncio.sleep(0.5)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        # The loop is busy past the opening; the newcomer runs before the overdue timer.
        loop.skip(0.7)
        callers.come("newcomer", CHECKOUT)
        await asyncio.sleep(0.1)
        assert [name for name, _ in callers.entered] == [f"waits {index}" for index in range(5)]
        await asyncio.gather(*callers.tasks)
        assert callers.entered[5] == ("newcomer", 2.0)

    run(main())


@pytest.mark.parametrize("chance", [0.0, 0.999])
@pytest.mark.parametrize(
    "asked", [timedelta(minutes=10), timedelta(seconds=1_000_000_000), timedelta(days=36_500)]
)
def test_no_wish_closes_it_for_more_than_ten_minutes(asked: timedelta, chance: float) -> None:
    async def main() -> None:
        told: list[timedelta] = []
        gate = new_gate(chance=chance, told=told)
        callers = Callers(gate)
        gate.throttled(asked)
        await callers.come("first", CHECKOUT, within=3600)
        assert callers.entered == [("first", 600.0)]
        assert told == [timedelta(minutes=10)]

    run(main())


def test_news_of_a_longer_closing_is_not_believed() -> None:
    async def main() -> None:
        gate = new_gate(chance=0.999)
        gate.close_until(clock().monotonic_us() + 86_400 * SECOND)
        assert gate.view().opens_in_us == 600 * SECOND

    run(main())


def test_a_wish_that_is_not_obeyed_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        gate = new_gate()
        for _ in range(20):
            gate.throttled(timedelta(seconds=1_000_000_000))

    run(main())
    assert [record.getMessage() for record in caplog.records] == [
        "fo pricing: throttled, no call for 600.0 s",
        "fo pricing: a wait of 1000000000 s was asked for; no more than 600 s are waited",
    ]


def test_an_operator_opens_it_and_calls_come_back_on_the_ramp(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        gate = new_gate()
        callers = Callers(gate)
        gate.throttled(timedelta(minutes=10))
        for index in range(20):
            callers.come(str(index), CHECKOUT, within=3600)
        await asyncio.sleep(30)
        assert callers.entered == []
        gate.open()
        await asyncio.gather(*callers.tasks)
        assert [callers.seconds().count(second) for second in (30, 31, 32)] == [5, 10, 5]
        gate.open()
        assert gate.view().is_ramping
        gate.throttled(timedelta(seconds=5))
        assert gate.view().is_closed

    run(main())
    assert "fo pricing: opened by an operator" in caplog.text
    assert caplog.text.count("opened by an operator") == 1
