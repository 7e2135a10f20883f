"""A database as version 0004 of the schema had it, with rows as the program of then wrote them.

async with at_0004(url) as before:
    await before.event("orders", "000000001", "export", state="received", entity_id=1)
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from sync.engine.queue import install
from sync.store import schema

_EVENT = text(
    """
    INSERT INTO sync_event (flow, market, business_key, source_key, lock_key, payload, state,
        depends_on, is_awaited, attempts, fence, due_at, error_kind, error_text, ended_at)
    VALUES (:flow, :market, :number, :source_key, :lock_key, CAST(:payload AS jsonb), :state,
        :depends_on, false, 1, 1, NULL,
        CASE WHEN :state IN ('held', 'blocked') THEN 'Held' END,
        CASE WHEN :state IN ('held', 'blocked') THEN 'was held before' END,
        CASE WHEN :state IN ('done', 'skipped') THEN now() END)
    RETURNING id
    """
)
_JOB = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        :queue, 'carry', 0, :lock, NULL, CAST(:args AS jsonb), NULL
    )::procrastinate_job_to_defer_v1])
    """
)
_CALL = text(
    """
    INSERT INTO sync_attempt (event_id, attempt, fence, system, operation, request, sent_at,
        acked_at, status, response, mapping_version, configuration_hash)
    VALUES (:event, 1, 1, :system, :operation, CAST(:request AS jsonb),
        now() - make_interval(secs => :ago),
        CASE WHEN :is_acked THEN now() END, CASE WHEN :is_acked THEN 200 END,
        CASE WHEN :is_acked THEN CAST('{}' AS jsonb) END, '1', 'c0ffee')
    """
)
# Those are in line; what is stuck, ended or waits for another event is not.
_IN_LINE = ("received", "working", "in_doubt")


@dataclass
class Before:
    """Writes rows."""

    connection: AsyncConnection

    async def event(
        self,
        flow: str,
        number: str,
        suffix: str,
        *,
        state: str,
        market: str = "b2b_de",
        depends_on: int | None = None,
        is_retried: bool = False,
        **payload: Any,
    ) -> int:
        """Enter an event by its document's number, in a state; return its id."""
        key = f"{flow}/{market}/{number}"
        values = {
            "flow": flow,
            "market": market,
            "number": number,
            "source_key": f"{key}/{suffix}" if suffix else key,
            "lock_key": key,
            "payload": json.dumps(payload),
            "state": state,
            "depends_on": depends_on,
        }
        event = int((await self.connection.execute(_EVENT, values)).scalar_one())
        if depends_on is not None:
            await self.connection.execute(
                text("UPDATE sync_event SET is_awaited = true WHERE id = :id"), {"id": depends_on}
            )
        if state in _IN_LINE or is_retried:
            job = {
                "queue": f"{flow}.{market}",
                "lock": key,
                "args": json.dumps({"event_id": event}),
            }
            await self.connection.execute(_JOB, job)
        return event

    async def call(
        self,
        event: int,
        operation: str,
        *,
        ago: float = 120,
        is_acked: bool = False,
        system: str = "fo",
        **request: Any,
    ) -> None:
        """Journal a call that was sent some seconds ago; without an end unless it is acked."""
        values = {
            "event": event,
            "system": system,
            "operation": operation,
            "request": json.dumps(request),
            "ago": ago,
            "is_acked": is_acked,
        }
        await self.connection.execute(_CALL, values)

    async def link(self, kind: str, magento_id: int, erp_key: str, market: str = "b2b_de") -> None:
        """Add to the entity map."""
        statement = "INSERT INTO entity_map (market, kind, magento_id, erp_key)"
        values = {"market": market, "kind": kind, "id": str(magento_id), "key": erp_key}
        await self.connection.execute(
            text(f"{statement} VALUES (:market, :kind, :id, :key)"), values
        )

    async def mark(self, name: str, value: str) -> None:
        """Keep a watermark."""
        statement = "INSERT INTO watermark (name, format, value) VALUES (:name, 1, :value)"
        await self.connection.execute(text(statement), {"name": name, "value": value})


@asynccontextmanager
async def at_0004(url: str) -> AsyncIterator[Before]:
    """Make the schema of then in an empty database, and commit what is written to it."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
            await install(connection)
            yield Before(connection)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0004")
