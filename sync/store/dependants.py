"""Who waits for whom: events behind an earlier one of their lock, or for what they need first.

An event in `waiting` or `blocked` whose `depends_on` names another comes back when that one
ends; while that one is stuck, it is blocked.
"""

from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.store.document_keys import document_key, number_key
from sync.store.lines import Queue, Urgency, Waiting
from sync.store.records import (
    EventRecord,
    Trouble,
    locked_event,
    trouble_columns,
)
from sync.store.states import ENDED, STUCK, EventState
from sync.store.tables import sync_event

_EVENT = sync_event.c
_ENDED = tuple(state.value for state in ENDED)


async def ahead_of(connection: AsyncConnection, event: EventRecord) -> EventRecord | None:
    """Return the last unfinished event of the same lock that was entered earlier.

    One that is known by its number only may be of any document with that number.
    """
    # Locked, as it must not end between this look and the parking behind it.
    return await locked_event(
        connection,
        _EVENT.lock_key.in_((event.lock_key, _number_key(event))),
        _EVENT.id < event.id,
        _EVENT.state.not_in(_ENDED),
    )


async def under_way(
    connection: AsyncConnection, flow: str, market: str, *, document_id: str, number: str
) -> EventRecord | None:
    """Return the last unfinished event of a document, locked.

    One that is known by its number only is waited for as well: it may be the document's.
    """
    is_unknown = and_(_EVENT.document_id.is_(None), _EVENT.business_key == number)
    return await locked_event(
        connection,
        _EVENT.flow == flow,
        _EVENT.market == market,
        or_(_EVENT.document_id == document_id, is_unknown),
        _EVENT.state.not_in(_ENDED),
    )


async def keys_of_document(
    connection: AsyncConnection, event: EventRecord, document_id: str
) -> dict[str, str]:
    """Return the columns by which an event is a document's, where only its number was known.

    Its source key becomes the document's too, so that no source enters it once more; where one
    has done so already, both stay, one behind the other.
    """
    key = document_key(event.flow, event.market, document_id)
    keys = {"document_id": document_id, "lock_key": key}
    task = event.source_key.removeprefix(_number_key(event))
    taken = select(_EVENT.id).where(_EVENT.source_key == f"{key}{task}")
    if task != event.source_key and (await connection.execute(taken)).scalar() is None:
        keys["source_key"] = f"{key}{task}"
    return keys


async def park(connection: AsyncConnection, event_id: int, *, behind: EventRecord) -> None:
    """Have an event wait behind an earlier one, visibly blocked where that one is stuck."""
    waiting = await waiting_for(connection, behind)
    await connection.execute(
        update(sync_event).where(_EVENT.id == event_id).values(changed_at=func.now(), **waiting)
    )
    if behind.state in STUCK:
        await block_dependants(connection, event_id)


async def waiting_for(connection: AsyncConnection, dependency: EventRecord) -> dict[str, Any]:
    """Return the columns of an event that waits for one that the caller has locked."""
    await connection.execute(
        update(sync_event).where(_EVENT.id == dependency.id).values(is_awaited=True)
    )
    state = EventState.BLOCKED if dependency.state in STUCK else EventState.WAITING
    return {"state": state, "depends_on": dependency.id}


async def block_dependants(connection: AsyncConnection, event_id: int) -> None:
    """Block whoever waits for a stuck event, and whoever waits for those."""
    blocked = [event_id]
    while blocked:
        statement = (
            update(sync_event)
            .where(_EVENT.depends_on.in_(blocked), _EVENT.state == EventState.WAITING)
            .values(state=EventState.BLOCKED, changed_at=func.now())
            .returning(_EVENT.id)
        )
        blocked = list((await connection.execute(statement)).scalars())


async def wake_dependants(connection: AsyncConnection, queue: Queue, event_id: int) -> None:
    """Put whoever waited for an ended event back in line, in their order."""
    statement = (
        update(sync_event)
        .where(
            _EVENT.depends_on == event_id,
            _EVENT.state.in_((EventState.WAITING, EventState.BLOCKED)),
        )
        .values(state=EventState.RECEIVED, depends_on=None, due_at=None, changed_at=func.now())
        .returning(_EVENT.id, _EVENT.flow, _EVENT.market, _EVENT.lock_key)
    )
    woken = sorted(Waiting(*row) for row in await connection.execute(statement))
    await queue.put(connection, woken, Urgency.FRESH)


def _number_key(event: EventRecord) -> str:
    return number_key(event.flow, event.market, event.business_key)


async def hold_killer(connection: AsyncConnection, event: EventRecord) -> None:
    """Hold an event with which one worker after the other ended."""
    trouble = Trouble(
        kind="WorkerDied",
        text=f"{event.deaths} workers in a row ended with it and got no further",
        advice="look into the workers' logs at these instants, then replay it",
    )
    await connection.execute(
        update(sync_event)
        .where(_EVENT.id == event.id)
        .values(state=EventState.HELD, deaths=0, changed_at=func.now(), **trouble_columns(trouble))
    )
    await block_dependants(connection, event.id)


def waits_for_another(event: EventRecord) -> bool:
    """Return whether an event goes on when another is done, and not before."""
    return event.depends_on is not None and event.state is EventState.WAITING
