"""The journal: each write to another system, noted before it is sent and again when it ends.

A row with no end is a write that may have been done: whoever carries the event on looks it
up before writing. A row begins only while the fence holds; its end is a fact, and noted
whoever has the event by then. Reads are not in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.events import FenceLostError
from sync.store.redaction import redacted
from sync.store.tables import sync_attempt, sync_event

# Looked up and deleted within a second also on a slow disk.
_AT_ONCE = 20_000
# One statement, so that no other worker can take the event over between check and writing.
_SENT = text(
    """
    INSERT INTO sync_attempt (event_id, attempt, fence, system, operation, request, sent_at,
                              mapping_version, configuration_hash)
    SELECT id, attempts + 1, fence, :system, :operation, :request, clock_timestamp(),
           coalesce(CAST(:mapping_versions AS jsonb) ->> flow, ''), :configuration_hash
    FROM sync_event WHERE id = :event_id AND fence = :fence AND state = 'working'
    RETURNING id
    """
).bindparams(bindparam("request", type_=sync_attempt.c.request.type))
# What was sent before has been refused since, so its time does not matter any more.
_SENT_AGAIN = text(
    """
    UPDATE sync_attempt SET sent_at = clock_timestamp() FROM sync_event AS event
    WHERE sync_attempt.id = :row
      AND event.id = :event_id AND event.fence = :fence AND event.state = 'working'
    RETURNING sync_attempt.id
    """
)
# Lost in a crash of the database, it costs one look-up.
_ACKED = text(
    """
    WITH call AS (
        UPDATE sync_attempt SET acked_at = clock_timestamp(), status = :status,
            response = :response,
            duration_ms = round(extract(epoch FROM clock_timestamp() - sent_at) * 1000)
        WHERE id = :row RETURNING event_id, fence
    ), further AS (
        UPDATE sync_event AS event SET deaths = 0 FROM call
        WHERE event.id = call.event_id AND event.fence = call.fence
          AND event.state = 'working' AND event.deaths > 0 AND :status > 0
    )
    SELECT set_config('synchronous_commit', 'off', true)
    """
).bindparams(bindparam("response", type_=sync_attempt.c.response.type))
_ROW = sync_attempt.c


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One call.

    Attributes:
        mapping_version: Of the flow's mapping that made the request; in rows of before, the
            program's, such as "0.1.0".
    """

    id: int
    event_id: int
    attempt: int
    system: str
    operation: str
    request: Any
    sent_at: datetime
    acked_at: datetime | None
    status: int | None
    response: Any
    duration_ms: int | None
    mapping_version: str


class Journal:
    """Writes and reads calls.

    Args:
        database: Where they are kept.
        mapping_versions: Of the mapping of each flow.
        configuration_hash: Of the configuration that it mapped by.
    """

    def __init__(
        self,
        database: AsyncEngine,
        *,
        configuration_hash: str,
        mapping_versions: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._database = database
        # The same connections; each statement is a transaction: no round trips around it.
        self._by_statement = database.execution_options(isolation_level="AUTOCOMMIT")
        self.configuration_hash = configuration_hash
        self._made_by = {
            "mapping_versions": json.dumps(dict(mapping_versions)),
            "configuration_hash": configuration_hash,
        }

    async def sent(
        self, event_id: int, fence: int, *, system: str, operation: str, request: Any
    ) -> int:
        """Note that a call is about to be sent; return its row. Raises `FenceLostError`."""
        values = {
            "event_id": event_id,
            "fence": fence,
            "system": system,
            "operation": operation,
            "request": redacted(request),
            **self._made_by,
        }
        async with self._by_statement.connect() as connection:
            row = (await connection.execute(_SENT, values)).scalar()
        if row is None:
            raise FenceLostError(f"event {event_id} was taken over from fence {fence}")
        return int(row)

    async def sent_again(self, event_id: int, fence: int, *, row: int) -> None:
        """Note that a call is about to be sent once more; raises `FenceLostError`."""
        values = {"event_id": event_id, "fence": fence, "row": row}
        async with self._by_statement.connect() as connection:
            if (await connection.execute(_SENT_AGAIN, values)).scalar() is None:
                raise FenceLostError(f"event {event_id} was taken over from fence {fence}")

    async def acked(self, row: int, *, status: int, response: Any) -> None:
        """Note how a call ended: it is a fact, whoever holds the event by now.

        An event that gets further does not keep killing workers, however many died with it.
        """
        values = {"row": row, "status": status, "response": redacted(response)}
        async with self._by_statement.connect() as connection:
            await connection.execute(_ACKED, values)

    async def unacknowledged(self, event_id: int) -> list[JournalRow]:
        """Return the calls of an event that have no end, the oldest first."""
        return [row for row in await self.of_event(event_id) if row.acked_at is None]

    async def of_event(self, event_id: int) -> list[JournalRow]:
        """Return all calls of an event, the oldest first."""
        columns = [_ROW[name] for name in JournalRow.__slots__]
        statement = select(*columns).where(_ROW.event_id == event_id).order_by(_ROW.id)
        rows = await statements.mappings(self._by_statement, statement)
        return [JournalRow(**row) for row in rows]

    async def forget(self, older_than: timedelta, *, flow: str, at_once: int = _AT_ONCE) -> int:
        """Delete the calls of a flow's ended events; return how many.

        In parts, each of which is kept: however many there are, none takes longer than a statement
        may, and what one look did not come to is left to the next.

        Args:
            older_than: How long ago an event must have ended.
            flow: Whose events.
            at_once: Rows that one statement looks at.
        """
        before = func.now() - older_than
        its = select(_ROW.id).where(_ROW.sent_at < before)
        newest = its.order_by(_ROW.sent_at.desc(), _ROW.id.desc())
        last = await statements.value(self._database, newest.limit(1))
        first = await statements.value(self._database, select(func.min(_ROW.id)))
        is_due = exists().where(
            sync_event.c.id == _ROW.event_id,
            sync_event.c.flow == flow,
            sync_event.c.ended_at < before,
        )
        forgotten = 0
        for start in range(first or 0, 0 if last is None else last + 1, at_once):
            part = _ROW.id.between(start, start + at_once - 1)
            statement = delete(sync_attempt).where(part, is_due)
            forgotten += await statements.change(self._database, statement)
        return forgotten
