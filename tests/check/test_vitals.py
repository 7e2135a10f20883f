"""What samples say about a system, without one."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.diagnosis.board import Board, RowState
from pricing_proxy.diagnosis.sampling import TimedCall
from pricing_proxy.diagnosis.vitals import Vitals
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

VITALS = Vitals(
    label="X",
    admitted="admitted",
    slow=timedelta(seconds=1),
    unsteady=timedelta(milliseconds=500),
    when_lost="lost",
    when_throttling="throttling",
    when_failing="failing",
    when_refusing=lambda _: "refusing",
    when_slow="slow",
)
LOST = UpstreamUnavailableError("refused", system="x", is_connection_failure=True)
FAILED = UpstreamUnavailableError("500", system="x")
ODD = UpstreamContractError("no JSON", system="x")
SILENT = UpstreamTimeoutError("no answer", system="x")
THROTTLED = UpstreamThrottledError("429", system="x", retry_after=timedelta(seconds=6.2))
DENIED = UpstreamDeniedError("401", system="x", status=401)
FORBIDDEN = UpstreamDeniedError("403", system="x", status=403)


def taking(milliseconds: int, error: UpstreamError | None = None) -> TimedCall:
    return TimedCall(timedelta(milliseconds=milliseconds), error)


def judged(*samples: TimedCall) -> Board:
    board = Board("X", VITALS.names)
    VITALS.judge(board, samples, admitted="as me")
    return board


def red_rows(board: Board) -> list[str]:
    return [row.name for row in board.rows() if row.finding.state is RowState.FAILED]


GOOD = [taking(60)] * 20


@pytest.mark.parametrize(
    ("samples", "row"),
    [
        ([taking(1, LOST)] * 5, VITALS.reachable),
        ([taking(8000, SILENT)] * 5, VITALS.reachable),
        ([*GOOD, taking(1, LOST)], VITALS.errors),
        ([*GOOD, taking(1, FAILED)], VITALS.errors),
        ([*GOOD, taking(1, ODD)], VITALS.errors),
        ([*GOOD, taking(8000, SILENT)], VITALS.errors),
        ([*GOOD, taking(1, THROTTLED)], VITALS.throttling),
        ([taking(1, THROTTLED)] * 5, VITALS.throttling),
        ([taking(1, DENIED)] * 5, VITALS.admitted),
        ([*GOOD, taking(1, DENIED)], VITALS.admitted),
        ([taking(1500)] * 20, VITALS.latency),
        ([*GOOD, *[taking(1500)] * 8], VITALS.steady),
        ([*GOOD, *[taking(1500)] * 30], VITALS.latency),
        ([*GOOD, *[taking(8000, SILENT)] * 8], VITALS.steady),
        ([*[taking(10)] * 8, *[taking(1100)] * 7, *[taking(3000)] * 5], VITALS.steady),
    ],
)
def test_each_fault_has_one_row(samples: list[TimedCall], row: str) -> None:
    assert red_rows(judged(*samples)) == [row]


def test_wait_that_was_asked_for_is_shown_rounded_up() -> None:
    rows = {row.name: row.finding for row in judged(taking(1, THROTTLED)).rows()}

    assert "asks to wait 7 s" in rows[VITALS.throttling].found


def test_median_exactly_at_the_limit_is_not_slow() -> None:
    assert red_rows(judged(taking(1000))) == []


@pytest.mark.parametrize(
    ("error", "row"),
    [
        (THROTTLED, VITALS.throttling),
        (FAILED, VITALS.errors),
        (LOST, VITALS.errors),
        (DENIED, VITALS.admitted),
        (FORBIDDEN, None),
        (SILENT, None),
        (ODD, None),
    ],
)
def test_later_error_is_blamed_on_the_row_of_its_kind(
    error: UpstreamError, row: str | None
) -> None:
    board = judged(*GOOD)

    assert VITALS.blame(board, error, "set") == row
    assert red_rows(board) == ([] if row is None else [row])


def test_later_time_out_of_a_slow_system_is_blamed_on_its_slowness() -> None:
    board = judged(*[taking(1500)] * 20)

    assert VITALS.blame(board, SILENT, "set") == VITALS.latency


ERRORS = st.sampled_from([None, LOST, FAILED, ODD, SILENT, THROTTLED, DENIED, FORBIDDEN])


@given(st.lists(st.builds(taking, st.integers(0, 9000), ERRORS), min_size=1, max_size=30))
def test_every_row_is_judged_and_what_is_skipped_names_a_red_one(samples: list[TimedCall]) -> None:
    board = judged(*samples)
    red = red_rows(board)

    assert [row.name for row in board.rows()] == list(VITALS.names)
    assert all(row.finding.next_step for row in board.rows() if row.name in red)
    assert all(
        row.finding.needs in red for row in board.rows() if row.finding.state is RowState.SKIPPED
    )
    assert bool(red) or all(each.error is None for each in samples)


def test_unknown_row_is_a_mistake_of_ours() -> None:
    board = judged(*GOOD)

    with pytest.raises(KeyError):
        board.put("nonsense", board.rows()[0].finding)


def test_an_absurd_wish_is_told_with_what_is_obeyed_of_it() -> None:
    absurd = UpstreamThrottledError("429", system="x", retry_after=timedelta(days=1))
    rows = {row.name: row.finding for row in judged(taking(1, absurd)).rows()}

    assert "asks to wait 86400 s, of which 600 s are obeyed" in rows[VITALS.throttling].found
