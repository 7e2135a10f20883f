"""The rate gate as pure functions: closed until an instant, then a ramp.

    open ──throttled──> closed until T (never earlier, a little later) ──> ramp ──6 s──> open

The upstream's wish is obeyed to the microsecond and spread later by chance, so that the
processes of one app do not return together; but no closing lasts longer than ten minutes,
whatever was wished, and an operator may end it. After T, and after a breaker closes, starts
are rationed: 5 in the first second, twice as many in each that follows. Mirrors wait until
they are not: what nobody waits for takes no start from what somebody does.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from pricing_proxy.clock import MICROSECONDS_PER_SECOND as SECOND_US
from pricing_proxy.resilience.call_class import CallClass
from pricing_proxy.resilience.retry_after import LONGEST_WAIT

LONGEST_CLOSED_US = LONGEST_WAIT // timedelta(microseconds=1)
"""No closing lasts longer; the spread ends here too."""

# Doubling this often exceeds any cap in use; more would only grow the number.
_MOST_DOUBLINGS = 16
# A ramp that was over before any monotonic clock began.
_LONG_AGO_US = -3600 * SECOND_US


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """How long throttling closes the gate, and how calls come back afterwards.

    Attributes:
        first_wait_us: Closed for this long when the upstream names no time; doubles with
            each closing in a row. 2 s for pricing; sync waits `longest_wait_us` at once.
        longest_wait_us: The doubling ends here: 30 s is Microsoft's own fallback.
        spread: Up to this part is added by chance.
        ramp_starts: Starts in the first second after the gate opens.
        ramp_seconds: From then on starts are unlimited.
        checkout_percent: Of each second's starts, kept for checkout.
    """

    first_wait_us: int = 2 * SECOND_US
    longest_wait_us: int = 30 * SECOND_US
    spread: float = 0.2
    ramp_starts: int = 5
    ramp_seconds: int = 6
    checkout_percent: int = 40


@dataclass(frozen=True, slots=True)
class GateState:
    """All that a gate remembers.

    Attributes:
        closed_until_us: No start before; in the past when open.
        unnamed_closings: Closings in a row for which the upstream named no time.
        ramp_from_us: When the last ramp begins or began.
        ramp_second: Which second of the ramp the two counters belong to.
        starts: Starts in that second.
        other_starts: Starts in that second that were not a checkout's.
    """

    closed_until_us: int = 0
    unnamed_closings: int = 0
    ramp_from_us: int = _LONG_AGO_US
    ramp_second: int = 0
    starts: int = 0
    other_starts: int = 0

    def is_closed(self, now_us: int) -> bool:
        """Say whether no call may start, however few there are."""
        return now_us < self.closed_until_us


def wait_when_throttled_us(
    state: GateState, retry_after_us: int | None, now_us: int, settings: GateSettings
) -> tuple[int, GateState]:
    """Return how long the gate must stay closed, and the state that remembers this asking.

    Answers to calls that were under way when the gate closed do not count as a closing of
    their own: twenty at once are one throttling, not twenty. A named time of zero, or a
    date that has passed, names none.
    """
    if retry_after_us is not None and retry_after_us > 0:
        return min(retry_after_us, LONGEST_CLOSED_US), replace(state, unnamed_closings=0)
    closings = state.unnamed_closings
    if state.is_closed(now_us):
        return _unnamed_wait_us(max(0, closings - 1), settings), state
    return _unnamed_wait_us(closings, settings), replace(state, unnamed_closings=closings + 1)


def close(
    state: GateState, until_us: int, now_us: int, chance: float, settings: GateSettings
) -> GateState:
    """Close until `until_us` or somewhat later; an earlier closing is never shortened."""
    last_us = now_us + LONGEST_CLOSED_US
    until_us = min(until_us, last_us)
    if until_us <= max(now_us, state.closed_until_us):
        return state
    spread_us = int((until_us - now_us) * settings.spread * chance)
    opens_us = min(until_us + spread_us, last_us)
    return _ramp_from(replace(state, closed_until_us=opens_us), opens_us)


def open_now(state: GateState, now_us: int) -> GateState:
    """End a closing, as a person wishes; starts are rationed as after any other."""
    if not state.is_closed(now_us):
        return state
    return _ramp_from(replace(state, closed_until_us=now_us, unnamed_closings=0), now_us)


def start_ramp(state: GateState, now_us: int) -> GateState:
    """Ration starts from now on, or from the opening if the gate is closed."""
    return _ramp_from(state, max(now_us, state.closed_until_us))


def answered(state: GateState, began_us: int) -> GateState:
    """Forget the closings in a row once a call that began after the last of them answers."""
    if state.unnamed_closings == 0 or began_us < state.closed_until_us:
        return state
    return replace(state, unnamed_closings=0)


def try_start(
    state: GateState, klass: CallClass, now_us: int, settings: GateSettings
) -> GateState | None:
    """Return the state after one more start; None if it may not start now."""
    if state.is_closed(now_us):
        return None
    if not is_ramping(state, now_us, settings):
        return state
    if klass is CallClass.MIRROR:
        return None
    state = _in_this_second(state, now_us)
    allowed = settings.ramp_starts << state.ramp_second
    is_checkout = klass is CallClass.CHECKOUT
    allowed_others = allowed * (100 - settings.checkout_percent) // 100
    if state.starts >= allowed or (not is_checkout and state.other_starts >= allowed_others):
        return None
    return replace(
        state,
        starts=state.starts + 1,
        other_starts=state.other_starts + (not is_checkout),
    )


def next_chance_us(state: GateState, now_us: int) -> int:
    """Return the next instant at which a start that was refused now may succeed."""
    if state.is_closed(now_us):
        return state.closed_until_us
    return state.ramp_from_us + ((now_us - state.ramp_from_us) // SECOND_US + 1) * SECOND_US


def is_ramping(state: GateState, now_us: int, settings: GateSettings) -> bool:
    """Say whether the gate is open, but rations starts."""
    since_us = now_us - state.ramp_from_us
    return not state.is_closed(now_us) and since_us < settings.ramp_seconds * SECOND_US


def _unnamed_wait_us(closings: int, settings: GateSettings) -> int:
    doubled_us = settings.first_wait_us << min(closings, _MOST_DOUBLINGS)
    return min(doubled_us, settings.longest_wait_us)


def _ramp_from(state: GateState, from_us: int) -> GateState:
    return replace(state, ramp_from_us=from_us, ramp_second=0, starts=0, other_starts=0)


def _in_this_second(state: GateState, now_us: int) -> GateState:
    """Return the state with counters for the ramp's second at `now_us`."""
    second = (now_us - state.ramp_from_us) // SECOND_US
    if second == state.ramp_second:
        return state
    return replace(state, ramp_second=second, starts=0, other_starts=0)
