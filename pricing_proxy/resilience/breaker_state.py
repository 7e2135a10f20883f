"""The circuit breaker as a pure function: `(state, event, now) -> (state, effects)`.

    CLOSED ──too many failures or slow answers──> OPEN ──time passed, a probe asks──> HALF_OPEN
       ^                                            ^                                  │   │
       │                                            └──────────── 2 bad ───────────────┘   │
       └────────────────────────────── 5 good ─────────────────────────────────────────────┘
    ISOLATED: an operator opened it; only an operator closes it.

Each change of phase begins a new epoch. A permit belongs to the epoch in which it was
given, and what it reports later is ignored: a call that hung since before the outage
says nothing about now. No clock is read and no dice are thrown here; both come in.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from pricing_proxy.clock import MICROSECONDS_PER_SECOND as SECOND_US
from pricing_proxy.resilience.breaker_events import (
    CallAdmitted,
    CallAsked,
    Effect,
    Ended,
    Event,
    IsolationOrdered,
    Permit,
    Phase,
    PhaseChanged,
    Refused,
)
from pricing_proxy.resilience.breaker_settings import BreakerSettings
from pricing_proxy.resilience.evidence import Evidence

BUCKETS = 10
# Under isolation nobody knows the end; half a minute spares both the caller and the log.
_ISOLATED_RETRY_US = 30 * SECOND_US
# While probes run the answer is near; a second is the least that Retry-After can say.
_LEAST_RETRY_US = SECOND_US
# Doubling this often exceeds any cap in use; more would only grow the number.
_MOST_DOUBLINGS = 16


class Bucket(NamedTuple):
    """What happened in one second."""

    second: int
    calls: int
    failures: int
    slow: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerState:
    """All that a breaker remembers.

    Attributes:
        phase: Where it stands.
        epoch: Counts changes of phase.
        buckets: The last seconds in which something was reported, oldest first.
        not_connected_row: Connection failures since the last answer.
        timed_out_row: Time-outs since the last answer.
        lost_at_us: When it left CLOSED; None while closed.
        failed_probings: How often half-open fell back to open since it was last closed.
        probe_at_us: When the first probe may go, while open.
        probes: Probes under way.
        serial: The number of the last probe.
        good: Good probes in this epoch.
        bad: Bad probes in this epoch.
    """

    phase: Phase = Phase.CLOSED
    epoch: int = 0
    buckets: tuple[Bucket, ...] = ()
    not_connected_row: int = 0
    timed_out_row: int = 0
    lost_at_us: int | None = None
    failed_probings: int = 0
    probe_at_us: int = 0
    probes: tuple[Permit, ...] = ()
    serial: int = 0
    good: int = 0
    bad: int = 0


Step = tuple[BreakerState, tuple[Effect, ...]]


def step(state: BreakerState, event: Event, now_us: int, settings: BreakerSettings) -> Step:
    """Return the state after `event`, and what follows from it for others."""
    if isinstance(event, CallAsked):
        return _admit(state, event, now_us, settings)
    if isinstance(event, Ended):
        return _learn(state, event, now_us, settings)
    if isinstance(event, IsolationOrdered):
        return _isolate(state, now_us)
    # ClosingOrdered is left.
    return _close(state, "closed by an operator")


def totals(state: BreakerState, now_us: int) -> Bucket:
    """Return calls, failures and slow calls of the last ten seconds, this one included."""
    second = now_us // SECOND_US
    calls = failures = slow = 0
    for bucket in state.buckets:
        if bucket.second > second - BUCKETS:
            calls += bucket.calls
            failures += bucket.failures
            slow += bucket.slow
    return Bucket(second, calls, failures, slow)


def live_probes(state: BreakerState, now_us: int) -> tuple[Permit, ...]:
    """Return the probes under way that are not given up."""
    return tuple(probe for probe in state.probes if probe.expires_us > now_us)


def _admit(state: BreakerState, asked: CallAsked, now_us: int, settings: BreakerSettings) -> Step:
    if state.phase is Phase.CLOSED:
        return state, (CallAdmitted(Permit(state.epoch, 0, 0)),)
    if state.phase is Phase.ISOLATED:
        return state, (Refused(_ISOLATED_RETRY_US),)
    is_early = state.phase is Phase.OPEN and now_us < state.probe_at_us
    if is_early or not asked.may_probe:
        return state, (Refused(max(_LEAST_RETRY_US, state.probe_at_us - now_us)),)
    changes: tuple[Effect, ...] = ()
    if state.phase is Phase.OPEN:
        state, changes = _move(state, replace(state, phase=Phase.HALF_OPEN), "time to probe")
    probes = live_probes(state, now_us)
    if len(probes) >= settings.permits:
        return state, (*changes, Refused(_LEAST_RETRY_US))
    permit = Permit(state.epoch, state.serial + 1, now_us + settings.permit_us)
    state = replace(state, probes=(*probes, permit), serial=permit.serial)
    return state, (*changes, CallAdmitted(permit))


def _learn(state: BreakerState, ended: Ended, now_us: int, settings: BreakerSettings) -> Step:
    if ended.permit.epoch != state.epoch:
        return state, ()
    if state.phase is Phase.HALF_OPEN:
        return _learn_from_probe(state, ended, now_us, settings)
    if ended.evidence is Evidence.NONE:
        return state, ()
    state = _count(state, ended, now_us)
    reason = _reason_to_open(state, now_us, settings)
    if reason is None:
        return state, ()
    return _open(state, reason, now_us, settings, ended.chance)


def _learn_from_probe(
    state: BreakerState, ended: Ended, now_us: int, settings: BreakerSettings
) -> Step:
    probes = live_probes(state, now_us)
    if ended.permit not in probes:
        return state, ()
    remaining = tuple(probe for probe in probes if probe != ended.permit)
    if ended.evidence is Evidence.NONE:
        return replace(state, probes=remaining), ()
    # Slow answers may be what opened it; closing on them would open it again at once.
    is_good = ended.evidence is Evidence.GOOD and not ended.is_slow
    state = replace(
        state, probes=remaining, good=state.good + is_good, bad=state.bad + (not is_good)
    )
    if state.bad >= settings.bad_to_reopen:
        state = replace(state, failed_probings=state.failed_probings + 1)
        return _open(state, "probes failed", now_us, settings, ended.chance)
    if state.good >= settings.good_to_close:
        return _close(state, "probes succeeded")
    return state, ()


def _count(state: BreakerState, ended: Ended, now_us: int) -> BreakerState:
    """Add one call to this second, and end or lengthen the rows without an answer."""
    evidence = ended.evidence
    not_connected, timed_out = state.not_connected_row, state.timed_out_row
    if evidence is Evidence.NOT_CONNECTED:
        not_connected += 1
    elif evidence is Evidence.TIMED_OUT:
        timed_out += 1
    else:
        not_connected = timed_out = 0
    second = now_us // SECOND_US
    kept = tuple(bucket for bucket in state.buckets if bucket.second > second - BUCKETS)
    last = Bucket(second, 0, 0, 0)
    if kept and kept[-1].second == second:
        last, kept = kept[-1], kept[:-1]
    is_failure = evidence is not Evidence.GOOD
    bucket = Bucket(second, last.calls + 1, last.failures + is_failure, last.slow + ended.is_slow)
    return replace(
        state,
        buckets=(*kept, bucket),
        not_connected_row=not_connected,
        timed_out_row=timed_out,
    )


def _reason_to_open(state: BreakerState, now_us: int, settings: BreakerSettings) -> str | None:
    if state.not_connected_row >= settings.row:
        return f"{state.not_connected_row} connection failures in a row"
    if state.timed_out_row >= settings.row:
        return f"{state.timed_out_row} time-outs in a row"
    window = totals(state, now_us)
    if window.calls < settings.least_calls:
        return None
    if window.failures >= settings.failure_share * window.calls:
        return f"{window.failures} of {window.calls} calls failed"
    if window.slow >= settings.slow_share * window.calls:
        return f"{window.slow} of {window.calls} calls were slow"
    return None


def _open(
    state: BreakerState, reason: str, now_us: int, settings: BreakerSettings, chance: float
) -> Step:
    doubled_us = settings.open_us << min(state.failed_probings, _MOST_DOUBLINGS)
    longest_us = min(doubled_us, settings.longest_open_us)
    # Jitter only shortens, so that the cap stays a promise.
    wait_us = longest_us - int(longest_us * settings.spread * chance)
    opened = BreakerState(
        phase=Phase.OPEN,
        lost_at_us=now_us if state.lost_at_us is None else state.lost_at_us,
        failed_probings=state.failed_probings,
        probe_at_us=now_us + wait_us,
        serial=state.serial,
    )
    return _move(state, opened, reason)


def _isolate(state: BreakerState, now_us: int) -> Step:
    if state.phase is Phase.ISOLATED:
        return state, ()
    lost_at_us = now_us if state.lost_at_us is None else state.lost_at_us
    isolated = BreakerState(phase=Phase.ISOLATED, lost_at_us=lost_at_us, serial=state.serial)
    return _move(state, isolated, "isolated by an operator")


def _close(state: BreakerState, reason: str) -> Step:
    if state.phase is Phase.CLOSED:
        return state, ()
    return _move(state, BreakerState(serial=state.serial), reason)


def _move(before: BreakerState, after: BreakerState, reason: str) -> Step:
    moved = replace(after, epoch=before.epoch + 1)
    return moved, (PhaseChanged(before.phase, moved.phase, reason),)
