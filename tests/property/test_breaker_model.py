"""The circuit breaker agrees with a model that keeps everything and counts it afresh."""

from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from pricing_proxy.resilience.breaker_events import (
    CallAdmitted,
    CallAsked,
    ClosingOrdered,
    Effect,
    Ended,
    Event,
    IsolationOrdered,
    Permit,
    Phase,
    PhaseChanged,
)
from pricing_proxy.resilience.breaker_settings import BreakerSettings
from pricing_proxy.resilience.breaker_state import BreakerState, live_probes, step, totals
from pricing_proxy.resilience.evidence import Evidence

SECOND = 1_000_000
SETTINGS = BreakerSettings()


@dataclass
class NaiveBreaker:
    """Keeps every report since the last move, and derives all else from the list."""

    phase: Phase = Phase.CLOSED
    reports: list[tuple[int, Evidence, bool]] = field(default_factory=list)
    probes: dict[Permit, int] = field(default_factory=dict)
    failed_probings: int = 0
    moves: int = 0

    def move(self, to: Phase) -> None:
        self.phase = to
        self.moves += 1
        self.reports = []
        self.probes = {}
        if to in {Phase.CLOSED, Phase.ISOLATED}:
            self.failed_probings = 0

    def row(self, kind: Evidence) -> int:
        length = 0
        for _, evidence, _ in self.reports:
            if evidence is kind:
                length += 1
            elif evidence in {Evidence.GOOD, Evidence.FAILED}:
                length = 0
        return length

    def should_open(self, now_us: int) -> bool:
        second = now_us // SECOND
        window = [r for r in self.reports if second - 9 <= r[0] // SECOND <= second]
        failures = sum(evidence is not Evidence.GOOD for _, evidence, _ in window)
        slow = sum(is_slow for _, _, is_slow in window)
        return (
            self.row(Evidence.NOT_CONNECTED) >= 5
            or self.row(Evidence.TIMED_OUT) >= 5
            or (len(window) >= 20 and failures * 2 >= len(window))
            or (len(window) >= 20 and slow * 10 >= len(window) * 6)
        )

    def is_good(self) -> list[bool]:
        return [evidence is Evidence.GOOD and not slow for _, evidence, slow in self.reports]


class BreakerAgainstModel(RuleBasedStateMachine):
    """Any order of asking, answering late, never, or twice, and operators' orders."""

    permits: Bundle[Permit] = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.now_us = 50 * SECOND
        self.state = BreakerState()
        self.model = NaiveBreaker()
        self.opened_at_us = 0

    def apply(self, event: Event) -> tuple[Effect, ...]:
        self.state, effects = step(self.state, event, self.now_us, SETTINGS)
        moves = [effect for effect in effects if isinstance(effect, PhaseChanged)]
        for move in moves:
            assert move.reason
            if move.after is Phase.OPEN:
                self.opened_at_us = self.now_us
        return effects

    @rule(wait_us=st.sampled_from([1, 400_000, SECOND, 4 * SECOND, 15 * SECOND, 61 * SECOND]))
    def time_passes(self, wait_us: int) -> None:
        self.now_us += wait_us

    @rule(target=permits, may_probe=st.booleans())
    def ask(self, may_probe: bool) -> Permit:  # noqa: FBT001 - hypothesis passes by name
        is_due = self.now_us >= self.state.probe_at_us
        effects = self.apply(CallAsked(may_probe))
        model = self.model
        if model.phase is Phase.OPEN and is_due and may_probe:
            model.move(Phase.HALF_OPEN)
        live = [p for p, began in model.probes.items() if self.now_us < began + 15 * SECOND]
        is_probing = model.phase is Phase.HALF_OPEN and may_probe and len(live) < 3
        last = effects[-1]
        assert isinstance(last, CallAdmitted) == (model.phase is Phase.CLOSED or is_probing)
        if not isinstance(last, CallAdmitted):
            return Permit(-1, 0, 0)
        if is_probing:
            assert last.permit not in model.probes
            model.probes[last.permit] = self.now_us
        return last.permit

    @rule(
        permit=consumes(permits),
        evidence=st.sampled_from(Evidence),
        is_slow=st.booleans(),
        chance=st.floats(0, 0.999),
    )
    def end(self, permit: Permit, evidence: Evidence, is_slow: bool, chance: float) -> None:  # noqa: FBT001 - as above
        is_current = permit.epoch == self.state.epoch
        self.apply(Ended(permit=permit, evidence=evidence, is_slow=is_slow, chance=chance))
        model = self.model
        if not is_current:
            return
        if model.phase is Phase.HALF_OPEN:
            began_us = model.probes.pop(permit, None)
            if began_us is None or self.now_us >= began_us + 15 * SECOND:
                return
        if evidence is Evidence.NONE:
            return
        model.reports.append((self.now_us, evidence, is_slow))
        if model.phase is Phase.CLOSED and model.should_open(self.now_us):
            model.move(Phase.OPEN)
        elif model.phase is Phase.HALF_OPEN and model.is_good().count(False) >= 2:
            model.failed_probings += 1
            model.move(Phase.OPEN)
        elif model.phase is Phase.HALF_OPEN and model.is_good().count(True) >= 5:
            model.move(Phase.CLOSED)

    @rule(
        count=st.integers(1, 25),
        evidence=st.sampled_from(Evidence),
        is_slow=st.booleans(),
        may_probe=st.booleans(),
    )
    def make_calls(self, count: int, evidence: Evidence, is_slow: bool, may_probe: bool) -> None:  # noqa: FBT001 - as above
        for _ in range(count):
            permit = self.ask(may_probe=may_probe)
            self.end(permit, evidence, is_slow, 0.5)

    @rule()
    def isolate(self) -> None:
        self.apply(IsolationOrdered())
        if self.model.phase is not Phase.ISOLATED:
            self.model.move(Phase.ISOLATED)

    @rule()
    def close(self) -> None:
        self.apply(ClosingOrdered())
        if self.model.phase is not Phase.CLOSED:
            self.model.move(Phase.CLOSED)

    @invariant()
    def agrees(self) -> None:
        assert self.state.phase is self.model.phase
        assert self.state.epoch == self.model.moves
        assert (self.state.lost_at_us is None) == (self.state.phase is Phase.CLOSED)
        assert len(live_probes(self.state, self.now_us)) <= 3

    @invariant()
    def opens_for_the_doubled_time_at_most_a_fifth_shorter(self) -> None:
        if self.state.phase is Phase.OPEN:
            longest_us = min(60, 5 * 2**self.model.failed_probings) * SECOND
            wait_us = self.state.probe_at_us - self.opened_at_us
            assert longest_us * 8 // 10 <= wait_us <= longest_us

    @invariant()
    def counts_what_the_last_ten_seconds_hold(self) -> None:
        if self.state.phase is Phase.CLOSED:
            second = self.now_us // SECOND
            calls = sum(second - 9 <= at_us // SECOND for at_us, _, _ in self.model.reports)
            assert totals(self.state, self.now_us).calls == calls


BreakerAgainstModel.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
TestBreakerAgainstModel = BreakerAgainstModel.TestCase
