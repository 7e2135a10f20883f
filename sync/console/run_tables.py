"""Draw runs of mirrors as tables for people. Pure: values in, rich's tables out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from sync.console.run_view import RunLine, RunStory, line_of
from sync.console.tables import table_of
from sync.console.words import NONE, ago, counted, span
from sync.flows import is_undoable
from sync.mirror.governor import PaceView
from sync.serve.mirror_state import MirrorState, Rotation
from sync.store.mirror_look_records import LookRound
from sync.store.mirror_records import ChangeState, MirrorRun, RunState, RunTrigger, Values

_TONES = {
    RunState.WAITING: "yellow",
    RunState.FAILED: "red",
    RunState.DONE: "green",
    RunState.REJECTED: "yellow",
}
_SHOWN = (
    ChangeState.PLANNED,
    ChangeState.WAITING,
    ChangeState.WRITTEN,
    ChangeState.KEPT,
    ChangeState.REFUSED,
    ChangeState.MISSING,
)


def runs_table(lines: Sequence[RunLine], *, now: datetime) -> Table:
    """Return runs, a line each."""
    table = table_of("Runs from the ERP to the shop", "run", "flow", "market", "why", "state")
    for column in ("read", *(each.value for each in _SHOWN)):
        table.add_column(column, justify="right")
    table.add_column("began")
    table.add_column("what it says", overflow="fold")
    for line in lines:
        run = line.run
        table.add_row(
            str(run.id),
            Text(run.flow),
            Text(run.market),
            run.trigger.replace("_", " "),
            Text(run.state, style=_TONES.get(run.state, "")),
            _read(run),
            *(_count(line.rows.get(each, 0)) for each in _SHOWN),
            ago(run.began_at, now=now),
            Text(progress(line) or run.text),
        )
    table.caption = "What is in one: d365-sync runs show RUN" if lines else "There was none yet."
    return table


def mirrors_table(state: MirrorState, *, now: datetime) -> Table:
    """Return the runs of late, what is due to be read, and how wide the shop is written to."""
    lines = [line_of(run, state.rows.get(run.id), now=now) for run in state.runs]
    table = runs_table(lines, now=now)
    rotations = (rotation_text(each, now=now) for each in state.rotations)
    told = [*_due(state), *rotations, pace_text(state.pace), str(table.caption)]
    table.caption = "\n".join(told)
    return table


def rotation_text(rotation: Rotation, *, now: datetime) -> str:
    """Return how often a market's rows are all read, and how that goes."""
    of, last = f"All {rotation.flow} of {rotation.market}", rotation.last
    told = f"{of} is read every {span(rotation.every.total_seconds())}"
    if last is None:
        return f"{told}; never yet."
    took = span((last.ended_at - last.began_at).total_seconds())
    told += f"; last {ago(last.ended_at, now=now)}, in {took}"
    if last.before_at is None:
        return f"{told}."
    return f"{told}, {span((last.began_at - last.before_at).total_seconds())} after the one before."


def looks_table(rounds: Sequence[LookRound], *, now: datetime) -> Table:
    """Return what looks through the shop have found."""
    table = table_of("What others changed in the shop", "flow", "market", "looked at")
    for column in ("to mend", "kept", "gone"):
        table.add_column(column, justify="right")
    for column in ("listed in", "the last whole look"):
        table.add_column(column)
    for each in rounds:
        state = "whole" if each.ended_at else f"of {each.expected:,}, since "
        state += "" if each.ended_at else ago(each.began_at, now=now)
        counts = (each.edited, each.kept, each.gone)
        table.add_row(
            Text(each.flow),
            Text(each.market),
            f"{each.looked:,}, {state}",
            *(f"{one:,}" for one in counts),
            NONE if each.run is None else f"run {each.run}",
            _last_look(each, now=now),
        )
    table.caption = (
        "Rows. What is to mend is read from the ERP, and written by d365-sync run"
        if rounds
        else "Nothing is known of the shop yet: d365-sync runs shows the first look at it"
    )
    return table


def _last_look(each: LookRound, *, now: datetime) -> str:
    if each.last_began_at is None or each.last_ended_at is None:
        return "never yet"
    took = span((each.last_ended_at - each.last_began_at).total_seconds())
    return f"{each.last_looked or 0:,} rows in {took}, {ago(each.last_ended_at, now=now)}"


def pace_text(pace: PaceView) -> str:
    """Return how wide the shop is written to."""
    told = f"The shop is written to by {_batches(pace.width)} at once"
    return f"{told} of {pace.ceiling}: {pace.reason}" if pace.reason else f"{told}."


def _batches(count: int) -> str:
    return "1 batch" if count == 1 else f"{count} batches"


def _due(state: MirrorState) -> Iterator[str]:
    for each in state.wanted:
        yield f"{each.keys:,} keys of {each.flow} of {each.market} are due to be read."


def story_tables(story: RunStory) -> Iterator[Table]:
    """Yield what a run wants to change, what is dangerous of it, what was edited, and rows."""
    yield _fields(story)
    if story.risks:
        yield _risks(story)
    if story.edited:
        yield _edited(story.edited)
    yield _sample(story)


def next_step(run: MirrorRun) -> str:
    """Return what a person may do about a run; empty where nothing."""
    show = f"d365-sync runs show {run.id}"
    if run.state is RunState.WAITING and run.trigger is RunTrigger.ADOPT:
        return (
            "Nothing is written before somebody says what becomes of fields that differ: "
            f"d365-sync runs approve {run.id} --adopt keep, or --adopt overwrite; "
            "--field NAME for one of them"
        )
    if run.state is RunState.WAITING:
        return (
            f"See the waiting rows: {show} --state waiting. Then d365-sync runs approve {run.id} "
            f"(--risk NAME for one class), or d365-sync runs reject {run.id}"
        )
    if run.state is RunState.WRITING:
        return f"It is written by d365-sync run; how far it is: {show}"
    if run.state is RunState.FAILED:
        return (
            "Nothing of it was planned. See to what it says, then read again: "
            f"d365-sync resync {run.flow} --market {run.market} --plan"
        )
    if run.state is RunState.DONE and run.counts.get(ChangeState.WRITTEN):
        return _after(run)
    return ""


def _after(run: MirrorRun) -> str:
    """Return what a person may do about what a run has written."""
    if is_undoable(run.flow):
        return f"Take back what it wrote, where nobody wrote since: d365-sync runs undo {run.id}"
    return (
        "It is not taken back; the ERP is read again, and the shop corrected, by: "
        f"d365-sync resync {run.flow} --market {run.market}"
    )


def progress(line: RunLine) -> str:
    """Return how far a run is, and how long it takes yet; empty where nobody knows."""
    if line.done is None:
        return ""
    left = "" if line.seconds_left is None else f", {span(line.seconds_left)} left"
    return f"{line.done:.0%} {'read' if line.run.state is RunState.READING else 'written'}{left}"


def _read(run: MirrorRun) -> str:
    if run.rows_expected and run.state is RunState.READING:
        return f"{run.rows_read:,} of {run.rows_expected:,}"
    return f"{run.rows_read:,}"


def _count(count: int) -> Text:
    return Text(f"{count:,}", style="" if count else "dim")


def _fields(story: RunStory) -> Table:
    run = story.line.run
    table = table_of(f"Run {run.id}: {run.flow} of {run.market}, {run.state}", "field", "state")
    table.add_column("rows", justify="right")
    for each in story.fields:
        table.add_row(Text(each.field), each.state, f"{each.rows:,}")
    if not story.fields:
        table.caption = "Nothing differs."
    return table


def _risks(story: RunStory) -> Table:
    table = table_of("Classes of danger", "class", "direction", "why it waits", "state")
    table.add_column("rows", justify="right")
    words = {"over": "too many within 24 hours", "alone": "the row moves too far", "": NONE}
    for each in story.risks:
        why = words.get(each.why, each.why)
        table.add_row(Text(each.risk), Text(each.direction), why, each.state, f"{each.rows:,}")
    return table


def _edited(edited: Mapping[str, int]) -> Table:
    table = table_of("Edited in the shop since we wrote it", "field")
    table.add_column("rows", justify="right")
    for name, rows in edited.items():
        table.add_row(Text(name), f"{rows:,}")
    return table


def _sample(story: RunStory) -> Table:
    table = table_of("Rows", "scope", "key", "state", "field")
    for column in ("in the shop", "wanted", "what is wrong"):
        table.add_column(column, overflow="fold")
    for row in story.sample:
        was = row.before if row.before is not None else row.known
        said = " ".join(filter(None, (row.field, row.text, row.advice)))
        for number, (name, wanted) in enumerate(row.wanted.items()):
            head = (row.scope, row.key, row.state) if not number else ("", "", "")
            edited = " (edited there)" if name in row.edited else ""
            found = _value(was, name) + edited
            shown = (*head, name, found, _plain(wanted), said if not number else "")
            table.add_row(*map(Text, shown))
    total = sum(story.line.rows.values())
    table.caption = f"{counted(len(story.sample), 'row')} of {total:,}; --limit shows more"
    return table


def _value(values: Values | None, name: str) -> str:
    return NONE if values is None or name not in values else _plain(values[name])


def _plain(value: str | list[str] | None) -> str:
    if value is None:
        return NONE
    return ", ".join(value) if isinstance(value, list) else value
