"""How many calls at once the other side bears: found by trying, as a pure function.

Additive increase, multiplicative decrease: each good answer under pressure raises the
limit by a fraction, so that a full round of answers adds one; throttling, a time-out or
a slow answer cuts it, at most once per round of calls. What is slow for a batch of its
size says who knows the operation.
Failures do not cut: a dead system is the breaker's business, not one of speed.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class AimdSettings:
    """Bounds and steps.

    Attributes:
        least: Never fewer; enough that checkout and the rest both move.
        most: Never more.
        initial: Where to begin: low, as Microsoft advises, since it rises by itself.
        cut_on_overload: What throttling or a time-out leaves of the limit.
        cut_on_slow: What a slow answer leaves of it; milder, since the answer came.
    """

    least: int = 4
    most: int = 64
    initial: int = 8
    cut_on_overload: float = 0.5
    cut_on_slow: float = 0.8


class Signal(Enum):
    """How one call ended, as far as speed is concerned."""

    ANSWERED = "answered"
    OVERLOADED = "overloaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One call that speaks about speed.

    Attributes:
        signal: How it ended.
        began_us: When it went on the wire.
        ended_us: When it ended.
        is_slow: It took longer than a batch of its size should.
        is_pressed: The limit was in the way; an idle system proves no capacity.
    """

    signal: Signal
    began_us: int
    ended_us: int
    is_slow: bool
    is_pressed: bool


@dataclass(frozen=True, slots=True)
class AimdState:
    """The limit, with the fraction that is still growing, and when it was last cut."""

    limit: float
    cut_at_us: int | None = None

    @property
    def slots(self) -> int:
        """The limit in whole calls."""
        return int(self.limit)


def observe(state: AimdState, sample: Sample, settings: AimdSettings) -> AimdState:
    """Return the limit after one more call."""
    left = _left_after(sample, settings)
    if left is None:
        if not sample.is_pressed:
            return state
        grown = min(float(settings.most), state.limit + 1 / state.limit)
        return AimdState(grown, state.cut_at_us)
    if state.cut_at_us is not None and sample.began_us < state.cut_at_us:
        # It was sent under the old limit, and that has been punished.
        return state
    return AimdState(max(float(settings.least), state.limit * left), sample.ended_us)


def _left_after(sample: Sample, settings: AimdSettings) -> float | None:
    """Return the part of the limit that survives the sample; None if it is no reason to cut."""
    if sample.signal is Signal.OVERLOADED:
        return settings.cut_on_overload
    return settings.cut_on_slow if sample.is_slow else None
