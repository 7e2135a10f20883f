"""What a circuit breaker is told, and what it answers.

Events go in (`CallAsked`, `Ended`, two orders of an operator), effects come out
(`CallAdmitted`, `Refused`, `PhaseChanged`); `breaker_state.step` leads from one to the other.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pricing_proxy.resilience.evidence import Evidence


class Phase(StrEnum):
    """Where the breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    ISOLATED = "isolated"


class Permit(NamedTuple):
    """The right to make one call; `serial` is 0 unless the call is a probe."""

    epoch: int
    serial: int
    expires_us: int


@dataclass(frozen=True, slots=True)
class CallAsked:
    """Somebody wants to call; `may_probe` unless a customer waits for it."""

    may_probe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A permitted call is over; `chance` in [0, 1) decides a jitter that may become due."""

    permit: Permit
    evidence: Evidence
    is_slow: bool
    chance: float


@dataclass(frozen=True, slots=True)
class IsolationOrdered:
    """An operator opens the breaker."""


@dataclass(frozen=True, slots=True)
class ClosingOrdered:
    """An operator closes the breaker."""


Event = CallAsked | Ended | IsolationOrdered | ClosingOrdered


@dataclass(frozen=True, slots=True)
class CallAdmitted:
    """The call may go."""

    permit: Permit


@dataclass(frozen=True, slots=True)
class Refused:
    """The call may not go; asking again makes sense after `retry_us`."""

    retry_us: int


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """The breaker moved, and why."""

    before: Phase
    after: Phase
    reason: str


Effect = CallAdmitted | Refused | PhaseChanged
