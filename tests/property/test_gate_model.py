"""The rate gate agrees with a model that keeps every closing and every start."""

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pricing_proxy.resilience import gate_state
from pricing_proxy.resilience.call_class import CallClass
from pricing_proxy.resilience.gate_state import GateSettings, GateState

SECOND = 1_000_000
SETTINGS = GateSettings()
LONGEST_CLOSED_US = 600 * SECOND


class GateAgainstModel(RuleBasedStateMachine):
    """Throttling, news, recoveries and callers in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now_us = 100 * SECOND
        self.state = GateState()
        self.asked_until: list[int] = []
        self.ramp_from: int | None = None
        self.starts: list[tuple[int, CallClass]] = []
        self.unnamed = 0

    def close(self, until_us: int, chance: float) -> None:
        before_us = self.state.closed_until_us
        self.state = gate_state.close(self.state, until_us, self.now_us, chance, SETTINGS)
        until_us = min(until_us, self.now_us + LONGEST_CLOSED_US)
        if until_us > self.now_us:
            self.asked_until.append(until_us)
        if until_us <= max(before_us, self.now_us):
            assert self.state.closed_until_us == before_us
            return
        wait_us = until_us - self.now_us
        assert 0 <= self.state.closed_until_us - until_us <= wait_us // 5
        self.begin_ramp(self.state.closed_until_us)

    def begin_ramp(self, from_us: int) -> None:
        self.ramp_from = from_us
        self.starts = []

    @rule(wait_us=st.sampled_from([1, 333_333, SECOND, 2 * SECOND, 7 * SECOND, 40 * SECOND]))
    def time_passes(self, wait_us: int) -> None:
        self.now_us += wait_us

    @rule(
        retry_us=st.sampled_from(
            [0, 1, SECOND, 7 * SECOND, 90 * SECOND, 599 * SECOND, 700 * SECOND, 10**9 * SECOND]
        ),
        chance=st.floats(0, 0.999),
    )
    def throttled_with_a_time(self, retry_us: int, chance: float) -> None:
        if retry_us == 0:
            self.throttled_without_a_time(chance)
            return
        wait_us, self.state = gate_state.wait_when_throttled_us(
            self.state, retry_us, self.now_us, SETTINGS
        )
        assert wait_us == min(retry_us, LONGEST_CLOSED_US)
        self.unnamed = 0
        self.close(self.now_us + wait_us, chance)

    @rule(chance=st.floats(0, 0.999))
    def throttled_without_a_time(self, chance: float) -> None:
        was_closed = self.state.is_closed(self.now_us)
        wait_us, self.state = gate_state.wait_when_throttled_us(
            self.state, None, self.now_us, SETTINGS
        )
        if not was_closed:
            self.unnamed += 1
        assert wait_us == min(30, 2 ** max(1, self.unnamed)) * SECOND
        self.close(self.now_us + wait_us, chance)

    @rule(
        wait_us=st.one_of(
            st.integers(-SECOND, 60 * SECOND), st.just(600 * SECOND), st.just(86_400 * SECOND)
        ),
        chance=st.floats(0, 0.999),
    )
    def news_from_another_process(self, wait_us: int, chance: float) -> None:
        self.close(self.now_us + wait_us, chance)

    @rule(age_us=st.sampled_from([0, SECOND, 30 * SECOND]))
    def a_call_is_answered(self, age_us: int) -> None:
        began_us = self.now_us - age_us
        self.state = gate_state.answered(self.state, began_us)
        if began_us >= self.state.closed_until_us:
            self.unnamed = 0

    @rule()
    def an_operator_opens_it(self) -> None:
        was_closed = self.state.is_closed(self.now_us)
        self.state = gate_state.open_now(self.state, self.now_us)
        assert not self.state.is_closed(self.now_us)
        if was_closed:
            self.asked_until.clear()
            self.unnamed = 0
            self.begin_ramp(self.now_us)

    @rule()
    def breaker_closes(self) -> None:
        self.state = gate_state.start_ramp(self.state, self.now_us)
        self.begin_ramp(max(self.now_us, self.state.closed_until_us))

    @rule(klass=st.sampled_from(CallClass), count=st.integers(1, 30))
    def calls_start(self, klass: CallClass, count: int) -> None:
        for _ in range(count):
            started = gate_state.try_start(self.state, klass, self.now_us, SETTINGS)
            assert (started is not None) == self.may_start(klass)
            if started is not None:
                self.state = started
                self.starts.append((self.now_us, klass))

    def may_start(self, klass: CallClass) -> bool:
        if self.now_us < self.state.closed_until_us:
            return False
        if self.ramp_from is None or self.now_us >= self.ramp_from + 6 * SECOND:
            return True
        if klass is CallClass.MIRROR:
            return False
        second = (self.now_us - self.ramp_from) // SECOND
        same = [k for at_us, k in self.starts if (at_us - self.ramp_from) // SECOND == second]
        others = [k for k in same if k is not CallClass.CHECKOUT]
        allowed = 5 * 2**second
        return len(same) < allowed and (
            klass is CallClass.CHECKOUT or len(others) + 1 <= allowed * 6 // 10
        )

    @invariant()
    def never_opens_earlier_than_it_was_asked_to(self) -> None:
        assert all(self.state.closed_until_us >= until_us for until_us in self.asked_until)

    @invariant()
    def never_stays_closed_for_more_than_ten_minutes(self) -> None:
        assert self.state.closed_until_us <= self.now_us + LONGEST_CLOSED_US

    @invariant()
    def says_when_to_try_again(self) -> None:
        """A caller that is refused and comes back then finds the gate open, or a new second."""
        if not self.may_start(CallClass.BACKGROUND):
            next_us = gate_state.next_chance_us(self.state, self.now_us)
            assert next_us > self.now_us
            started = gate_state.try_start(self.state, CallClass.BACKGROUND, next_us, SETTINGS)
            assert started is not None


GateAgainstModel.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
TestGateAgainstModel = GateAgainstModel.TestCase


@given(classes=st.lists(st.sampled_from(CallClass), min_size=200, max_size=400))
@settings(max_examples=50, deadline=None)
def test_recovery_never_exceeds_the_ramp_whoever_asks(classes: list[CallClass]) -> None:
    """With everyone asking at every moment, second k sees at most 5 * 2**k starts."""
    state = gate_state.start_ramp(GateState(), 0)
    for second in range(6):
        started = others = 0
        for index, klass in enumerate(classes):
            now_us = second * SECOND + index
            after = gate_state.try_start(state, klass, now_us, SETTINGS)
            if after is not None:
                state = after
                started += 1
                others += klass is not CallClass.CHECKOUT
        assert started <= 5 * 2**second
        assert others <= 3 * 2**second
