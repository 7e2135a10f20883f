"""Judge a system by some calls to it: reachable, throttling, failing, refusing, slow, unsteady.

Each fault has one row, so that the rows tell which of them it is:

| the calls | red row |
|---|---|
| none got an HTTP answer | reachable |
| 429, or 503 with Retry-After | not throttling |
| 5xx, broken connections, answers that are none | answers without errors |
| 401, 403, or Entra ID's refusals | `admitted` |
| half of them take longer than `slow` | latency |
| the slowest tenth is far from the median | latency steady |

Pure. A call that was never answered counts as one that took as long as we waited.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.configuration.proxies import Proxy
from pricing_proxy.diagnosis.board import Board, Finding, failed, ok, skipped
from pricing_proxy.diagnosis.sampling import TimedCall
from pricing_proxy.resilience.errors import (
    UpstreamDeniedError,
    UpstreamError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.retry_after import LONGEST_WAIT

_MILLISECOND = timedelta(milliseconds=1)
_SLOWEST_TENTH = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """The rows of one system, and what to do about each.

    Attributes:
        label: Its name for people.
        admitted: The row of credentials.
        slow: The median's limit.
        unsteady: See `Limits`.
        when_lost: What to do when it cannot be reached.
        when_throttling: When it asks us to slow down.
        when_failing: When it fails.
        when_refusing: When it refuses us; told the refusal.
        when_slow: When it is slow or unsteady.
        proxy: What stands between, if anything.
    """

    label: str
    admitted: str
    slow: timedelta
    unsteady: timedelta
    when_lost: str
    when_throttling: str
    when_failing: str
    when_refusing: Callable[[UpstreamError], str]
    when_slow: str
    proxy: Proxy | None = None

    @property
    def reachable(self) -> str:
        """Name of the row."""
        return f"{self.label} reachable"

    @property
    def throttling(self) -> str:
        """Name of the row."""
        return f"{self.label} not throttling"

    @property
    def errors(self) -> str:
        """Name of the row."""
        return f"{self.label} answers without errors"

    @property
    def latency(self) -> str:
        """Name of the row."""
        return f"{self.label} latency"

    @property
    def steady(self) -> str:
        """Name of the row."""
        return f"{self.label} latency steady"

    @property
    def required(self) -> tuple[str, ...]:
        """Rows without which nothing else can be asked."""
        return (self.reachable, self.throttling, self.errors, self.admitted)

    @property
    def names(self) -> tuple[str, ...]:
        """All rows, in their order."""
        return (*self.required, self.latency, self.steady)

    def judge(self, board: Board, samples: Sequence[TimedCall], *, admitted: str) -> None:
        """Write all rows.

        Args:
            board: Where they stand.
            samples: At least one.
            admitted: What to show when the credentials are accepted.
        """
        if not self.judge_reach(board, samples):
            for name in self.names[1:]:
                board.put(name, skipped(self.reachable))
            return
        throttled = _of(samples, UpstreamThrottledError)
        refused = _of(samples, UpstreamDeniedError)
        good = [each for each in samples if each.error is None]
        silent = _of(samples, UpstreamTimeoutError)
        known = (*throttled, *refused, *good, *silent)
        broken = [each for each in samples if each not in known]
        if throttled:
            board.put(
                self.throttling, self.throttled(throttled[0].error, _share(throttled, samples))
            )
        else:
            board.put(self.throttling, ok("no request was refused"))
        self._judge_times(board, [*good, *silent])
        if not (board.is_failed(self.latency) or board.is_failed(self.steady)):
            broken += silent
        self._judge_errors(board, broken, samples)
        self._judge_admission(board, refused, good, admitted)
        cause = board.blocker(self.names) or self.errors
        for name in self.names:
            board.fill(name, skipped(cause))

    def judge_reach(self, board: Board, samples: Sequence[TimedCall]) -> bool:
        """Write the first row; return whether there was an HTTP answer at all."""
        lost = [each for each in samples if _is_lost(each.error)]
        if len(lost) == len(samples):
            board.put(self.reachable, failed(f"{lost[0].error}{self._through}", self.when_lost))
            return False
        quickest = min(each.took for each in samples if each not in lost)
        found = f"answered in {milliseconds(quickest)}{self._through}"
        board.put(self.reachable, ok(found))
        return True

    def blame(self, board: Board, error: UpstreamError, operation: str) -> str | None:
        """Return the red row that explains a later call's error, None when it is another matter.

        A fault that shows only in a later call turns its row red now.
        """
        match error:
            case UpstreamThrottledError():
                board.put(self.throttling, self.throttled(error, operation))
                return self.throttling
            case UpstreamUnavailableError():
                board.put(self.errors, failed(f"{operation}: {error}", self.when_failing))
                return self.errors
            case UpstreamDeniedError(status=401):
                board.put(self.admitted, failed(str(error), self.when_refusing(error)))
                return self.admitted
            case UpstreamTimeoutError():
                slow = (self.latency, self.steady)
                return next((name for name in slow if board.is_failed(name)), None)
            case _:
                return None

    def throttled(self, error: UpstreamError | None, whose: str) -> Finding:
        """Return what a throttled call means."""
        wait = error.asked_for if isinstance(error, UpstreamThrottledError) else None
        asked = "" if wait is None else f", asks to wait {math.ceil(wait.total_seconds())} s"
        if wait is not None and wait > LONGEST_WAIT:
            asked += f", of which {math.ceil(LONGEST_WAIT.total_seconds())} s are obeyed"
        return failed(f"{whose}: {error}{asked}", self.when_throttling)

    @property
    def _through(self) -> str:
        return "" if self.proxy is None else f", through {self.proxy.shown}"

    def _judge_errors(
        self, board: Board, broken: Sequence[TimedCall], samples: Sequence[TimedCall]
    ) -> None:
        if broken:
            found = f"{_share(broken, samples)}: {broken[0].error}"
            board.put(self.errors, failed(found, self.when_failing))
        elif not board.is_failed(self.throttling):
            board.put(self.errors, ok(f"{len(samples)} calls"))

    def _judge_admission(
        self, board: Board, refused: Sequence[TimedCall], good: Sequence[TimedCall], admitted: str
    ) -> None:
        if refused and refused[0].error is not None:
            error = refused[0].error
            board.put(self.admitted, failed(str(error), self.when_refusing(error)))
        elif good:
            board.put(self.admitted, ok(admitted))

    def _judge_times(self, board: Board, timed: Sequence[TimedCall]) -> None:
        if not timed:
            return
        times = sorted(each.took for each in timed)
        quick, middle = times[len(times) // 4], times[len(times) // 2]
        late = times[math.ceil(_SLOWEST_TENTH * len(times)) - 1]
        spread = f"the slowest tenth takes {milliseconds(late)}, the median {milliseconds(middle)}"
        is_steady = late - middle <= self.unsteady
        board.put(self.steady, ok(spread) if is_steady else failed(spread, self.when_slow))
        found = f"median {milliseconds(middle)} of {len(times)} calls"
        if middle <= self.slow:
            board.put(self.latency, ok(found))
        elif is_steady or quick > self.slow:
            limit = f", more than {milliseconds(self.slow)}"
            board.put(self.latency, failed(found + limit, self.when_slow))
        else:
            # Quick and slow answers in turn: the median is a matter of luck.
            board.put(self.latency, skipped(self.steady))


def milliseconds(time: timedelta) -> str:
    """Return a time as text."""
    return f"{time / _MILLISECOND:.0f} ms"


def _of(samples: Sequence[TimedCall], kind: type[UpstreamError]) -> list[TimedCall]:
    return [each for each in samples if isinstance(each.error, kind)]


def _share(some: Sequence[TimedCall], samples: Sequence[TimedCall]) -> str:
    return f"{len(some)} of {len(samples)} calls"


def _is_lost(error: UpstreamError | None) -> bool:
    if isinstance(error, UpstreamUnavailableError):
        return error.is_connection_failure
    return isinstance(error, UpstreamTimeoutError)
