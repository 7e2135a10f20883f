"""Notice that a market's source takes nothing at all any more, which no single failure shows.

A wrong role, a service that was not deployed or a maintenance page refuses every call, while
the ERP is up and its breaker closed. Three loads in a row without a line accepted are said
once, in one warning, and shown until something is accepted again. Failures that pass (an ERP
that is away, slow or throttles) do not count: breaker and gate show those.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

_log = logging.getLogger(__name__)

# One refused load may be its lines' own affair; three in a row of a busy shop are not.
_TOO_MANY = 3


@dataclass(slots=True)
class _Streak:
    reason: str
    since_us: int
    loads: int = 0


@dataclass(frozen=True, slots=True)
class Failing:
    """A source that takes nothing.

    Attributes:
        reason: The word that answers give, with the HTTP status where there is one.
        for_us: For how long nothing was accepted.
        loads: How many loads failed in a row.
    """

    reason: str
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
        if streak is not None and streak.loads >= _TOO_MANY:
            _log.info("market %s: prices are answered again", market)

    def note_failed(self, market: str, reason: str) -> None:
        """Note that the source took none of the lines of a load."""
        streak = self._streaks.setdefault(market, _Streak(reason, self._now_us()))
        streak.reason = reason
        streak.loads += 1
        if streak.loads == _TOO_MANY:
            _log.warning("market %s: no price is answered any more: %s", market, reason)

    def failing(self, market: str) -> Failing | None:
        """Return how a market's source fails, None while it takes anything."""
        streak = self._streaks.get(market)
        if streak is None or streak.loads < _TOO_MANY:
            return None
        return Failing(streak.reason, self._now_us() - streak.since_us, streak.loads)
