"""What the end of a call says about the health of the other side: the one table.

`weigh` reads an ending as evidence for the circuit breaker. What we caused ourselves
(cancelling, refusing), what a request caused (4xx, an application's own message) and what
has its own remedy (throttling: the gate; 401: the token) says nothing about health.
"""

from dataclasses import dataclass
from enum import StrEnum

from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)


class Evidence(StrEnum):
    """How one call speaks for or against the other side."""

    GOOD = "good"
    FAILED = "failed"
    NOT_CONNECTED = "not_connected"
    TIMED_OUT = "timed_out"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SlowRule:
    """From which time on the wire an answer counts as slow.

    Attributes:
        base_us: For an empty batch.
        per_line_us: More for each line, since a batch of 100 prices is honest work.
    """

    base_us: int
    per_line_us: int

    def is_slow(self, wire_us: int, *, lines: int) -> bool:
        """Say whether a call of `lines` lines took longer than it should."""
        return wire_us > self._limit_us(lines)

    def is_straining(self, wire_us: int, *, lines: int) -> bool:
        """Say whether it took half of that: fewer calls at once may yet prevent slow ones."""
        return wire_us * 2 > self._limit_us(lines)

    def _limit_us(self, lines: int) -> int:
        return self.base_us + self.per_line_us * lines


def weigh(error: BaseException | None) -> Evidence:  # noqa: PLR0911 - one return per row of the table
    """Return what a call that ended in `error`, or well with None, says of the other side."""
    match error:
        case None:
            return Evidence.GOOD
        case CallRefusedError() | UpstreamThrottledError() | UpstreamDeniedError():
            return Evidence.NONE
        case UpstreamTimeoutError():
            return Evidence.TIMED_OUT
        case UpstreamUnavailableError(is_connection_failure=True):
            return Evidence.NOT_CONNECTED
        case UpstreamUnavailableError():
            return Evidence.FAILED
        # 408 and 425 are the server's trouble in a client error's clothes.
        case UpstreamRejectedError(status=408 | 425):
            return Evidence.FAILED
        # A maintenance page under a 200 is a failure, however polite.
        case UpstreamContractError():
            return Evidence.FAILED
        case _:
            return Evidence.NONE
