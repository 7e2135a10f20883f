"""Time, injected: whoever needs it is given a `Clock`.

Durations and ages come from the monotonic clock, so a stepped wall clock never
makes a price younger. The wall clock is shown, compared with dates, and tells that the
machine slept: then it moved on, and the monotonic clock did not (`sleep_watch`).
"""

import time
from datetime import UTC, datetime
from typing import Protocol

MICROSECONDS_PER_SECOND = 1_000_000


def shown_seconds(microseconds: int) -> float:
    """Return a time as operators read it: in seconds, to the millisecond."""
    return round(microseconds / MICROSECONDS_PER_SECOND, 3)


class Clock(Protocol):
    """Two readings of time; tests supply their own."""

    def monotonic_us(self) -> int:
        """Return microseconds since an arbitrary start; never steps back."""
        ...

    def wall_us(self) -> int:
        """Return the wall clock in microseconds since 1970; it may step."""
        ...

    def utc(self) -> datetime:
        """Return the wall clock as an aware UTC instant."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic_us(self) -> int:
        """Return the monotonic clock in microseconds."""
        return time.monotonic_ns() // 1000

    def wall_us(self) -> int:
        """Return the wall clock in microseconds since 1970."""
        return time.time_ns() // 1000

    def utc(self) -> datetime:
        """Return the wall clock as an aware UTC instant."""
        return datetime.now(UTC)
