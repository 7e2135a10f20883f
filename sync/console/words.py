"""Instants, spans and states in the words of every table and page. Pure."""

from datetime import datetime, timedelta

from sync.store.states import EventState

NONE = "-"
TONES = {
    EventState.HELD: "red",
    EventState.BLOCKED: "yellow",
    EventState.IN_DOUBT: "yellow",
    EventState.DONE: "green",
}
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))


def span(seconds: float) -> str:
    """Return a duration in its largest unit of which there are two, such as 95 s or 3 min."""
    for name, size in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"


def instant(at: datetime | None) -> str:
    """Return an instant to the second, in UTC."""
    return NONE if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def ago(at: datetime | None, *, now: datetime) -> str:
    """Return how long ago something was."""
    if at is None:
        return "never"
    return f"{span(max(now - at, timedelta(0)).total_seconds())} ago"


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, such as 1 order or 2 orders."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
