"""Decide whether a stored price may be shown: the one table that says so.

`classify` names the state of a stored price; `TABLE` says what each mode may do with a
price in that state. Everything else that speaks of stale prices, from the service to
the documentation page, reads this table.

    a = age since the read from the ERP began
    verified = the source of invalidations was heard of within the lease
    invalidated = an invalidation of this customer, item, group or all is newer than the price
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from pricing_proxy.domain.entry import Entry, Kind

SECOND_US = 1_000_000
# A checkout may use a price that another checkout read this long before it arrived.
RECENT_US = 2 * SECOND_US


class Mode(StrEnum):
    """How much a caller can bear: an old price on a page, or none but a binding one."""

    BROWSE = "browse"
    CART = "cart"
    CHECKOUT = "checkout"


class State(StrEnum):
    """What is known about one stored price at one instant."""

    FRESH = "fresh"
    STALE_SOFT = "stale_soft"
    UNVERIFIED = "unverified"
    STALE_HARD = "stale_hard"
    NO_PRICE = "no_price"
    EXPIRED = "expired"
    ABSENT = "absent"


class Level(StrEnum):
    """How strictly an invalidation is meant."""

    SOFT = "soft"
    """May have changed: the old price may stand in while the ERP fails."""
    HARD = "hard"
    """Must not be shown again."""


class Wait(Enum):
    """How long a request waits for a load before it settles for less."""

    NONE = "none"
    BRIEF = "brief"
    FULL = "full"


class Fallback(StrEnum):
    """What becomes of the stored price when the awaited load brought nothing."""

    FLAGGED = "flagged"
    LAST_KNOWN = "last_known"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What one mode does with a price in one state.

    Attributes:
        serve: Answer with it at once.
        only_recent: Answer at once only if it was read no longer than `recent_us` before arrival.
        recent_us: See `only_recent`.
        refresh: Load a new one, without making this request wait.
        wait: How long to wait for a load when it is not served at once.
        fallback: What becomes of it when the load was refused, failed or outlasted the wait.
    """

    serve: bool = False
    only_recent: bool = False
    recent_us: int = 0
    refresh: bool = False
    wait: Wait = Wait.NONE
    fallback: Fallback = Fallback.NOTHING


_SERVE = Ruling(serve=True)
_SERVE_AND_REFRESH = Ruling(serve=True, refresh=True)
_WAIT_BRIEFLY_THEN_FLAG = Ruling(wait=Wait.BRIEF, fallback=Fallback.FLAGGED)
_LOAD_OR_FLAG = Ruling(wait=Wait.FULL, fallback=Fallback.FLAGGED)
_LOAD = Ruling(wait=Wait.FULL, fallback=Fallback.LAST_KNOWN)
_LOAD_UNLESS_RECENT = replace(_LOAD, only_recent=True, recent_us=RECENT_US)
# Without word from the ledger a new read is flagged as well: reading again would not help.
_WAIT_UNLESS_RECENT_THEN_FLAG = replace(
    _WAIT_BRIEFLY_THEN_FLAG, only_recent=True, recent_us=RECENT_US
)
# Without word from the ledger, only a read that began after the request arrived is surely current.
_LOAD_UNLESS_OWN = replace(_LOAD, only_recent=True, recent_us=0)
_AS_ABSENT = Ruling(wait=Wait.FULL)

TABLE: dict[State, dict[Mode, Ruling]] = {
    State.FRESH: {
        Mode.BROWSE: _SERVE,
        Mode.CART: _SERVE,
        Mode.CHECKOUT: _LOAD_UNLESS_RECENT,
    },
    State.STALE_SOFT: {
        Mode.BROWSE: _SERVE_AND_REFRESH,
        Mode.CART: _WAIT_BRIEFLY_THEN_FLAG,
        Mode.CHECKOUT: _LOAD,
    },
    State.UNVERIFIED: {
        Mode.BROWSE: _SERVE_AND_REFRESH,
        Mode.CART: _WAIT_UNLESS_RECENT_THEN_FLAG,
        Mode.CHECKOUT: _LOAD_UNLESS_OWN,
    },
    State.STALE_HARD: {
        Mode.BROWSE: _LOAD_OR_FLAG,
        Mode.CART: _LOAD_OR_FLAG,
        Mode.CHECKOUT: _LOAD,
    },
    State.NO_PRICE: {
        Mode.BROWSE: _SERVE,
        Mode.CART: _SERVE,
        Mode.CHECKOUT: _LOAD_UNLESS_OWN,
    },
    State.EXPIRED: {
        Mode.BROWSE: _AS_ABSENT,
        Mode.CART: _AS_ABSENT,
        Mode.CHECKOUT: _AS_ABSENT,
    },
    State.ABSENT: {
        Mode.BROWSE: _AS_ABSENT,
        Mode.CART: _AS_ABSENT,
        Mode.CHECKOUT: _AS_ABSENT,
    },
}

# Bound once: reaching an enum's member through its class costs as much as a comparison.
_FRESH, _ABSENT, _PRICE = State.FRESH, State.ABSENT, Kind.PRICE


def classify(
    entry: Entry | None,
    now_us: int,
    max_us: int,
    is_verified: bool,  # noqa: FBT001 -- called for each line of each page, where keywords cost
    invalidated: Level | None,
) -> State:
    """Return the state of a stored price.

    Args:
        entry: The stored price; None when there is none.
        now_us: The monotonic clock that `entry.loaded_us` was taken from.
        max_us: Age from which a price is as good as absent.
        is_verified: Whether word of every invalidation up to the lease has arrived.
        invalidated: The strictest invalidation newer than the entry.
    """
    if entry is None:
        return _ABSENT
    kind, _, loaded_us, _, soft_us, hard_us = entry
    age_us = now_us - loaded_us
    if invalidated is None and kind is _PRICE and is_verified and 0 <= age_us < soft_us:
        # The row that nearly every line of a busy shop is in; soft <= hard <= max.
        return _FRESH
    if age_us >= max_us or invalidated is Level.HARD:
        return State.EXPIRED
    if kind is Kind.NO_PRICE:
        is_current = 0 <= age_us < soft_us and invalidated is None
        return State.NO_PRICE if is_current else State.EXPIRED
    if age_us >= hard_us or invalidated is not None:
        return State.STALE_HARD
    # A negative age means that a clock stepped back: trust the price less, not more.
    return State.STALE_SOFT if is_verified else State.UNVERIFIED


def fresh_span(
    kinds: Sequence[Kind], loaded_us: Sequence[int], soft_us: Sequence[int]
) -> tuple[int, int] | None:
    """Return from when until when `classify` surely calls all these prices fresh.

    Only for prices that are verified and not invalidated. None when one of them is no price,
    and outside of the span nothing is said: prices loaded far apart may all be fresh longer,
    which only `classify` tells.

    Returns:
        The first instant, and the first one after it that is too late (monotonic).
    """
    if kinds.count(_PRICE) != len(kinds):
        return None
    return max(loaded_us), min(loaded_us) + min(soft_us)


def may_serve(ruling: Ruling, entry: Entry | None, *, arrived_us: int) -> bool:
    """Return whether the ruling allows answering with the entry at once."""
    if ruling.serve:
        return True
    if not ruling.only_recent or entry is None:
        return False
    return entry.loaded_us >= arrived_us - ruling.recent_us
