"""Run a table's rows one by one, and find the one row that an error belongs to.

An error of the system as a whole (throttling, failing, refusing us, slow) turns that row of
the system's own table red and leaves this one skipped; any other is its own.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from pricing_proxy.diagnosis.board import Board, Finding, failed, skipped
from pricing_proxy.diagnosis.vitals import Vitals
from pricing_proxy.resilience.errors import (
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do when a step's own call fails.

    Attributes:
        what: What is called, as administrators know it.
        when_missing: When it does not exist.
        who: The user whose rights count.
        place: Where that stands.
    """

    what: str
    when_missing: str
    who: str
    place: str = "F&O"


class Steps:
    """Writes the rows of one table.

    Args:
        board: The table.
        system: The table with the rows of the system as a whole; it may be the same.
        vitals: Those rows.
        is_over: Tells whether the whole check's time has passed.
    """

    def __init__(
        self, board: Board, *, system: Board, vitals: Vitals, is_over: Callable[[], bool]
    ) -> None:
        self._board = board
        self._system = system
        self._vitals = vitals
        self._is_over = is_over

    async def run(
        self,
        name: str,
        step: Callable[[], Awaitable[Finding]],
        *,
        advice: Advice,
        needs: Sequence[str] = (),
    ) -> None:
        """Write the row that `step` finds, or why it cannot be judged."""
        blocker = self._system.blocker(self._vitals.required) or self._board.blocker(needs)
        if blocker is not None:
            self._board.put(name, skipped(blocker))
            return
        try:
            finding = await step()
        except UpstreamError as error:
            cause = self._cause(error, name)
            finding = _own_failure(error, advice) if cause is None else skipped(cause)
        self._board.put(name, finding)

    def _cause(self, error: UpstreamError, name: str) -> str | None:
        if isinstance(error, UpstreamTimeoutError) and self._is_over():
            # Not the fault of the last in line: of whatever took the time.
            return self._system.first_failed()
        return self._vitals.blame(self._system, error, name)


def _own_failure(error: UpstreamError, advice: Advice) -> Finding:
    match error:
        case UpstreamRejectedError(status=HTTPStatus.NOT_FOUND):
            return failed(str(error), advice.when_missing)
        case UpstreamRejectedError(reasons=reasons):
            said = f"{error}: {'; '.join(reasons)}" if reasons else str(error)
            return failed(
                said, f"Read what {advice.place} says about {advice.what}, and mend it there"
            )
        case UpstreamDeniedError():
            return failed(str(error), f"Give {advice.who} the right to read {advice.what}")
        case UpstreamTimeoutError():
            return failed(
                str(error),
                f"Other calls are quick, so look at {advice.what} in {advice.place}: locks, long "
                "queries",
            )
        case _:
            return failed(
                str(error),
                f"{advice.what} answers otherwise than agreed: compare its fields and version",
            )
