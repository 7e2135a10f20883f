"""Which alerts are open, and what is to be told of them now: pure.

A condition is told when it appears, again at growing intervals while it lasts, sooner when
many more are affected, and once more when it is over. Nobody is told of the end of what
they were never told of.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sync.alerts.conditions import Condition

# After the first message; the last repeats for as long as it takes.
_REPEATS = (
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=24),
)
# It has become another problem when so many times more are affected.
_WORSE_FACTOR = 5


class Occasion(StrEnum):
    """Why a message is sent."""

    BEGUN = "begun"
    WORSE = "worse"
    LASTS = "lasts"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A condition that was seen.

    Attributes:
        condition: As last seen.
        raised_at: When it was first seen.
        told_at: When people were last told; None when no message got through yet.
        told_count: How many were affected then.
        times_told: How often they were told.
    """

    condition: Condition
    raised_at: datetime
    told_at: datetime | None = None
    told_count: int = 0
    times_told: int = 0

    def told(self, now: datetime) -> "Alert":
        """Return the alert after a message got through."""
        return replace(
            self,
            told_at=now,
            told_count=self.condition.count,
            times_told=self.times_told + 1,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be told of one alert."""

    occasion: Occasion
    alert: Alert


@dataclass(frozen=True, slots=True)
class Round:
    """What one look at the conditions comes to.

    Attributes:
        open_alerts: All that last.
        ended: Those that are over.
        messages: What is to be told now.
    """

    open_alerts: Sequence[Alert]
    ended: Sequence[Alert]
    messages: Sequence[Message]


def look(known: Iterable[Alert], conditions: Iterable[Condition], *, now: datetime) -> Round:
    """Compare what was open with what is wrong now."""
    before = {alert.condition.key: alert for alert in known}
    present = {condition.key: condition for condition in conditions}
    open_alerts = [
        replace(before[key], condition=condition)
        if key in before
        else Alert(condition=condition, raised_at=now)
        for key, condition in present.items()
    ]
    ended = [alert for key, alert in before.items() if key not in present]
    messages = [
        Message(occasion, alert)
        for alert in open_alerts
        if (occasion := _occasion(alert, now)) is not None
    ]
    messages += [Message(Occasion.ENDED, alert) for alert in ended if alert.times_told]
    return Round(open_alerts, ended, messages)


def _occasion(alert: Alert, now: datetime) -> Occasion | None:
    if alert.told_at is None:
        return Occasion.BEGUN
    if alert.condition.count >= _WORSE_FACTOR * alert.told_count:
        return Occasion.WORSE
    pause = _REPEATS[min(alert.times_told, len(_REPEATS)) - 1]
    return Occasion.LASTS if now - alert.told_at >= pause else None
