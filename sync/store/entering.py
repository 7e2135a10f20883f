"""Enter events and put them in line, within a transaction of the caller's."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.plain_texts import plain_json
from sync.store.dependants import under_way
from sync.store.lines import Queue, Urgency, Waiting
from sync.store.records import EventRecord, locked_event
from sync.store.states import EventState
from sync.store.tables import sync_event


async def enter_all(
    connection: AsyncConnection,
    queue: Queue,
    events: Sequence[Mapping[str, Any]],
    urgency: Urgency,
) -> list[int]:
    """Enter events, each source key once, and return the ids of those that are new.

    One that somebody tells of, and that is there already, goes before what nobody waits for.
    """
    # As the columns keep them, or their keys would not be found again.
    events = [plain_json(event) for event in events]
    # Two pages that hold the same ones would wait for each other, but in the same order; the
    # events of one document stay in theirs.
    ordered = sorted(events, key=lambda event: str(event["lock_key"]))
    statement = (
        insert(sync_event)
        .values([{"state": EventState.RECEIVED, **event} for event in ordered])
        .on_conflict_do_nothing(index_elements=["source_key"])
        .returning(sync_event.c.id, sync_event.c.source_key)
    )
    found = {row.source_key: int(row.id) for row in await connection.execute(statement)}
    new = dict.fromkeys(key for event in events if (key := event["source_key"]) in found)
    by_key = {event["source_key"]: event for event in events}
    waiting = [
        Waiting(found[key], by_key[key]["flow"], by_key[key]["market"], by_key[key]["lock_key"])
        for key in new
    ]
    await queue.put(connection, waiting, urgency)
    if urgency is Urgency.HINTED:
        for event in events:
            if event["source_key"] not in found:
                await _lift(connection, queue, event["source_key"])
    return [each.event_id for each in waiting]


async def _lift(connection: AsyncConnection, queue: Queue, source_key: str) -> None:
    known = select(sync_event.c.id).where(sync_event.c.source_key == source_key)
    if (event_id := (await connection.execute(known)).scalar()) is not None:
        await queue.lift(connection, event_id, Urgency.HINTED)


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
        await queue.lift(connection, found.id, Urgency.HINTED)
        return found
    entered = await enter_all(connection, queue, [needed], Urgency.HINTED)
    return await locked_event(connection, sync_event.c.id == entered[0]) if entered else None
