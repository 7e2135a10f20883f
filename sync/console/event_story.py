"""Read all that is known of one event."""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.serve.stores import Stores
from sync.store.audit_trail import AuditEntry
from sync.store.journal import JournalRow
from sync.store.records import EventRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStory:
    """An event with its calls, who waits for it, and what people did to it."""

    event: EventRecord
    calls: Sequence[JournalRow]
    dependants: Sequence[EventRecord]
    audit: Sequence[AuditEntry]


async def read_event(opened: Stores, event_id: int) -> EventStory | None:
    """Return an event's story, None when there is no such event."""
    event = await opened.overview.event(event_id)
    return None if event is None else await story_of(opened, event)


async def story_of(opened: Stores, event: EventRecord) -> EventStory:
    """Return an event's story."""
    return EventStory(
        event=event,
        calls=await opened.journal.of_event(event.id),
        dependants=await opened.overview.dependants(event.id),
        audit=await opened.audit.of_event(event.id),
    )
