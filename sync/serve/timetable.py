"""What the sync does by the clock: what its flows say, and forgetting old journals."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sync.description import Built
from sync.engine.schedules import Schedule
from sync.settings import Sync
from sync.store.journal import Journal

_DAILY = timedelta(days=1)


def timetable(sync: Sync, flows: Mapping[str, Built], *, journal: Journal) -> Sequence[Schedule]:
    """Return every schedule of the flows that are on."""
    on = {flow for market in sync.markets.values() for flow in market.flows}

    async def forget() -> None:
        for flow in flows:
            await journal.forget(timedelta(days=sync.journal_days), flow=flow)

    chosen = [each for flow, built in flows.items() if flow in on for each in built.schedules]
    return (*chosen, Schedule("forget journals", _DAILY, forget))
