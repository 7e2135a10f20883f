"""Draw one event for people. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from sync.console.event_story import EventStory
from sync.console.tables import diff_text, state_text, table_of
from sync.console.words import NONE, instant
from sync.store.journal import JournalRow
from sync.store.records import EventRecord

# A request in full is in `--json`; a screen shows what it is about.
_SHOWN_CHARACTERS = 300


def event_tables(story: EventStory) -> Iterator[Table]:
    """Yield the event, its calls, who waits for it, and what people did."""
    yield _head(story.event)
    calls = table_of("Calls", "attempt", "sent", "system", "operation", "mapping", "answer", "took")
    calls.add_column("request and response", overflow="fold")
    for call in story.calls:
        calls.add_row(
            str(call.attempt),
            instant(call.sent_at),
            call.system,
            call.operation,
            call.mapping_version,
            answer_text(call),
            took(call),
            Text(_bodies(call), style="dim"),
        )
    if not story.calls:
        calls.caption = "None: nothing was sent, or the journal is forgotten by now."
    yield calls
    if story.dependants:
        waiting = table_of("Wait for this one", "event", "flow", "document", "state")
        for each in story.dependants:
            waiting.add_row(str(each.id), each.flow, each.name, state_text(each.state))
        yield waiting
    if story.audit:
        done = table_of("By hand", "when", "who", "what")
        for entry in story.audit:
            done.add_row(instant(entry.created_at), Text(entry.who), entry.action)
        yield done


def answer_text(call: JournalRow) -> Text:
    """Return how a call ended; one that never did may have been done."""
    if call.acked_at is None:
        return Text("none: may have been done", style="yellow")
    is_fine = call.status is not None and call.status < 400  # noqa: PLR2004 -- HTTP's own border
    return Text(str(call.status), style="green" if is_fine else "red")


def took(call: JournalRow) -> str:
    """Return a call's duration."""
    return NONE if call.duration_ms is None else f"{call.duration_ms} ms"


def _head(event: EventRecord) -> Table:
    table = table_of(f"Event {event.id}: {event.flow} {event.name} of {event.market}")
    table.show_header = False
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    table.add_row("state", state_text(event.state))
    for name, text in _facts(event):
        if text:
            table.add_row(name, Text(text))
    return table


def _facts(event: EventRecord) -> Iterator[tuple[str, str]]:
    yield "note", event.note
    if (trouble := event.trouble) is not None:
        yield "why", trouble.kind
        yield "field", trouble.field
        yield "what is wrong", trouble.text
        yield "what to do", trouble.advice
        yield "differences", diff_text(trouble.diff, flow=event.flow)
    yield "waits for", "" if event.depends_on is None else f"event {event.depends_on}"
    yield "tried again", "" if event.due_at is None else instant(event.due_at)
    yield "attempts", str(event.attempts)
    yield "entered", instant(event.created_at)
    yield "changed", instant(event.changed_at)
    yield "ended", "" if event.ended_at is None else instant(event.ended_at)
    yield "entered as", event.source_key
    yield "payload", json.dumps(dict(event.payload), ensure_ascii=False)


def _bodies(call: JournalRow) -> str:
    sent, got = _short(call.request), _short(call.response)
    return f"{sent}\n→ {got}" if got else sent


def _short(body: Any) -> str:
    if body in (None, {}, ""):
        return ""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]} …"
