"""What the sync does by the clock: what its flows say, and forgetting old journals."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial

from sync.description import Built
from sync.engine.schedules import Schedule
from sync.flows import FLOWS
from sync.magento.storefront import StorefrontPage
from sync.mirroring import Mirroring
from sync.reconciliation.healing import Reconciled
from sync.reconciling import Reconciling
from sync.settings import Sync
from sync.store.journal import Journal

_DAILY = timedelta(days=1)


def timetable(
    sync: Sync,
    flows: Mapping[str, Built],
    *,
    journal: Journal,
    mirroring: Mirroring,
    storefront: StorefrontPage | None,
    reconciled: Sequence[Reconciled],
    reconciling: Reconciling,
) -> Sequence[Schedule]:
    """Return every schedule of the flows that are on."""
    on = {flow for market in sync.markets.values() for flow in market.flows}

    async def forget() -> None:
        for flow in flows:
            await journal.forget(timedelta(days=sync.journal_days), flow=flow)

    chosen = [each for flow, built in flows.items() if flow in on for each in built.schedules]
    if any(flow.mirrors is not None and flow.name in on for flow in FLOWS):
        chosen += _of_mirrors(mirroring, storefront)
    chosen += [reconciling.schedule(each) for each in reconciled]
    chosen.append(Schedule("forget journals", _DAILY, forget))
    kept = partial(reconciling.kept.forget, timedelta(days=sync.journal_days))
    return (*chosen, Schedule("forget reconciliations", _DAILY, kept))


def _of_mirrors(mirroring: Mirroring, storefront: StorefrontPage | None) -> Iterator[Schedule]:
    kept = timedelta(days=mirroring.section.plan_days)
    yield Schedule("forget plans", _DAILY, partial(mirroring.plans.runs.forget, kept))
    if storefront is not None:
        probe = partial(mirroring.governor.probe, storefront.page_ms)
        every = timedelta(seconds=mirroring.section.probe_seconds)
        yield Schedule("look at the storefront", every, probe)
