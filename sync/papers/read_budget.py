"""How many requests may go to the ERP: so many a minute, saved up for a minute at most. Pure.

Every process looks in its turn, so what is left is handed on as a text: each with a budget of its
own, they would make as many requests as all of them together may.
"""

import contextlib
from datetime import datetime

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock

_MINUTE_US = 60 * MICROSECONDS_PER_SECOND

# What happens at a hint costs two requests and some, and hints of a burst are looked at together.
_KEPT_FOR_HINTS = 4


class ReadBudget:
    """The requests of one market.

    Args:
        a_minute: How many.
        clock: Time.
    """

    def __init__(self, a_minute: int, *, clock: Clock) -> None:
        self._a_minute = a_minute
        self._clock = clock
        # In requests times microseconds, so that no part of one is lost to rounding.
        self._saved = a_minute * _MINUTE_US
        self._at_us = clock.monotonic_us()

    @property
    def left(self) -> int:
        """How many may be made now; never below zero."""
        self._grow_until_now()
        return max(0, self._saved // _MINUTE_US)

    @property
    def left_by_clock(self) -> int:
        """How many may be made by whom nobody waits for: a part is kept for hints."""
        return max(0, self.left - self._a_minute // _KEPT_FOR_HINTS)

    def spend(self, requests: int) -> None:
        """Note that requests were made, also more than were left."""
        self._saved -= requests * _MINUTE_US

    @property
    def kept(self) -> str:
        """What is left, as a text for whoever looks next."""
        self._grow_until_now()
        return f"{self._saved} {self._clock.utc().isoformat()}"

    def take_over(self, kept: str | None) -> None:
        """Go on with what somebody left; with all of it where nobody did, or nobody can read it."""
        with contextlib.suppress(ValueError):
            saved, at = (kept or "").split(" ", 1)
            elapsed = self._clock.utc() - datetime.fromisoformat(at)
            self._saved, self._at_us = int(saved), self._clock.monotonic_us()
            # Clocks of two machines differ; none gives time back.
            self._grow(max(0, round(elapsed.total_seconds() * MICROSECONDS_PER_SECOND)))

    def _grow_until_now(self) -> None:
        now_us = self._clock.monotonic_us()
        self._grow(now_us - self._at_us)
        self._at_us = now_us

    def _grow(self, microseconds: int) -> None:
        grown = self._saved + microseconds * self._a_minute
        self._saved = min(grown, self._a_minute * _MINUTE_US)
