"""Put together what is wrong with the sync right now, and who is told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pricing_proxy.background import Background
from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from sync.alerts.conditions import (
    CAUTIONED_FOR,
    MOST_NAMED,
    Condition,
    Lost,
    ScheduleState,
    behind,
    cautioned,
    failing_database,
    held,
    late,
    lost,
    odd,
    rewritten,
    silent,
    unsettled,
)
from sync.alerts.messages import Targets
from sync.alerts.watcher import AlertsInMemory, Watcher
from sync.engine.database_health import DatabaseHealth
from sync.engine.schedules import FailingSchedules, Schedule, ScheduleFailure
from sync.engine.wishes import HOUR, MOST_WRITES
from sync.flows import FLOWS
from sync.sections import Alerts
from sync.serve.stores import Stores

_EVERY = timedelta(seconds=5)
# An hour of the journal is more to read than the rest; a loop does not end within a minute.
_JOURNAL_EVERY = timedelta(minutes=1)
# A switch to a standby, or a restart, is no news.
_NO_MOMENT_US = 10 * MICROSECONDS_PER_SECOND


async def _none() -> Sequence[Condition]:
    return ()


def watching(
    alerts: Alerts,
    opened: Stores,
    plan: Sequence[Schedule],
    failing: FailingSchedules,
    *,
    clock: Clock,
    of_mirrors: Callable[[], Awaitable[Sequence[Condition]]] = _none,
) -> Schedule:
    """Return the schedule that watches over all events and the other schedules.

    As one, it runs in one process at a time: however many there are, people are told once.
    """
    after = timedelta(seconds=alerts.late_after_seconds)
    begun_at = clock.utc()
    seen = _Seen()

    async def conditions() -> list[Condition]:
        successes = await opened.watermarks.ages([schedule.mark for schedule in plan])
        schedules = [
            # One that was never due counts from now on.
            _state(each, max(successes.get(each.mark, begun_at), begun_at), failing)
            for each in plan
        ]
        return [
            *await _of_events(opened, after),
            *silent(schedules, now=clock.utc()),
            *lost(await _lost(opened), schedules, now=clock.utc()),
            *await _rewritten(opened, seen, clock),
            *await of_mirrors(),
        ]

    watcher = Watcher(
        conditions=conditions, kept=opened.alerts, targets=Targets(alerts.targets), clock=clock
    )
    return Schedule("look for alerts", _EVERY, watcher.watch)


async def _of_events(opened: Stores, after: timedelta) -> list[Condition]:
    return [
        *held(await opened.overview.held(named=MOST_NAMED)),
        *cautioned(await opened.overview.cautioned(CAUTIONED_FOR, named=MOST_NAMED)),
        *await _late(opened, after),
        *unsettled(await opened.unsettled.read()),
        *odd(await opened.odd_rows.waiting()),
        *behind(await opened.watched.states()),
    ]


class DatabaseWatch(Background):
    """Tells people that the database fails: in this process, and without it.

    Args:
        alerts: Who is told.
        health: What is known of it.
        clock: Time.
    """

    def __init__(self, alerts: Alerts, health: DatabaseHealth, *, clock: Clock) -> None:
        self._health = health
        self._watcher = Watcher(
            conditions=self._conditions,
            kept=AlertsInMemory(),
            targets=Targets(alerts.targets),
            clock=clock,
        )

    async def _conditions(self) -> list[Condition]:
        trouble = self._health.trouble()
        is_lasting = trouble is not None and trouble.for_us >= _NO_MOMENT_US
        return [failing_database(trouble.words)] if trouble is not None and is_lasting else []

    async def look(self) -> None:
        """Look once, and tell what is new."""
        await self._watcher.watch()

    async def _for_ever(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(_EVERY.total_seconds())


def _state(
    schedule: Schedule, last_success_at: datetime, failing: FailingSchedules
) -> ScheduleState:
    found = failing.of(schedule.name)
    return ScheduleState(
        name=schedule.name,
        every=schedule.every,
        last_success_at=last_success_at,
        failure=None if found is None else _lost_of(found),
    )


def _lost_of(failure: ScheduleFailure) -> Lost:
    return Lost(system=failure.system, text=failure.text, advice=failure.advice)


async def _lost(opened: Stores) -> list[Lost]:
    return [
        Lost(system=each.system, text=each.text, advice=each.advice, events=each.events)
        for each in await opened.overview.waited_for()
    ]


async def _late(opened: Stores, after: timedelta) -> list[Condition]:
    return [
        condition
        for flow in FLOWS
        if flow.is_promised
        for condition in late(
            await opened.overview.late(after, flow=flow.name, named=MOST_NAMED),
            after=after,
            place=flow.goes_to,
        )
    ]


@dataclass
class _Seen:
    """What was last seen in the journal, and when."""

    at: datetime | None = None
    conditions: list[Condition] = field(default_factory=list)


async def _rewritten(opened: Stores, seen: _Seen, clock: Clock) -> list[Condition]:
    now = clock.utc()
    if seen.at is None or now - seen.at >= _JOURNAL_EVERY:
        documents = await opened.rewrites.more_than(MOST_WRITES, within=HOUR)
        seen.at, seen.conditions = now, rewritten(documents)
    return seen.conditions
