"""The limit of calls at once stays in bounds, falls at once and rises slowly."""

from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from pricing_proxy.resilience.aimd import AimdSettings, AimdState, Sample, Signal, observe

SETTINGS = AimdSettings()

samples = st.builds(
    lambda signal, began_us, took_us, is_slow, is_pressed: Sample(
        signal=signal,
        began_us=began_us,
        ended_us=began_us + took_us,
        is_slow=is_slow,
        is_pressed=is_pressed,
    ),
    st.sampled_from(Signal),
    st.integers(0, 100),
    st.integers(1, 50),
    st.booleans(),
    st.booleans(),
)


def naive_limit(history: list[Sample]) -> Fraction:
    """Recount the whole history exactly; a cut counts only for calls begun after the last."""
    limit, cuts = Fraction(8), [-1]
    for sample in history:
        is_overload = sample.signal is Signal.OVERLOADED
        if is_overload or sample.is_slow:
            if all(sample.began_us >= cut for cut in cuts):
                part = Fraction(1, 2) if is_overload else Fraction(4, 5)
                limit = max(Fraction(4), limit * part)
                cuts.append(sample.ended_us)
        elif sample.is_pressed:
            limit = min(Fraction(64), limit + 1 / limit)
        limit = limit.limit_denominator(10**9)
    return limit


@given(history=st.lists(samples, max_size=60))
@settings(max_examples=200, deadline=None)
def test_limit_agrees_with_the_recount(history: list[Sample]) -> None:
    # Calls are observed in the order in which they end.
    history.sort(key=lambda sample: sample.ended_us)
    state = AimdState(float(SETTINGS.initial))
    for sample in history:
        state = observe(state, sample, SETTINGS)
        assert SETTINGS.least <= state.slots <= SETTINGS.most
    assert state.limit == pytest.approx(float(naive_limit(history)), rel=1e-6)


def good(at_us: int) -> Sample:
    return Sample(
        signal=Signal.ANSWERED, began_us=at_us, ended_us=at_us + 1, is_slow=False, is_pressed=True
    )


def overloaded(began_us: int, ended_us: int) -> Sample:
    return Sample(
        signal=Signal.OVERLOADED,
        began_us=began_us,
        ended_us=ended_us,
        is_slow=False,
        is_pressed=True,
    )


@given(limit=st.integers(4, 63))
def test_a_full_round_of_good_answers_adds_at_most_one(limit: int) -> None:
    state = AimdState(float(limit))
    for at_us in range(limit):
        state = observe(state, good(at_us), SETTINGS)
    assert limit < state.limit <= limit + 1


@given(calls=st.integers(1, 64))
def test_one_round_of_throttled_calls_is_one_cut(calls: int) -> None:
    """Sixty-four calls thrown back together say the same thing once."""
    state = AimdState(64.0)
    for index in range(calls):
        state = observe(state, overloaded(index, 1000 + index), SETTINGS)
    assert state.slots == 32


def test_it_takes_long_to_climb_and_a_moment_to_fall() -> None:
    state = AimdState(4.0)
    answers = 0
    while state.slots < 64:
        state = observe(state, good(answers), SETTINGS)
        answers += 1
    assert answers > 1000
    for began_us in (10_000, 20_000, 30_000, 40_000):
        state = observe(state, overloaded(began_us, began_us + 1), SETTINGS)
    assert state.slots == 4
