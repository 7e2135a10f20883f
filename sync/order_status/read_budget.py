"""How many requests may go to the ERP: so many a minute, saved up for a minute at most. Pure."""

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock

_MINUTE_US = 60 * MICROSECONDS_PER_SECOND


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
        now_us = self._clock.monotonic_us()
        grown = self._saved + (now_us - self._at_us) * self._a_minute
        self._saved = min(grown, self._a_minute * _MINUTE_US)
        self._at_us = now_us
        return max(0, self._saved // _MINUTE_US)

    def spend(self, requests: int) -> None:
        """Note that requests were made, also more than were left."""
        self._saved -= requests * _MINUTE_US
