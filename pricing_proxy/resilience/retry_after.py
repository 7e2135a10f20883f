"""How long an upstream asks us to wait: the `Retry-After` header in both of its forms. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# HTTP dates are whole seconds: the instant meant may lie up to this much later.
_DATE_RESOLUTION = timedelta(seconds=1)
# Beyond this the header is nonsense, and obeying it would close the gate until a restart.
_LONGEST = timedelta(hours=24)


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
        # Nine digits are far beyond the cap already; more would overflow timedelta.
        return min(timedelta(seconds=int(text[:9])), _LONGEST)
    until = _instant(text)
    if until is None:
        return None
    wait = until - (_instant(headers.get("Date", "")) or now) + _DATE_RESOLUTION
    return min(max(wait, timedelta()), _LONGEST)


def _instant(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
