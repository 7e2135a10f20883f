"""How many calls at once the other side bears: found by trying, as a pure function.

Additive increase, multiplicative decrease: each good answer under pressure raises the
limit by a fraction, so that a full round of answers adds one; throttling, a time-out or
a slow answer cuts it, at most once per round of calls. Latency is judged by batch size.
Failures do not cut: a dead system is the breaker's business, not one of speed.
"""

from dataclasses import dataclass
from enum import Enum

from pricing_proxy.clock import MICROSECONDS_PER_SECOND as SECOND_US
from pricing_proxy.resilience.evidence import SlowRule

# Half of what the breaker calls slow, so that the limit shrinks before the breaker trips.
_SLOW = SlowRule(SECOND_US, 15_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class AimdSettings:
    """Bounds and steps.

    Attributes:
        least: Never fewer; enough that checkout and the rest both move.
        most: Never more.
        initial: Where to begin: low, as Microsoft advises, since it rises by itself.
        slow: Which answers are slow; sooner than the breaker says so.
        cut_on_overload: What throttling or a time-out leaves of the limit.
        cut_on_slow: What a slow answer leaves of it; milder, since the answer came.
    """

    least: int = 4
    most: int = 64
    initial: int = 8
    slow: SlowRule = _SLOW
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
        lines: The size of its batch.
        is_pressed: The limit was in the way; an idle system proves no capacity.
    """

    signal: Signal
    began_us: int
    ended_us: int
    lines: int
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
    if state.cut_at_us is not None and sample.began_us <= state.cut_at_us:
        # It was sent under the old limit, and that has been punished.
        return state
    return AimdState(max(float(settings.least), state.limit * left), sample.ended_us)


def _left_after(sample: Sample, settings: AimdSettings) -> float | None:
    """Return the part of the limit that survives the sample; None if it is no reason to cut."""
    if sample.signal is Signal.OVERLOADED:
        return settings.cut_on_overload
    if settings.slow.is_slow(sample.ended_us - sample.began_us, lines=sample.lines):
        return settings.cut_on_slow
    return None
