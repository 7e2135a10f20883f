"""Put together what is wrong with the sync right now, and who is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pricing_proxy.clock import Clock
from sync.alerts.conditions import (
    CAUTIONED_FOR,
    MOST_NAMED,
    Condition,
    ScheduleState,
    cautioned,
    held,
    late,
    odd,
    rewritten,
    silent,
    unsettled,
)
from sync.alerts.messages import Targets
from sync.alerts.watcher import Watcher
from sync.engine.schedules import Schedule
from sync.engine.wishes import HOUR, MOST_WRITES
from sync.flows import FLOWS
from sync.sections import Alerts
from sync.serve.stores import Stores

_EVERY = timedelta(seconds=5)
# An hour of the journal is more to read than the rest; a loop does not end within a minute.
_JOURNAL_EVERY = timedelta(minutes=1)


def watching(alerts: Alerts, opened: Stores, plan: Sequence[Schedule], *, clock: Clock) -> Schedule:
    """Return the schedule that watches over all events and the other schedules.

    As one, it runs in one process at a time: however many there are, people are told once.
    """
    after = timedelta(seconds=alerts.late_after_seconds)
    begun_at = clock.utc()
    seen = _Seen()

    async def conditions() -> list[Condition]:
        successes = await opened.watermarks.ages([schedule.mark for schedule in plan])
        schedules = [
            ScheduleState(
                name=schedule.name,
                every=schedule.every,
                # One that was never due counts from now on.
                last_success_at=max(successes.get(schedule.mark, begun_at), begun_at),
            )
            for schedule in plan
        ]
        return [
            *held(await opened.overview.held(named=MOST_NAMED)),
            *cautioned(await opened.overview.cautioned(CAUTIONED_FOR, named=MOST_NAMED)),
            *await _late(opened, after),
            *silent(schedules, now=clock.utc()),
            *unsettled(await opened.unsettled.read()),
            *odd(await opened.odd_rows.waiting()),
            *await _rewritten(opened, seen, clock),
        ]

    watcher = Watcher(
        conditions=conditions, kept=opened.alerts, targets=Targets(alerts.targets), clock=clock
    )
    return Schedule("look for alerts", _EVERY, watcher.watch)


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
