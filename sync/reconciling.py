"""Reconcile: compare what a flow has carried, heal what may be healed, keep and tell the rest."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.clock import Clock
from sync.engine.schedules import Schedule
from sync.given import Given
from sync.reconciliation.comparing import Discrepancy, DriftReport, compared
from sync.reconciliation.healing import Reconciled, treat
from sync.store.mirror_notices import MirrorNotice, MirrorNotices
from sync.store.reconciliations import DiscrepancyRecord, Reconciliations

_DAILY = timedelta(days=1)
_DRIFT = "drift"
_NAMED = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciling:
    """Reconciles.

    Attributes:
        kept: Where what was found is kept.
        notices: Where significant drift is told of.
        clock: Time.
        quiet: Says how often something that is due every so often is due now.
        apart: How long it leaves sweeps alone, and other comparisons.
    """

    kept: Reconciliations
    notices: MirrorNotices
    clock: Clock
    quiet: Callable[[timedelta], timedelta]
    apart: timedelta

    async def reconcile(self, its: Reconciled, *, is_plan: bool) -> DriftReport:
        """Compare, heal within the limits and keep what was found; raises `UpstreamError`.

        Args:
            its: What is compared.
            is_plan: Whether nothing is healed, kept or told.
        """
        report = await compared(its.comparison, clock=self.clock)
        treatment = treat(report, by_hand=its.by_hand, is_plan=is_plan)
        report = treatment.report
        if is_plan:
            return report
        if treatment.healed:
            await its.heal(treatment.healed)
        await self.kept.keep(
            kind=report.kind,
            market=report.market,
            window=(report.began_at, report.ended_at),
            compared=report.compared,
            found=[_record(each) for each in report.found],
        )
        await self._tell(report, its)
        return report

    def schedule(self, its: Reconciled) -> Schedule:
        """Return when it is done by the clock: what takes a day, in the quiet hours."""
        kind, market = its.comparison.kind, its.comparison.market

        async def attempt() -> None:
            if await its.is_ready():
                report = await self.reconcile(its, is_plan=False)
                _log.info("%s", summary(report))

        async def pace() -> timedelta:
            return self.quiet(its.every)

        return Schedule(
            f"reconcile {kind} of {market}",
            2 * its.every if its.every >= _DAILY else its.every,
            attempt,
            pace if its.every >= _DAILY else None,
            apart=self.apart,
        )

    async def _tell(self, report: DriftReport, its: Reconciled) -> None:
        place = {"flow": report.kind, "market": report.market, "key": _DRIFT}
        if not report.is_significant:
            await self.notices.over(**place)
            return
        named = ", ".join(dict.fromkeys(each.key for each in report.found[:_NAMED]))
        notice = MirrorNotice(
            **place,
            title=f"{report.kind} of {report.market} differ between ERP and shop: {report.why}",
            text=f"{summary(report)}. First: {named}. See all with their causes: d365-sync "
            f"reconcile {report.kind} --market {report.market} --plan --html drift.html",
            count=len(report.found),
        )
        # Until the one after the next; each tells it again, or ends it.
        await self.notices.note(notice, lasts=3 * its.every)


def summary(report: DriftReport) -> str:
    """Return a report in one line."""
    causes: dict[str, int] = {}
    for each in report.found:
        for cause in each.names:
            causes[cause] = causes.get(cause, 0) + 1
    told = ", ".join(f"{count} {cause}" for cause, count in causes.items()) or "nothing differs"
    return f"{report.kind} of {report.market}: {report.compared} compared; {told}"


def cause_of(each: Discrepancy) -> str:
    """Return the causes of a difference as one text."""
    return " + ".join(each.names)


def _record(each: Discrepancy) -> DiscrepancyRecord:
    return DiscrepancyRecord(
        business_key=each.key,
        field=each.field,
        expected=_text(each.erp),
        found=_text(each.shop),
        cause=cause_of(each),
        action=each.action,
    )


def _text(value: object) -> str:
    return "" if value is None else ", ".join(value) if isinstance(value, list) else str(value)


def reconciling_of(given: Given, kept: Reconciliations) -> Reconciling:
    """Return what reconciles, with the notices and quiet hours of mirrors."""
    mirroring = given.mirroring
    return Reconciling(
        kept=kept,
        notices=mirroring.notices,
        clock=mirroring.clock,
        quiet=mirroring.quiet_pace,
        apart=given.apart,
    )
