"""Look at the events every few seconds, and tell people what is wrong.

One process watches at a time, under an advisory lock. A message that no target took is
tried again at the next look: an alert counts as told only when somebody got it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Protocol, Self

from sqlalchemy.exc import SQLAlchemyError

from pricing_proxy.background import end
from pricing_proxy.clock import Clock
from sync.alerts.book import Alert, Round, look
from sync.alerts.conditions import Condition
from sync.alerts.messages import body, subject
from sync.store.alert_record import AlertRecord

_log = logging.getLogger(__name__)

_EVERY = timedelta(seconds=5)


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


class Watcher:
    """Watches; an async context manager.

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
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._task)

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
        if seen.ended and is_told:
            await self._kept.end([alert.condition.key for alert in seen.ended])
        return seen

    async def _watch_for_ever(self) -> None:
        while True:
            try:
                await self.watch()
            except (SQLAlchemyError, OSError) as error:
                _log.warning("alerts cannot be looked at (%s)", type(error).__name__)
            except Exception:  # noqa: BLE001 -- alerts must not end with one odd record
                _log.exception("looking at alerts broke")
            await asyncio.sleep(_EVERY.total_seconds())


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
