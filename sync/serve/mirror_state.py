"""Read how the mirrors stand: for alerts, `status`, the operators' page and metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pricing_proxy.clock import Clock
from sync.alerts.conditions import Condition
from sync.alerts.mirror_conditions import noticed, slowed, undecided, unread
from sync.flows import FLOWS
from sync.mirror.governor import PaceView, pace_view
from sync.serve.stores import Stores
from sync.settings import Sync
from sync.store.mirror_records import MirrorRun
from sync.store.mirror_views import WholeRead
from sync.store.mirror_wanted import WantedKeys

_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """How often a flow reads everything for a market.

    Attributes:
        every: As configured; what people wait for is read sooner.
        last: How it went last; None where it never did.
    """

    flow: str
    market: str
    every: timedelta
    last: WholeRead | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorState:
    """All mirrors at one instant.

    Attributes:
        runs: Those that have not ended, and some that did, the newest first.
        rows: Of the former, by run and state.
        wanted: Keys that are due to be read.
        pace: How wide the shop is written to.
        rotations: How often everything is read.
    """

    runs: Sequence[MirrorRun]
    rows: Mapping[int, Mapping[str, int]]
    wanted: Sequence[WantedKeys]
    pace: PaceView
    rotations: Sequence[Rotation] = ()


def has_mirrors(sync: Sync) -> bool:
    """Return whether a market has a mirror flow on."""
    on = {flow for market in sync.markets.values() for flow in market.flows}
    return any(flow.mirrors is not None and flow.name in on for flow in FLOWS)


async def read_mirrors(opened: Stores, sync: Sync, now: datetime) -> MirrorState | None:
    """Return how the mirrors stand; None where none is on."""
    if not has_mirrors(sync):
        return None
    views = opened.mirrors.views
    open_runs, newest = await views.open(), await views.newest(most=_SHOWN)
    runs = {run.id: run for run in (*open_runs, *newest)}
    return MirrorState(
        runs=[runs[number] for number in sorted(runs, reverse=True)],
        rows={run.id: await views.states(run.id) for run in open_runs},
        wanted=await opened.mirrors.wanted.counts(),
        pace=await _pace(opened, sync, now),
        rotations=rotations(sync, await views.whole_reads()),
    )


def rotations(sync: Sync, whole: Sequence[WholeRead]) -> list[Rotation]:
    """Return how often each mirror that is on reads everything."""
    last = {(each.flow, each.market): each for each in whole}
    usual = timedelta(hours=sync.mirror.full_hours)
    return [
        Rotation(
            flow=flow.name,
            market=market,
            every=flow.rotation(own.rules(flow.rules)) if flow.rotation else usual,
            last=last.get((flow.name, market)),
        )
        for flow in FLOWS
        for market, own in sync.markets.items()
        if flow.mirrors is not None and flow.name in own.flows
    ]


async def of_mirrors(opened: Stores, sync: Sync, *, clock: Clock) -> list[Condition]:
    """Return what is wrong with mirrors right now, and what reconciliation tells of."""
    told = noticed(await opened.notices.lasting())
    if not has_mirrors(sync):
        return told
    views, now = opened.mirrors.views, clock.utc()
    runs = await views.open()
    return [
        *undecided(runs, {run.id: await views.risks(run.id) for run in runs}),
        *unread(await views.last_of_each()),
        *slowed(await _pace(opened, sync, now), now=now),
        *told,
    ]


async def _pace(opened: Stores, sync: Sync, now: datetime) -> PaceView:
    pace = await opened.paces.of(sync.magento.url)
    return pace_view(pace, now, ceiling=sync.mirror.batches)
