"""Written schedules for the circuit breaker; random ones are in tests/property."""

import asyncio
import logging
from datetime import timedelta

import pytest

from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_events import Permit, Phase
from pricing_proxy.resilience.breaker_settings import (
    DOCUMENT_READS,
    DOCUMENT_WRITES,
    MASTER_READS,
    PRICE_READS,
)
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.evidence import Evidence, SlowRule
from tests.virtual_time import ManualClock

SECOND = 1_000_000
QUICK = 60_000
REFUSED = UpstreamUnavailableError("refused", system="fo", is_connection_failure=True)
FAILED = UpstreamUnavailableError("503", system="fo")
LATE = UpstreamTimeoutError("late", system="fo")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker(system="fo", name="fo price_read", clock=clock, chance=lambda: 0.0)


def report(
    breaker: Breaker,
    error: BaseException | None = None,
    *,
    times: int = 1,
    wire_us: int = QUICK,
    lines: int = 1,
) -> None:
    for _ in range(times):
        permit = breaker.acquire(may_probe=True)
        breaker.settle(permit, error, wire_us=wire_us, lines=lines)


def open_it(breaker: Breaker) -> None:
    report(breaker, REFUSED, times=5)
    assert breaker.view().phase is Phase.OPEN


def probe(breaker: Breaker) -> Permit:
    return breaker.acquire(may_probe=True)


def refusal(breaker: Breaker, *, may_probe: bool) -> CallRefusedError:
    with pytest.raises(CallRefusedError) as caught:
        breaker.acquire(may_probe=may_probe)
    return caught.value


def test_a_call_of_a_closed_breaker_is_no_probe(breaker: Breaker) -> None:
    assert breaker.acquire(may_probe=True).serial == 0


def test_five_connection_failures_in_a_row_open_it(breaker: Breaker) -> None:
    report(breaker, REFUSED, times=4)
    assert breaker.is_closed
    report(breaker, REFUSED)
    assert not breaker.is_closed


def test_five_time_outs_in_a_row_open_it(breaker: Breaker) -> None:
    report(breaker, LATE, times=5, wire_us=4 * SECOND)
    assert not breaker.is_closed


@pytest.mark.parametrize("answer", [None, FAILED])
def test_an_answer_ends_the_row(breaker: Breaker, answer: Exception | None) -> None:
    """A 503 is a failure, but it proves that somebody is there."""
    report(breaker, REFUSED, times=4)
    report(breaker, answer)
    report(breaker, REFUSED, times=4)
    assert breaker.is_closed


def test_time_outs_between_connection_failures_do_not_end_their_row(breaker: Breaker) -> None:
    report(breaker, REFUSED, times=4)
    report(breaker, LATE, times=4, wire_us=4 * SECOND)
    assert breaker.is_closed
    report(breaker, REFUSED)
    assert not breaker.is_closed


def test_our_own_impatience_is_no_evidence(breaker: Breaker) -> None:
    """A call that queued until little was left times out whatever the ERP does."""
    report(breaker, LATE, times=50, wire_us=SECOND // 2 - 1)
    assert breaker.is_closed
    assert breaker.view().calls == 0


def test_half_of_twenty_calls_failing_open_it(breaker: Breaker) -> None:
    report(breaker, None, times=10)
    report(breaker, FAILED, times=9)
    assert breaker.is_closed
    report(breaker, FAILED)
    assert not breaker.is_closed


def test_nineteen_failures_are_too_few_to_judge_by(breaker: Breaker) -> None:
    report(breaker, FAILED, times=19)
    assert breaker.is_closed


def test_failures_are_forgotten_after_ten_seconds(breaker: Breaker, clock: ManualClock) -> None:
    report(breaker, FAILED, times=19)
    clock.advance(timedelta(seconds=10))
    report(breaker, FAILED, times=19)
    assert breaker.is_closed
    assert breaker.view().calls == 19


def test_failures_age_though_calls_go_on_each_second(breaker: Breaker, clock: ManualClock) -> None:
    report(breaker, FAILED, times=3)
    for _ in range(10):
        clock.advance(timedelta(seconds=1))
        report(breaker, times=2)
    view = breaker.view()
    assert (view.calls, view.failures) == (20, 0)


def test_the_view_forgets_after_ten_seconds_without_any_call(
    breaker: Breaker, clock: ManualClock
) -> None:
    report(breaker, FAILED, times=3)
    clock.advance(timedelta(seconds=9))
    assert breaker.view().failures == 3
    clock.advance(timedelta(seconds=1))
    assert breaker.view().failures == 0


def test_sixty_percent_of_slow_answers_open_it(breaker: Breaker) -> None:
    report(breaker, times=8)
    report(breaker, times=11, wire_us=2_030_001)
    assert breaker.is_closed
    report(breaker, wire_us=2_030_001)
    assert not breaker.is_closed


def test_a_large_batch_may_take_its_time(breaker: Breaker) -> None:
    report(breaker, times=100, wire_us=5 * SECOND, lines=100)
    assert breaker.is_closed
    assert breaker.view().slow == 0


@pytest.mark.parametrize(
    "error",
    [asyncio.CancelledError(), UpstreamRejectedError("no such item", system="fo", status=400)],
)
def test_what_is_no_evidence_never_opens_it(breaker: Breaker, error: BaseException) -> None:
    report(breaker, error, times=100)
    assert breaker.is_closed


def test_open_says_when_to_come_back(breaker: Breaker, clock: ManualClock) -> None:
    open_it(breaker)
    assert refusal(breaker, may_probe=False).retry_after == timedelta(seconds=5)
    clock.advance(timedelta(seconds=4.5))
    assert refusal(breaker, may_probe=True).retry_after == timedelta(seconds=1)
    assert breaker.next_probe_us() == SECOND // 2


def test_a_customer_never_probes(breaker: Breaker, clock: ManualClock) -> None:
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    refusal(breaker, may_probe=False)
    assert breaker.view().phase is Phase.OPEN
    probe(breaker)
    assert breaker.view().phase is Phase.HALF_OPEN
    refusal(breaker, may_probe=False)


def test_checking_takes_no_permit_and_changes_nothing(breaker: Breaker, clock: ManualClock) -> None:
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    for _ in range(10):
        breaker.check(may_probe=True)
    assert breaker.view().phase is Phase.OPEN
    with pytest.raises(CallRefusedError):
        breaker.check(may_probe=False)


def test_three_probes_at_once(breaker: Breaker, clock: ManualClock) -> None:
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    for _ in range(3):
        probe(breaker)
    assert refusal(breaker, may_probe=True).retry_after == timedelta(seconds=1)
    assert breaker.view().probes == 3
    assert not breaker.probe_due()


def test_five_good_probes_close_it(breaker: Breaker, clock: ManualClock) -> None:
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    report(breaker, times=4)
    assert breaker._state.good == 4
    report(breaker, FAILED)
    report(breaker)
    assert breaker.is_closed
    assert breaker.view().calls == 0
    assert breaker.view().lost_for_us is None


def test_a_slow_probe_is_a_bad_one(breaker: Breaker, clock: ManualClock) -> None:
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    report(breaker, times=2, wire_us=3 * SECOND)
    assert breaker.view().phase is Phase.OPEN


def test_each_failed_probing_doubles_the_wait_up_to_a_minute(
    breaker: Breaker, clock: ManualClock
) -> None:
    open_it(breaker)
    waits = []
    for _ in range(6):
        wait_us = breaker.next_probe_us()
        assert wait_us is not None
        waits.append(wait_us // SECOND)
        clock.advance(timedelta(microseconds=wait_us))
        report(breaker, REFUSED, times=2)
    assert waits == [5, 10, 20, 40, 60, 60]
    assert breaker.view().lost_for_us == sum(waits) * SECOND


def test_jitter_only_shortens_the_wait(clock: ManualClock) -> None:
    breaker = Breaker(system="fo", name="fo", clock=clock, chance=lambda: 0.999)
    open_it(breaker)
    wait_us = breaker.next_probe_us()
    assert wait_us is not None
    assert 4 * SECOND <= wait_us < 4_010_000


def test_a_call_from_before_the_outage_says_nothing_about_now(
    breaker: Breaker, clock: ManualClock
) -> None:
    """It may have hung for a minute; its failure must not spoil the probing."""
    old = [breaker.acquire(may_probe=False) for _ in range(4)]
    open_it(breaker)
    breaker.settle(old[0], None, wire_us=QUICK)
    clock.advance(timedelta(seconds=5))
    report(breaker, times=4)
    breaker.settle(old[1], REFUSED, wire_us=QUICK)
    breaker.settle(old[2], REFUSED, wire_us=QUICK)
    assert breaker._state.bad == 0
    report(breaker)
    breaker.settle(old[3], REFUSED, wire_us=QUICK)
    assert breaker.view().calls == 0


def test_a_late_probe_of_an_earlier_round_is_ignored(breaker: Breaker, clock: ManualClock) -> None:
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    late = probe(breaker)
    report(breaker, REFUSED, times=2)
    clock.advance(timedelta(seconds=10))
    report(breaker)
    breaker.settle(late, REFUSED, wire_us=QUICK)
    assert (breaker._state.good, breaker._state.bad) == (1, 0)


def test_a_cancelled_probe_makes_room_for_the_next(breaker: Breaker, clock: ManualClock) -> None:
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    permits = [probe(breaker) for _ in range(3)]
    breaker.settle(permits[0], asyncio.CancelledError(), wire_us=QUICK)
    assert breaker.view().probes == 2
    probe(breaker)
    assert (breaker._state.good, breaker._state.bad) == (0, 0)


def test_a_lost_probe_gives_its_place_away_and_counts_no_more(
    breaker: Breaker, clock: ManualClock
) -> None:
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    lost = [probe(breaker) for _ in range(3)]
    clock.advance(timedelta(seconds=15))
    assert breaker.probe_due()
    probe(breaker)
    for permit in lost:
        breaker.settle(permit, REFUSED, wire_us=QUICK)
    assert breaker.view().phase is Phase.HALF_OPEN
    assert (breaker.view().probes, breaker._state.bad) == (1, 0)


def test_an_isolated_breaker_waits_for_the_operator(breaker: Breaker, clock: ManualClock) -> None:
    breaker.isolate()
    breaker.isolate()
    clock.advance(timedelta(hours=1))
    assert refusal(breaker, may_probe=True).retry_after == timedelta(seconds=30)
    assert breaker.next_probe_us() is None
    assert breaker.view().lost_for_us == 3600 * SECOND
    breaker.close()
    report(breaker)
    assert breaker.is_closed


def test_isolating_an_open_breaker_keeps_when_it_was_lost(
    breaker: Breaker, clock: ManualClock
) -> None:
    open_it(breaker)
    clock.advance(timedelta(seconds=3))
    breaker.isolate()
    assert breaker.view().lost_for_us == 3 * SECOND


def test_closing_a_closed_breaker_forgets_nothing(breaker: Breaker) -> None:
    report(breaker, REFUSED, times=4)
    breaker.close()
    report(breaker, REFUSED)
    assert not breaker.is_closed


def test_one_line_when_lost_and_one_when_back(
    breaker: Breaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage of minutes reopens often; whoever reads the log needs its two ends."""
    caplog.set_level(logging.INFO)
    open_it(breaker)
    for seconds in (5, 10, 20):
        clock.advance(timedelta(seconds=seconds))
        report(breaker, REFUSED, times=2)
    clock.advance(timedelta(seconds=40))
    report(breaker, times=5)
    assert [record.getMessage() for record in caplog.records] == [
        f"fo price_read: lost, 5 connection failures in a row, since {REFUSED}",
        "fo price_read: back after 75 s, probes succeeded",
    ]


def test_listeners_hear_every_move_until_they_leave(breaker: Breaker, clock: ManualClock) -> None:
    moves: list[tuple[str, Phase, Phase]] = []
    leave = breaker.on_change(lambda name, move: moves.append((name, move.before, move.after)))
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    report(breaker, times=5)
    leave()
    breaker.isolate()
    assert moves == [
        ("fo price_read", Phase.CLOSED, Phase.OPEN),
        ("fo price_read", Phase.OPEN, Phase.HALF_OPEN),
        ("fo price_read", Phase.HALF_OPEN, Phase.CLOSED),
    ]


def test_whoever_settles_learns_what_the_call_was_evidence_of(breaker: Breaker) -> None:
    endings = [(None, QUICK), (FAILED, QUICK), (REFUSED, QUICK), (LATE, QUICK), (LATE, SECOND)]
    said = [
        breaker.settle(breaker.acquire(may_probe=False), error, wire_us=wire_us)
        for error, wire_us in endings
    ]
    assert said == [
        Evidence.GOOD,
        Evidence.FAILED,
        Evidence.NOT_CONNECTED,
        Evidence.NONE,
        Evidence.TIMED_OUT,
    ]


def test_a_time_out_after_half_a_second_is_evidence(breaker: Breaker) -> None:
    report(breaker, LATE, times=5, wire_us=SECOND // 2)
    assert not breaker.is_closed


def test_what_is_slow_is_judged_by_the_size_of_the_batch(breaker: Breaker) -> None:
    """Two seconds and 30 ms a line; half of it strains."""
    breaker.settle(breaker.acquire(may_probe=False), None, wire_us=2_030_000)
    assert breaker.view().slow == 0
    breaker.settle(breaker.acquire(may_probe=False), None, wire_us=2_030_001)
    assert breaker.view().slow == 1
    assert not breaker.is_straining(1_015_000, lines=1)
    assert breaker.is_straining(1_015_001, lines=1)
    assert not breaker.is_straining(1_015_001, lines=2)


def test_each_kind_of_call_has_its_own_idea_of_slow() -> None:
    assert PRICE_READS.permit_us == 15 * SECOND
    for patient in (MASTER_READS, DOCUMENT_READS, DOCUMENT_WRITES):
        assert patient.permit_us == 75 * SECOND
    assert MASTER_READS.slow == SlowRule(30 * SECOND, 0)
    assert DOCUMENT_READS.slow == SlowRule(10 * SECOND, 0)
    assert DOCUMENT_WRITES.slow == SlowRule(10 * SECOND, 100_000)


def test_the_phases_are_named_as_operators_read_them() -> None:
    assert [str(phase) for phase in Phase] == ["closed", "open", "half_open", "isolated"]


@pytest.mark.parametrize(
    ("ending", "times", "reason"),
    [
        ((REFUSED, QUICK), 5, "5 connection failures in a row"),
        ((LATE, SECOND), 5, "5 time-outs in a row"),
        ((FAILED, QUICK), 20, "20 of 20 calls failed"),
        ((None, 3 * SECOND), 20, "20 of 20 calls were slow"),
    ],
)
def test_the_log_says_why_it_opened(
    breaker: Breaker,
    caplog: pytest.LogCaptureFixture,
    ending: tuple[Exception | None, int],
    times: int,
    reason: str,
) -> None:
    error, wire_us = ending
    report(breaker, error, times=times, wire_us=wire_us)
    cause = reason if error is None else f"{reason}, since {error}"
    assert [record.getMessage() for record in caplog.records] == [f"fo price_read: lost, {cause}"]


def test_every_move_tells_its_reason(breaker: Breaker, clock: ManualClock) -> None:
    reasons: list[str] = []
    breaker.on_change(lambda _, move: reasons.append(move.reason))
    open_it(breaker)
    clock.advance(timedelta(seconds=5))
    report(breaker, REFUSED, times=2)
    breaker.isolate()
    breaker.close()
    assert reasons == [
        "5 connection failures in a row",
        "time to probe",
        "probes failed",
        "isolated by an operator",
        "closed by an operator",
    ]


def test_a_refusal_names_the_system_and_the_breaker(breaker: Breaker) -> None:
    open_it(breaker)
    error = refusal(breaker, may_probe=False)
    assert str(error) == f"fo price_read: the circuit breaker is open, since {REFUSED}"
    assert error.system == "fo"


def test_a_view_of_a_healthy_breaker(breaker: Breaker) -> None:
    report(breaker, FAILED)
    view = breaker.view()
    assert (view.name, view.phase, view.lost_for_us) == ("fo price_read", Phase.CLOSED, None)
    assert (view.next_probe_us, view.calls, view.failures, view.slow) == (None, 1, 1, 0)
    assert (view.probes, breaker._state.good, breaker._state.bad) == (0, 0, 0)
    assert not breaker.probe_due()
