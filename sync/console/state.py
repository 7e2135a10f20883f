"""Read how the sync stands, flow by flow: for the command, the page and programs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pricing_proxy.clock import Clock
from sync.serve.mirror_state import MirrorState, read_mirrors
from sync.serve.stores import Stores
from sync.settings import Sync
from sync.store.alert_record import AlertRecord
from sync.store.flow_control import EVERY_MARKET, Controls, Pause, limit_of
from sync.store.odd_row_record import OddRecord
from sync.store.overview import FlowState
from sync.store.reconciliations import ReconciliationRecord
from sync.store.watched_order_record import WatchState
from sync.store.wish_record import Unsettled

_SCHEDULE = "schedule."


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowLine:
    """One flow of one market.

    Attributes:
        counts: Events by state.
        lag_seconds: Age of the oldest event that is not ended, 0 when all are.
        last_ended_at: When one was last done or skipped.
        pause: Who paused it, and why; None while it runs.
        at_once: How many events each process carries at once; None without a limit.
        is_on: Whether the configuration has it run.
    """

    flow: str
    market: str
    counts: Mapping[str, int]
    lag_seconds: float
    last_ended_at: datetime | None
    pause: Pause | None
    at_once: int | None
    is_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncState:
    """Everything at one instant.

    Attributes:
        schedules: When each task last succeeded, by its name.
        alerts: Those that are not over.
        unsettled: Fields that another system does not keep, and that are not written any more.
        unreviewed_links: Customers of each market whose account rests on what was typed in the
            shop, and whom nobody has reviewed.
        odd_rows: Rows of the shop that cannot be read.
        odd_rows_set_aside: How many others there are that somebody lets be.
        mirrors: What comes from the ERP; None where nothing does.
        watched: How well orders are watched in the ERP.
        reconciliations: The last comparison of each kind and market.
    """

    at: datetime
    flows: Sequence[FlowLine]
    schedules: Mapping[str, datetime]
    alerts: Sequence[AlertRecord]
    unsettled: Sequence[Unsettled]
    unreviewed_links: Mapping[str, int]
    odd_rows: Sequence[OddRecord] = ()
    odd_rows_set_aside: int = 0
    mirrors: MirrorState | None = None
    watched: Sequence[WatchState] = ()
    reconciliations: Sequence[ReconciliationRecord] = ()


async def read_state(opened: Stores, sync: Sync, *, clock: Clock) -> SyncState:
    """Return how everything stands now."""
    return SyncState(
        at=clock.utc(),
        flows=list(_lines(sync, await opened.overview.flows(), await opened.control.controls())),
        schedules={
            name.removeprefix(_SCHEDULE): at
            for name, at in (await opened.watermarks.put_at(_SCHEDULE)).items()
        },
        alerts=await opened.alerts.open_alerts(),
        unsettled=await opened.unsettled.read(),
        unreviewed_links=await opened.decisions.count_unreviewed(),
        odd_rows=await opened.odd_rows.waiting(),
        odd_rows_set_aside=await opened.odd_rows.count_set_aside(),
        watched=await opened.watched.states(),
        mirrors=await read_mirrors(opened, sync, clock.utc()),
        reconciliations=await opened.reconciliations.last_of_each(),
    )


def _lines(sync: Sync, known: Sequence[FlowState], controls: Controls) -> Iterator[FlowLine]:
    """Yield what the configuration names, and whatever else ever had an event."""
    found = {(state.flow, state.market): state for state in known}
    on = {(flow, code) for code, market in sync.markets.items() for flow in market.flows}
    for flow, market in sorted({*found, *on}):
        state = found.get((flow, market))
        yield FlowLine(
            flow=flow,
            market=market,
            counts=state.counts if state else {},
            lag_seconds=state.lag.total_seconds() if state else 0.0,
            last_ended_at=state.last_ended_at if state else None,
            pause=_pause(controls.pauses, flow, market),
            at_once=limit_of(controls.limits, flow, market),
            is_on=(flow, market) in on,
        )


def _pause(pauses: Sequence[Pause], flow: str, market: str) -> Pause | None:
    mine = (each for each in pauses if each.flow == flow and each.market in (EVERY_MARKET, market))
    return next(mine, None)
