"""Enter an event and put it in line, within a transaction of the caller's."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.store.dependants import under_way
from sync.store.lines import Queue
from sync.store.records import EventRecord, locked_event
from sync.store.states import EventState
from sync.store.tables import sync_event


async def enter(connection: AsyncConnection, queue: Queue, values: Mapping[str, Any]) -> int | None:
    """Enter an event and return its id, None where one of its source key is there."""
    statement = (
        insert(sync_event)
        .values(state=EventState.RECEIVED, **values)
        .on_conflict_do_nothing(index_elements=["source_key"])
        .returning(sync_event.c.id)
    )
    event_id = (await connection.execute(statement)).scalar()
    if event_id is None:
        return None
    await queue.put(
        connection,
        event_id=event_id,
        flow=values["flow"],
        market=values["market"],
        lock_key=values["lock_key"],
        due_at=None,
    )
    return int(event_id)


async def under_way_or_entered(
    connection: AsyncConnection, queue: Queue, needed: Mapping[str, Any]
) -> EventRecord | None:
    """Return a document's event, locked; None where an equal one was entered and has ended."""
    found = await under_way(
        connection,
        needed["flow"],
        needed["market"],
        document_id=needed["document_id"],
        number=needed["business_key"],
    )
    if found is not None:
        return found
    event_id = await enter(connection, queue, needed)
    return None if event_id is None else await locked_event(connection, sync_event.c.id == event_id)
