"""How long an upstream asks us to wait: the `Retry-After` header in both of its forms. Pure.

What is asked is told as it is, however absurd; `LONGEST_WAIT` is what anybody obeys of it.
"""

from collections.abc import Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta
from email.utils import parsedate_to_datetime, parsedate_tz

LONGEST_WAIT = timedelta(minutes=10)
"""Beyond this the header is a mistake of a proxy or a clock: obeying it would stop a system that
is well, in all processes, until a person finds out."""

# HTTP dates are whole seconds: the instant meant may lie up to this much later.
_DATE_RESOLUTION = timedelta(seconds=1)
# What stands for a wait that no clock of ours can hold: a century.
_FOR_EVER = timedelta(days=36_525)


def read_retry_after(headers: Mapping[str, str], *, now: datetime) -> timedelta | None:
    """Return the wait asked for, None when the header is missing or unreadable.

    A date is compared with the answer's own `Date`, so that no two machines' clocks
    are compared; only an answer without one is measured against `now`.

    Args:
        headers: The answer's headers; looked up by their usual spelling.
        now: Our wall clock, aware UTC.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        # Ten digits are beyond a century already; more would only cost time to read.
        digits = text.lstrip("0")[:10]
        return min(timedelta(seconds=int(digits or "0")), _FOR_EVER)
    until = _instant(text)
    if until is None:
        return _FOR_EVER if _lies_beyond_all_calendars(text) else None
    began = _instant(headers.get("Date", "")) or now
    if until <= began:
        return timedelta()
    # The difference of two instants always fits; adding to it need not.
    return min(until - began, _FOR_EVER) + _DATE_RESOLUTION


def obeyed(asked: timedelta) -> timedelta:
    """Return how long is waited when so much is asked for."""
    return min(asked, LONGEST_WAIT)


def _instant(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _lies_beyond_all_calendars(text: str) -> bool:
    """Return whether a date is one but for its year, which is more than a datetime can hold."""
    parts = parsedate_tz(text)
    return parts is not None and parts[0] >= MAXYEAR
