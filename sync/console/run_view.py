"""Read how runs of mirrors stand: for the commands, the page and programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.store.mirror_records import ChangeState, MirrorRun, RunState
from sync.store.mirror_views import ChangeView, FieldCount, MirrorViews, RiskCount

# Of these nothing more is to be written.
_OPEN = (RunState.READING, RunState.PLANNING, RunState.WRITING, RunState.WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run, with its rows as they are by now.

    Attributes:
        rows: By state.
        done: How much of what it is at is done, from 0 to 1; None where nobody knows.
        seconds_left: Until it is done at this pace; None where nobody knows.
    """

    run: MirrorRun
    rows: Mapping[str, int]
    done: float | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStory:
    """All that is known of a run.

    Attributes:
        fields: In how many rows each is to change.
        risks: How many rows are in each class of danger.
        edited: How many rows had each field edited in the shop.
        sample: Some of its rows.
    """

    line: RunLine
    fields: Sequence[FieldCount]
    risks: Sequence[RiskCount]
    edited: Mapping[str, int]
    sample: Sequence[ChangeView]


async def read_lines(
    views: MirrorViews, runs: Sequence[MirrorRun], *, now: datetime
) -> list[RunLine]:
    """Return runs with their rows."""
    return [await _line(views, run, now) for run in runs]


async def read_story(
    views: MirrorViews,
    run: MirrorRun,
    *,
    now: datetime,
    state: ChangeState | None,
    most: int,
) -> RunStory:
    """Return a run with what is in it."""
    return RunStory(
        line=await _line(views, run, now),
        fields=await views.fields(run.id),
        risks=await views.risks(run.id),
        edited=await views.edited(run.id),
        sample=await views.rows(run.id, state=state, most=most),
    )


async def _line(views: MirrorViews, run: MirrorRun, now: datetime) -> RunLine:
    return line_of(run, await views.states(run.id) if run.state in _OPEN else None, now=now)


def line_of(run: MirrorRun, rows: Mapping[str, int] | None, *, now: datetime) -> RunLine:
    """Return a run with its rows as they are by now; as it ended without."""
    is_open = run.state in _OPEN
    if rows is None:
        rows = {each.value: run.counts[each] for each in ChangeState if run.counts.get(each)}
    done, since = _done(run, rows), run.began_at
    if run.state is RunState.WRITING:
        since = run.approved_at or run.planned_at or run.began_at
    seconds = (now - since).total_seconds()
    left = None if not done or not is_open else seconds / done * (1 - done)
    return RunLine(run=run, rows=rows, done=done, seconds_left=left)


def _done(run: MirrorRun, rows: Mapping[str, int]) -> float | None:
    if run.state is RunState.READING:
        return min(run.rows_read / run.rows_expected, 1.0) if run.rows_expected else None
    if run.state is RunState.WRITING:
        left, all_rows = rows.get(ChangeState.PLANNED, 0), sum(rows.values())
        waiting = rows.get(ChangeState.WAITING, 0)
        return (all_rows - waiting - left) / max(1, all_rows - waiting)
    return None
