"""Notice that a market's source takes nothing at all any more, which no single failure shows.

A wrong role, a service that was not deployed or a maintenance page refuses every call, while
the ERP is up and its breaker closed. Three loads in a row without a line accepted are said
once, in one warning with what to do, and shown until something is accepted again.

From then on it is an outage of its own: loads are refused at once, and only one now and then
tries whether it is over, after a pause that doubles. What the ERP refuses may be a customer's
own affair, though: such refusals count for others only after those of several customers.
Failures that pass (an ERP that is away, slow or throttles) do not count: breaker and gate show
those.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.prices.failures import reason_of
from pricing_proxy.prices.query import Context, Failure
from pricing_proxy.resilience.errors import (
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
)

_log = logging.getLogger(__name__)

# One refused load may be its lines' own affair; three in a row of a busy shop are not.
_TOO_MANY = 3
# So many customers' loads show that it is not about one of them.
_SEVERAL_CUSTOMERS = 3
# A refusal comes back at once and costs little; what is mended is noticed soon.
_FIRST_PAUSE_US, _LONGEST_PAUSE_US = 5 * SECOND_US, 60 * SECOND_US

_CHECK = "`pricing-proxy check` tells more"
_NEXT_STEPS = {
    401: "check the client id and secret, and that the ERP knows the app",
    403: "give the app's user in the ERP the role that may call the price service",
    404: "deploy the price service, or correct price_service_path",
    405: "something else answers there: correct url or price_service_path",
}
_UNREADABLE = "a login or maintenance page, or another version, answers: check url and the service"
_BROKEN = "the price service takes no request: compare its version with the agreed contract"


@dataclass(slots=True)
class _Streak:
    """Loads in a row of which nothing was accepted.

    Attributes:
        error: How the last one ended.
        since_us: When the first one did.
        loads: How many.
        accounts: Whose, as far as it matters.
        is_of_call: Whether one was refused for no line's sake.
        try_at_us: When the next load may try.
        pause_us: After that.
    """

    error: UpstreamError
    since_us: int
    loads: int = 0
    accounts: set[str] = field(default_factory=set)
    is_of_call: bool = False
    try_at_us: int = 0
    pause_us: int = _FIRST_PAUSE_US

    @property
    def is_seen(self) -> bool:
        return self.loads >= _TOO_MANY

    @property
    def is_outage(self) -> bool:
        return self.is_seen and (self.is_of_call or len(self.accounts) >= _SEVERAL_CUSTOMERS)


@dataclass(frozen=True, slots=True)
class Failing:
    """A source that takes nothing.

    Attributes:
        reason: The word that answers give, with the HTTP status where there is one.
        path: What was asked; empty where that is not known.
        next_step: What an operator does.
        is_refusing: Whether loads are refused at once.
        for_us: For how long nothing was accepted.
        loads: How many loads failed in a row.
    """

    reason: str
    path: str
    next_step: str
    is_refusing: bool
    for_us: int
    loads: int


class SourceHealth:
    """How each market's loads end, in one process.

    Args:
        now_us: The monotonic clock.
    """

    def __init__(self, *, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._streaks: dict[str, _Streak] = {}

    def note_accepted(self, market: str) -> None:
        """Note that a call was accepted."""
        streak = self._streaks.pop(market, None)
        if streak is not None and streak.is_seen:
            _log.info("market %s: prices are answered again", market)

    def note_failed(self, context: Context, error: UpstreamError, *, of_lines: bool) -> None:
        """Note that the source took none of the lines of a load.

        Args:
            context: Whose load.
            error: How it ended.
            of_lines: Whether what was asked may be the cause, and not the call as such.
        """
        market, now_us = context.market, self._now_us()
        streak = self._streaks.setdefault(market, _Streak(error, now_us))
        was_seen, was_outage = streak.is_seen, streak.is_outage
        streak.error = error
        streak.loads += 1
        streak.is_of_call |= not of_lines
        if len(streak.accounts) < _SEVERAL_CUSTOMERS:
            streak.accounts.add(context.account)
        if streak.is_outage and not was_outage:
            streak.try_at_us = now_us + streak.pause_us
        if streak.is_seen and not was_seen:
            text = "market %s: no price is answered any more: %s at %s; %s"
            _log.warning(text, market, _told(error), error.path or "the ERP", _next_step(error))

    def standing(self, market: str) -> Failure | None:
        """Return why a load would be refused now, None when it may go."""
        streak = self._streaks.get(market) if self._streaks else None
        if streak is None or not streak.is_outage or self._now_us() >= streak.try_at_us:
            return None
        return Failure(reason_of(streak.error), streak.try_at_us)

    def admit(self, market: str) -> Failure | None:
        """Return why a load is refused, None when it may go; in an outage, one at a time may."""
        failure = self.standing(market)
        streak = self._streaks.get(market) if self._streaks else None
        if failure is None and streak is not None and streak.is_outage:
            if streak.is_of_call:
                # Else it may yet be about those customers: nobody else waits long for the next try.
                streak.pause_us = min(2 * streak.pause_us, _LONGEST_PAUSE_US)
            streak.try_at_us = self._now_us() + streak.pause_us
        return failure

    def failing(self, market: str) -> Failing | None:
        """Return how a market's source fails, None while it takes anything."""
        streak = self._streaks.get(market)
        if streak is None or not streak.is_seen:
            return None
        return Failing(
            reason=_told(streak.error),
            path=streak.error.path,
            next_step=_next_step(streak.error),
            is_refusing=streak.is_outage,
            for_us=self._now_us() - streak.since_us,
            loads=streak.loads,
        )


def _told(error: UpstreamError) -> str:
    """Return how an error is called in logs; its own text may hold what was answered."""
    status = getattr(error, "status", None)
    return reason_of(error) if status is None else f"{reason_of(error)} ({status})"


def _next_step(error: UpstreamError) -> str:
    match error:
        case UpstreamDeniedError() | UpstreamRejectedError():
            step = _NEXT_STEPS.get(error.status, _BROKEN)
        case _:
            step = _UNREADABLE
    return f"{step}; {_CHECK}"
