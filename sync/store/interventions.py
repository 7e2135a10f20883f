"""What people do to events by hand: replay, skip, edit. Every one is audited.

replay   of a held, waiting or in-doubt event: from the start, with a new retry budget;
         what is known of its earlier calls stays in the journal, so nothing is written twice
skip     of an event that is not under way: its dependants go on, the reason is kept
edit     of such an event's payload, before a replay
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.store.dependants import wake_dependants
from sync.store.lines import Queue, Urgency
from sync.store.records import EventRecord, locked_event, trouble_columns
from sync.store.states import ENDED, EventState
from sync.store.tables import audit, sync_event

_EVENT = sync_event.c
_NO_TROUBLE = trouble_columns(None)


class InterventionError(Exception):
    """The event is not in a state in which this can be done; the text says why."""


class Interventions:
    """Changes events on a person's behalf.

    Args:
        database: Where they are kept.
        queue: Where they wait for a worker.
    """

    def __init__(self, database: AsyncEngine, queue: Queue) -> None:
        self._database = database
        self._queue = queue

    async def replay(self, event_id: int, *, by: str) -> None:
        """Put an event back in line; raises `InterventionError`."""
        async with self._database.begin() as connection:
            event = await self._stopped(connection, event_id)
            if event.state is EventState.BLOCKED:
                raise InterventionError(
                    f"event {event_id} is behind event {event.depends_on}: replay that one"
                )
            await self._change(
                connection,
                event,
                state=EventState.RECEIVED,
                attempts=0,
                deaths=0,
                due_at=None,
                depends_on=None,
                **_NO_TROUBLE,
            )
            # A thousand at once are possible: not before what somebody waits for.
            await self._queue.put(connection, [event.waiting], Urgency.FRESH)
            await self._audit(connection, by, "replay", event, after={"state": "received"})

    async def skip(self, event_id: int, *, reason: str, by: str) -> None:
        """End an event without carrying it; raises `InterventionError`."""
        async with self._database.begin() as connection:
            event = await self._stopped(connection, event_id)
            await self._change(
                connection,
                event,
                state=EventState.SKIPPED,
                note=f"skipped by {by}: {reason}",
                due_at=None,
                ended_at=func.now(),
            )
            await wake_dependants(connection, self._queue, event.id)
            await self._audit(connection, by, "skip", event, after={"reason": reason})

    async def edit(self, event_id: int, payload: Mapping[str, Any], *, by: str) -> None:
        """Replace a stopped event's payload; raises `InterventionError`."""
        async with self._database.begin() as connection:
            event = await self._stopped(connection, event_id)
            await self._change(connection, event, payload=dict(payload))
            await self._audit(connection, by, "edit", event, after=dict(payload))

    async def _stopped(self, connection: AsyncConnection, event_id: int) -> EventRecord:
        event = await locked_event(connection, _EVENT.id == event_id)
        if event is None:
            raise InterventionError(f"there is no event {event_id}")
        if event.state in ENDED:
            raise InterventionError(f"event {event_id} is {event.state} already")
        if event.state in (EventState.WORKING, EventState.RECEIVED):
            raise InterventionError(
                f"event {event_id} is under way; look again when it has stopped"
            )
        return event

    async def _change(self, connection: AsyncConnection, event: EventRecord, **values: Any) -> None:
        await connection.execute(
            update(sync_event)
            .where(_EVENT.id == event.id)
            .values({"changed_at": func.now(), **values})
        )

    async def _audit(
        self,
        connection: AsyncConnection,
        by: str,
        action: str,
        event: EventRecord,
        *,
        after: Mapping[str, Any],
    ) -> None:
        before = {"state": event.state.value, "payload": dict(event.payload)}
        subject = f"event {event.id}: {event.flow} {event.name}"
        await connection.execute(
            insert(audit).values(
                who=by, action=action, subject=subject, before=before, after=dict(after)
            )
        )
