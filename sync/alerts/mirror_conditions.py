"""What is wrong with mirrors right now, out of what the store knows: pure.

rows of a plan that wait for a person                one for each flow and market
a read of everything that plans nothing              one for each flow and market
a shop that is written to as slowly as can be        one, after half an hour
whatever else a flow tells of, as an overdue bulk    one for each
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sync.alerts.conditions import Condition
from sync.mirror.governor import PaceView
from sync.store.mirror_notices import MirrorNotice
from sync.store.mirror_records import ChangeState, MirrorRun, RunState, RunTrigger
from sync.store.mirror_views import RiskCount

# A shop that is slow for a while is no news: it is written to more slowly, and that is all.
_FLOOR_FOR = timedelta(minutes=30)
_WHOLE = (RunTrigger.FULL, RunTrigger.ADOPT)


def undecided(
    runs: Iterable[MirrorRun], risks: Mapping[int, Sequence[RiskCount]]
) -> list[Condition]:
    """Return a condition for each flow and market whose newest plan waits for a person.

    Args:
        runs: Those that have not ended, the oldest first.
        risks: What is dangerous in each, by its number.
    """
    waiting = {
        (run.flow, run.market): run
        for run in runs
        # Who only looked knows of it.
        if run.counts.get(ChangeState.WAITING) and run.trigger is not RunTrigger.PLAN
    }
    return [
        Condition(
            key=f"plan/{flow}/{market}",
            title=f"{run.counts[ChangeState.WAITING]} rows of {flow} of {market} wait for a "
            f"person: run {run.id}",
            text=f"{_why(run, risks.get(run.id, ()))} Nothing of these is written until then. "
            f"See them: d365-sync runs show {run.id}; then d365-sync runs approve {run.id}"
            f"{_how(run)}, or d365-sync runs reject {run.id}",
            count=run.counts[ChangeState.WAITING],
        )
        for (flow, market), run in sorted(waiting.items())
    ]


def unread(runs: Iterable[MirrorRun]) -> list[Condition]:
    """Return a condition for each flow and market whose last read of everything plans nothing.

    Args:
        runs: The newest of each trigger.
    """
    newest: dict[tuple[str, str], MirrorRun] = {}
    for run in sorted(runs, key=lambda run: run.id):
        if _is_whole(run) and run.trigger is not RunTrigger.PLAN:
            newest[run.flow, run.market] = run
    return [
        Condition(
            key=f"read/{flow}/{market}",
            title=f"{flow} of {market} could not be read from the ERP: run {run.id}",
            text=f"{run.text}. What the shop has stays as it is. What to do: see to the ERP's "
            f"data, then d365-sync resync {flow} --market {market} --plan",
            count=1,
        )
        for (flow, market), run in sorted(newest.items())
        if run.state is RunState.FAILED
    ]


def slowed(pace: PaceView, *, now: datetime) -> list[Condition]:
    """Return the condition of a shop that bears next to nothing for long."""
    if not pace.is_at_floor or pace.cut_at is None or now - pace.cut_at < _FLOOR_FOR:
        return []
    return [
        Condition(
            key="pace",
            title="The shop is written to as slowly as can be: " + pace.reason,
            text="Catalog and stock arrive later than usual. See what slows the shop down; it is "
            "written to faster by itself when that is over",
            count=1,
        )
    ]


def noticed(notices: Iterable[MirrorNotice]) -> list[Condition]:
    """Return a condition for each thing that a flow tells of."""
    return [
        Condition(
            key=f"notice/{each.flow}/{each.market}/{each.key}",
            title=each.title,
            text=each.text,
            count=each.count,
        )
        for each in notices
    ]


def _is_whole(run: MirrorRun) -> bool:
    """Return whether it was to read everything; one by hand that failed has only its count."""
    has_failed = run.state is RunState.FAILED and run.rows_expected is not None
    return run.trigger in _WHOLE or bool(run.counts.get("is_whole")) or has_failed


def _why(run: MirrorRun, risks: Sequence[RiskCount]) -> str:
    if run.trigger is RunTrigger.ADOPT:
        return "The shop was compared for the first time, and differs."
    words = {"over": "too many within 24 hours", "alone": "each by too much"}
    told = [
        f"{each.rows} {each.risk} ({words[each.why]})"
        for each in risks
        if each.state == ChangeState.WAITING and each.why in words
    ]
    return f"{', '.join(told)}." if told else "They are over a limit."


def _how(run: MirrorRun) -> str:
    return " --adopt keep (or overwrite)" if run.trigger is RunTrigger.ADOPT else ""
