"""Draw states and events as tables for people. Pure: values in, rich's tables out.

Texts of other systems go in as `Text`, since they may hold rich's own markup.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from rich.table import Table
from rich.text import Text

from sync.console.gates import options_of
from sync.console.left_out import LeftOut
from sync.console.state import FlowLine, SyncState
from sync.console.words import NONE, TONES, ago, instant, span
from sync.description import EXPECTED_AND_FOUND
from sync.flows import FLOWS
from sync.store.records import Alike, EventRecord
from sync.store.states import EventState

NAMED = 3
"""So many of a crowd are told by name."""

_SIDES = {flow.name: flow.sides for flow in FLOWS}


def state_tables(state: SyncState) -> Iterator[Table]:
    """Yield flows, schedules, watched orders, what others do not keep, doubtful links, alerts."""
    yield _flows(state)
    yield _schedules(state)
    if state.watched:
        yield _watched(state)
    if state.unsettled:
        yield _unsettled(state)
    if state.unreviewed_links:
        yield _unreviewed(state)
    if state.reconciliations:
        yield _reconciliations(state)
    yield _alerts(state)


def _reconciliations(state: SyncState) -> Table:
    table = table_of("What ERP and shop were compared in", "what", "market", "when")
    for column in ("compared", "differed"):
        table.add_column(column, justify="right")
    for each in state.reconciliations:
        counts = (str(each.compared), str(each.differed))
        table.add_row(each.kind, Text(each.market), ago(each.ended_at, now=state.at), *counts)
    table.caption = "Why, and what becomes of it: d365-sync reconcile WHAT --plan"
    return table


def left_out_table(left_out: Mapping[str, LeftOut | str]) -> Table:
    """Return how many orders of each market stay in the shop because they are too old.

    Those of which nobody can say whether they are, are told apart.
    """
    table = table_of("Orders from before orders.start_at, which stay in the shop", "market")
    table.add_column("orders", justify="right")
    table.add_column("not decided", justify="right")
    for market, found in left_out.items():
        if isinstance(found, str):
            table.add_row(market, Text(found), "")
        else:
            undecided = Text(str(found.undecided), style="yellow" if found.undecided else "")
            table.add_row(market, str(found.count), undecided)
    table.caption = "Send one with: d365-sync export ORDER"
    return table


def gates_table(gates: Mapping[str, timedelta] | str) -> Table:
    """Return the gates that throttling has closed, and how they are opened."""
    table = table_of("Gates closed by throttling", "gate", "opens in", "open it with")
    if isinstance(gates, str):
        table.add_row(Text(gates), "", "")
    elif not gates:
        table.add_row(Text("none", style="green"), "", "")
    else:
        for name, left in gates.items():
            opening = Text(f"d365-sync gate open {options_of(name)}")
            table.add_row(Text(name), span(left.total_seconds()), opening)
    return table


def failed_table(crowds: Sequence[Alike]) -> Table:
    """Return held and blocked events with what is wrong and what to do, a line for each crowd."""
    table = _troubles("Events that wait for a person", [each.first[0] for each in crowds], crowds)
    table.caption = "When the cause is gone: d365-sync replay EVENT, EVENT --alike, or --all-held"
    return table


def held_table(crowds: Sequence[Alike]) -> Table:
    """Return held events by where and at what: how many there are, and what one of them says."""
    table = table_of("What is held", "flow", "market", "field", "what is wrong, for example")
    table.add_column("events", justify="right")
    for crowd in crowds:
        event = crowd.first[0]
        field, said = (
            ("", "") if event.trouble is None else (event.trouble.field, event.trouble.text)
        )
        table.add_row(*map(Text, (event.flow, event.market, field, said)), f"{crowd.count:,}")
    return table


def cautions_table(events: Sequence[EventRecord]) -> Table:
    """Return events that are done, and what is to be known of each."""
    table = _troubles("Sent, and yet different in the other system", events)
    table.caption = "" if events else "None within a day."
    return table


def _troubles(
    title: str, events: Sequence[EventRecord], crowds: Sequence[Alike] | None = None
) -> Table:
    table = table_of(title, "event", "flow", "market", "document")
    for column in ("state", "field", "what is wrong", "what to do"):
        table.add_column(column, overflow="fold")
    for place, event in enumerate(events):
        trouble = event.trouble
        name = event.name if crowds is None else _named(crowds[place])
        said = ("", "", "") if trouble is None else (trouble.field, trouble.text, trouble.advice)
        if event.state is EventState.BLOCKED:
            said = ("", f"is behind event {event.depends_on}", "do what that one needs")
        head = (str(event.id), event.flow, event.market, name)
        table.add_row(*map(Text, head), state_text(event.state), *map(Text, said))
        if trouble is not None and trouble.diff:
            table.add_row(
                *([""] * 6), Text(diff_text(trouble.diff, flow=event.flow), style="dim"), ""
            )
    return table


def _named(crowd: Alike) -> str:
    """Return what people call events that are alike: some by name, and how many more."""
    names = ", ".join(event.name for event in crowd.first)
    more = crowd.count - len(crowd.first)
    return f"{names} and {more:,} more" if more else names


def table_of(title: str, *columns: str) -> Table:
    """Return a table with a title on the left."""
    table = Table(title=title, title_justify="left", title_style="bold", caption_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def state_text(state: str) -> Text:
    """Return a state in its colour."""
    return Text(str(state), style=TONES.get(EventState(state), ""))


def diff_text(diff: Iterable[Sequence[str]], *, flow: str) -> str:
    """Return differences between two documents, a line each."""
    one, other = _SIDES.get(flow, EXPECTED_AND_FOUND)
    lines = []
    for each in diff:
        field, expected, found = (*each, "", "", "")[:3]
        lines.append(f"{field}: {one} {expected or NONE}, {other} {found or NONE}")
    return "\n".join(lines)


def _flows(state: SyncState) -> Table:
    table = table_of("Flows", "flow", "market", "")
    shown = [each for each in EventState if any(each in line.counts for line in state.flows)]
    for each in shown:
        table.add_column(each.value, justify="right")
    table.add_column("lag", justify="right")
    table.add_column("last ended")
    for line in state.flows:
        counts = (_count(each, line.counts.get(each, 0)) for each in shown)
        table.add_row(
            line.flow,
            line.market,
            _running(line),
            *counts,
            span(line.lag_seconds),
            ago(line.last_ended_at, now=state.at),
        )
    return table


def _running(line: FlowLine) -> Text:
    if line.pause is not None:
        by = f"paused by {line.pause.changed_by}"
        return Text(f"{by}: {line.pause.reason}" if line.pause.reason else by, style="yellow")
    if line.is_on and line.at_once is not None:
        return Text(f"runs, {line.at_once} at once", style="yellow")
    return Text("runs", style="green") if line.is_on else Text("not configured", style="yellow")


def _count(state: EventState, count: int) -> Text:
    return Text(str(count), style=TONES.get(state, "") if count else "dim")


def _schedules(state: SyncState) -> Table:
    table = table_of("Schedules", "task", "last success")
    for name, at in state.schedules.items():
        table.add_row(name, ago(at, now=state.at))
    if not state.schedules:
        table.caption = "None has ever succeeded: start the sync with d365-sync run"
    return table


def _watched(state: SyncState) -> Table:
    table = table_of("Orders that are watched in the ERP", "market")
    for column in ("moving", "due to be looked at", "behind"):
        table.add_column(column, justify="right")
    for each in state.watched:
        behind = span(each.behind.total_seconds())
        table.add_row(Text(each.market), str(each.moving), str(each.due), behind)
    return table


def _unsettled(state: SyncState) -> Table:
    title = "Fields that are not kept, and not written any more"
    table = table_of(title, "market", "system", "field", "documents", "what is wrong", "what to do")
    for each in state.unsettled:
        count = str(each.documents) if each.documents > 1 else each.example
        shown = (each.market, each.system, each.field, count, each.text, each.advice)
        table.add_row(*map(Text, shown))
    return table


def _unreviewed(state: SyncState) -> Table:
    title = "Customers whose account rests on what was typed in the shop"
    table = table_of(title, "market")
    table.add_column("links", justify="right")
    table.add_column("what to do")
    for market, count in state.unreviewed_links.items():
        command = f"d365-sync links --unreviewed --market {market}"
        table.add_row(Text(market), str(count), Text(command))
    return table


def _alerts(state: SyncState) -> Table:
    table = table_of("Open alerts", "since", "what", "details")
    for alert in state.alerts:
        since = _since(alert.raised_at, state.at)
        table.add_row(since, Text(alert.title, style="red"), Text(alert.text))
    if not state.alerts:
        table.caption = "None."
    return table


def _since(at: datetime, now: datetime) -> str:
    return f"{instant(at)} ({ago(at, now=now)})"
