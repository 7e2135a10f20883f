"""Look at what is wrong, and tell people.

A message that no target took is tried again at the next look: an alert counts as told only
when somebody got it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from pricing_proxy.clock import Clock
from sync.alerts.book import Alert, Round, look
from sync.alerts.conditions import Condition
from sync.alerts.messages import body, subject
from sync.store.alert_record import AlertRecord


class Telling(Protocol):
    """Where messages go."""

    async def send(self, title: str, text: str) -> bool:
        """Return whether somebody took it."""
        ...


class KeptAlerts(Protocol):
    """Where open alerts are kept."""

    async def open_alerts(self) -> list[AlertRecord]:
        """Return those that are not over."""
        ...

    async def keep(self, records: Sequence[AlertRecord]) -> None:
        """Add or change open alerts."""
        ...

    async def end(self, keys: Sequence[str]) -> None:
        """Note that alerts are over."""
        ...


class AlertsInMemory:
    """Alerts of one process, for what the database cannot keep since it is what fails."""

    def __init__(self) -> None:
        self._records: dict[str, AlertRecord] = {}

    async def open_alerts(self) -> list[AlertRecord]:
        """Return those that are not over."""
        return list(self._records.values())

    async def keep(self, records: Sequence[AlertRecord]) -> None:
        """Add or change open alerts."""
        self._records.update({record.key: record for record in records})

    async def end(self, keys: Sequence[str]) -> None:
        """Note that alerts are over."""
        for key in keys:
            self._records.pop(key, None)


class Watcher:
    """Looks when told to; one process at a time, or people are told twice.

    Args:
        conditions: Returns what is wrong now.
        kept: Where open alerts are.
        targets: Where messages go.
        clock: Time.
    """

    def __init__(
        self,
        *,
        conditions: Callable[[], Awaitable[Sequence[Condition]]],
        kept: KeptAlerts,
        targets: Telling,
        clock: Clock,
    ) -> None:
        self._conditions = conditions
        self._kept = kept
        self._targets = targets
        self._clock = clock

    async def watch(self) -> Round:
        """Look once, tell and keep; return what was seen."""
        now = self._clock.utc()
        known = [_alert(record) for record in await self._kept.open_alerts()]
        seen = look(known, await self._conditions(), now=now)
        is_told = True
        if seen.messages:
            text = body(seen.messages, now=now)
            is_told = await self._targets.send(subject(seen.messages), text)
        told = {message.alert.condition.key for message in seen.messages} if is_told else set()
        await self._kept.keep(
            [
                record_of(alert.told(now) if alert.condition.key in told else alert)
                for alert in seen.open_alerts
            ]
        )
        waiting = [] if is_told else [alert for alert in seen.ended if alert.times_told]
        # Open until somebody hears that they are over, though nobody is affected any more.
        await self._kept.keep([replace(record_of(alert), count=0) for alert in waiting])
        over = [alert.condition.key for alert in seen.ended if alert not in waiting]
        if over:
            await self._kept.end(over)
        return seen


def _alert(record: AlertRecord) -> Alert:
    condition = Condition(key=record.key, title=record.title, text=record.text, count=record.count)
    return Alert(
        condition=condition,
        raised_at=record.raised_at,
        told_at=record.told_at,
        told_count=record.told_count,
        times_told=record.times_told,
    )


def record_of(alert: Alert) -> AlertRecord:
    """Return an alert as it is kept."""
    condition = alert.condition
    return AlertRecord(
        condition.key,
        condition.title,
        condition.text,
        condition.count,
        alert.raised_at,
        alert.told_at,
        alert.told_count,
        alert.times_told,
    )
