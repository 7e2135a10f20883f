"""The table of the design page, written down a second time and compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.domain.freshness import (
    TABLE,
    Fallback,
    Level,
    Mode,
    Ruling,
    State,
    Wait,
    classify,
    may_serve,
)

SECOND = 1_000_000
SOFT, HARD, MAX = 300 * SECOND, 3600 * SECOND, 24 * 3600 * SECOND
NOW = 7 * MAX

# One row per state: browse, cart, checkout. "after <n>" is served at once when it was read at
# most n seconds before the request arrived; "| x" is what becomes of it when a load brings nothing.
EXPECTED = {
    State.FRESH: ("serve", "serve", "after 2, else load | last_known"),
    State.STALE_SOFT: ("serve, refresh", "wait brief | flagged", "load | last_known"),
    State.UNVERIFIED: (
        "serve, refresh",
        "after 2, else wait brief | flagged",
        "after 0, else load | last_known",
    ),
    State.STALE_HARD: ("load | flagged", "load | flagged", "load | last_known"),
    State.NO_PRICE: ("serve", "serve", "after 0, else load | last_known"),
    State.EXPIRED: ("load | nothing", "load | nothing", "load | nothing"),
    State.ABSENT: ("load | nothing", "load | nothing", "load | nothing"),
}


def entry(*, age_us: int = 0, kind: Kind = Kind.PRICE) -> Entry:
    soft, hard = (SOFT, HARD) if kind is Kind.PRICE else (60 * SECOND, 60 * SECOND)
    return Entry(kind, "{", NOW - age_us, 0, soft, hard)


def state_of(
    stored: Entry | None, *, is_verified: bool = True, invalidated: Level | None = None
) -> State:
    return classify(stored, NOW, MAX, is_verified, invalidated)


def in_words(ruling: Ruling) -> str:
    if ruling.serve:
        return "serve, refresh" if ruling.refresh else "serve"
    recent = f"after {ruling.recent_us // SECOND}, else " if ruling.only_recent else ""
    load = "wait brief" if ruling.wait is Wait.BRIEF else "load"
    assert ruling.wait is not Wait.NONE
    return f"{recent}{load} | {ruling.fallback.value}"


@pytest.mark.parametrize("state", State)
def test_every_mode_may_do_what_the_design_says_and_no_more(state: State) -> None:
    assert tuple(in_words(TABLE[state][mode]) for mode in Mode) == EXPECTED[state]


def test_checkout_never_falls_back_on_an_old_price() -> None:
    fallbacks = {TABLE[state][Mode.CHECKOUT].fallback for state in State}
    assert Fallback.FLAGGED not in fallbacks


@pytest.mark.parametrize(
    ("age_us", "state"),
    [
        (-1, State.STALE_SOFT),
        (0, State.FRESH),
        (SOFT - 1, State.FRESH),
        (SOFT, State.STALE_SOFT),
        (HARD - 1, State.STALE_SOFT),
        (HARD, State.STALE_HARD),
        (MAX - 1, State.STALE_HARD),
        (MAX, State.EXPIRED),
    ],
)
def test_a_price_passes_through_its_states_as_it_ages(age_us: int, state: State) -> None:
    assert state_of(entry(age_us=age_us)) is state


@pytest.mark.parametrize(
    ("age_us", "state"),
    [
        (0, State.UNVERIFIED),
        (SOFT, State.UNVERIFIED),
        (HARD - 1, State.UNVERIFIED),
        (HARD, State.STALE_HARD),
        (MAX, State.EXPIRED),
    ],
)
def test_without_word_from_redis_a_price_is_unverified_until_it_is_hard_stale(
    age_us: int, state: State
) -> None:
    assert state_of(entry(age_us=age_us), is_verified=False) is state


@pytest.mark.parametrize("age_us", [0, SOFT, HARD])
@pytest.mark.parametrize("is_verified", [True, False])
def test_an_invalidation_outdates_a_price_of_any_age(age_us: int, *, is_verified: bool) -> None:
    """Soft lets it stand in for a failed load; hard forbids even that."""
    stored = entry(age_us=age_us)
    soft = state_of(stored, is_verified=is_verified, invalidated=Level.SOFT)
    hard = state_of(stored, is_verified=is_verified, invalidated=Level.HARD)
    assert (soft, hard) == (State.STALE_HARD, State.EXPIRED)


@pytest.mark.parametrize(
    ("age_us", "invalidated", "state"),
    [
        (0, None, State.NO_PRICE),
        (60 * SECOND - 1, None, State.NO_PRICE),
        (60 * SECOND, None, State.EXPIRED),
        (-1, None, State.EXPIRED),
        (0, Level.SOFT, State.EXPIRED),
        (0, Level.HARD, State.EXPIRED),
    ],
)
def test_the_absence_of_a_price_is_believed_for_a_minute(
    age_us: int, invalidated: Level | None, state: State
) -> None:
    """A clock that stepped back must not make it last for hours."""
    stored = entry(age_us=age_us, kind=Kind.NO_PRICE)
    assert state_of(stored, invalidated=invalidated) is state


def test_nothing_is_absent() -> None:
    assert state_of(None) is State.ABSENT


@given(
    age_us=st.integers(-MAX, 2 * MAX),
    is_verified=st.booleans(),
    invalidated=st.sampled_from([None, *Level]),
    kind=st.sampled_from(Kind),
)
def test_fresh_is_said_of_nothing_that_a_row_of_the_table_forbids(
    age_us: int, *, is_verified: bool, invalidated: Level | None, kind: Kind
) -> None:
    """FRESH: verified, not invalidated, a < soft; and no_price never poses as a price."""
    state = state_of(
        entry(age_us=age_us, kind=kind), is_verified=is_verified, invalidated=invalidated
    )
    is_fresh = kind is Kind.PRICE and is_verified and invalidated is None and 0 <= age_us < SOFT
    assert (state is State.FRESH) == is_fresh
    assert state is State.EXPIRED or (age_us < MAX and invalidated is not Level.HARD)


@pytest.mark.parametrize(("read_us", "allowed"), [(-2 * SECOND, True), (-2 * SECOND - 1, False)])
def test_a_recent_price_is_served_up_to_the_second(read_us: int, *, allowed: bool) -> None:
    arrived_us = NOW
    stored = Entry(Kind.PRICE, "{", arrived_us + read_us, 0, SOFT, HARD)
    ruling = TABLE[State.FRESH][Mode.CHECKOUT]
    assert may_serve(ruling, stored, arrived_us=arrived_us) is allowed


def test_a_ruling_that_does_not_serve_serves_nothing() -> None:
    assert not may_serve(TABLE[State.STALE_HARD][Mode.BROWSE], entry(), arrived_us=NOW)
    assert not may_serve(TABLE[State.FRESH][Mode.CHECKOUT], None, arrived_us=NOW)
