"""What the sync does by the clock: polls, sweeps, and forgetting old journals."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sync.engine.schedules import Schedule
from sync.serve.assembly import Sources
from sync.settings import Sync
from sync.store.journal import Journal

# The journal is cut once a day; a customer map that Redis lost is whole again after a while.
_DAILY, _QUARTERLY = timedelta(days=1), timedelta(minutes=15)
# With the price service's own five seconds it follows a changed link within ten.
_FOLLOW = timedelta(seconds=4)


@dataclass(frozen=True, slots=True)
class Publishing:
    """How the price service's customer map is kept true: all of it, or what changed lately."""

    whole: Callable[[], Awaitable[object]]
    changed: Callable[[], Awaitable[object]]


def timetable(
    sync: Sync,
    sources: Sources,
    *,
    journal: Journal,
    publishing: Publishing,
) -> Sequence[Schedule]:
    """Return every schedule of the flows that are on."""
    every = timedelta(seconds=sync.polling.every_seconds)
    sweep = timedelta(seconds=sync.polling.sweep_seconds)
    on = {flow for market in sync.markets.values() for flow in market.flows}
    by_flow = {
        "orders": (
            Schedule("poll orders", every, sources.orders.poll),
            Schedule("sweep orders", sweep, sources.orders.sweep),
            Schedule("sweep unclaimed headers", sweep, sources.doubles.sweep),
            Schedule("compare order numbers", _DAILY, sources.ranges.look),
        ),
        "customers": (
            Schedule("poll customers", every, sources.customers.poll),
            Schedule("publish customers", _QUARTERLY, publishing.whole),
            Schedule("publish changed links", _FOLLOW, publishing.changed),
        ),
        "returns": (Schedule("poll returns", every, sources.returns.poll),),
    }

    async def forget() -> None:
        for flow in by_flow:
            await journal.forget(timedelta(days=sync.journal_days), flow=flow)

    chosen = [each for flow, schedules in by_flow.items() if flow in on for each in schedules]
    return (*chosen, Schedule("forget journals", _DAILY, forget))
