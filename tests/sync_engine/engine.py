"""The real store and runner, with jobs brought by hand instead of by a worker.

engine = Engine(database)
event = await engine.receive("100000201")
await engine.carry(event)
assert await engine.state(event) is EventState.DONE
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.clock import SystemClock
from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.engine.queue import ComeBackError, JobQueue
from sync.engine.runner import Runner
from sync.engine.sweep import Sweep
from sync.store.events import EventStore
from sync.store.interventions import Interventions
from sync.store.journal import Journal
from sync.store.lines import Urgency
from sync.store.overview import Overview
from sync.store.records import EventRecord
from sync.store.states import EventState

MARKET = "b2b_de"
_NO_JOBS = "DELETE FROM procrastinate_jobs WHERE CAST(args->>'event_id' AS bigint) = :id"
# Of a worker that is not there any more.
_BEGUN = (
    "UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL"
    " WHERE CAST(args->>'event_id' AS bigint) = :id"
)
Carry = Callable[[Work], Awaitable[Done]]


async def succeed(_: Work) -> Done:
    """Carry anything."""
    return Done("done")


@dataclass
class ScriptedFlow:
    """Does what a test says."""

    name: str
    carry_with: Carry = succeed
    carried: list[str] = field(default_factory=list)

    async def carry(self, work: Work) -> Done:
        self.carried.append(work.event.business_key)
        return await self.carry_with(work)


class Engine:
    """An engine over a database."""

    def __init__(self, database: AsyncEngine, *, give_up_after: int = 20) -> None:
        self.database = database
        self.queue = JobQueue()
        self.events = EventStore(database, self.queue)
        self.journal = Journal(
            database, configuration_hash="c0ffee", mapping_versions={"orders": 1}
        )
        self.overview = Overview(database)
        self.interventions = Interventions(database, self.queue)
        self.orders = ScriptedFlow("orders")
        self.customers = ScriptedFlow("customers")
        self.runner = Runner(
            database=database,
            events=self.events,
            journal=self.journal,
            flows={"orders": self.orders, "customers": self.customers},
            clock=SystemClock(),
            give_up_after=give_up_after,
        )

    async def receive(
        self,
        key: str,
        *,
        task: str = "export",
        lock: str | None = None,
        document: str | None = None,
        **more: Any,
    ) -> int:
        """Enter an event of an order, known by its number unless told more; return its id."""
        source_key = f"orders/{MARKET}/{key}/{task}"
        await self.events.receive(
            flow="orders",
            market=MARKET,
            business_key=key,
            document_id=document,
            source_key=source_key,
            payload={"task": task, **more},
            lock_key=lock or f"orders/{MARKET}/{key}",
        )
        async with self.database.connect() as connection:
            found = await connection.execute(
                text("SELECT id FROM sync_event WHERE source_key = :key"), {"key": source_key}
            )
            return int(found.scalar_one())

    async def carry(self, event_id: int) -> datetime | None:
        """Carry an event once; return when it is to be brought again."""
        try:
            await self.runner.carry(event_id)
        except ComeBackError as error:
            return error.due_at
        return None

    async def event(self, event_id: int) -> EventRecord:
        """Return an event as it is."""
        found = await self.overview.event(event_id)
        assert found is not None
        return found

    async def state(self, event_id: int) -> EventState:
        """Return an event's state."""
        return (await self.event(event_id)).state

    async def make_due(self, event_id: int) -> None:
        """Let the event's pause be over."""
        await self.execute("UPDATE sync_event SET due_at = NULL WHERE id = :id", id=event_id)

    async def jobs(self) -> list[int]:
        """Return the events that have a job waiting, in the order they would be brought."""
        async with self.database.connect() as connection:
            rows = await connection.execute(
                text(
                    "SELECT CAST(args->>'event_id' AS bigint) FROM procrastinate_jobs"
                    " WHERE status = 'todo' ORDER BY priority DESC, id"
                )
            )
            return [int(row[0]) for row in rows]

    async def drop_job(self, event_id: int) -> None:
        """Take an event's job out of the line, as a worker does."""
        await self.execute(
            "DELETE FROM procrastinate_jobs WHERE CAST(args->>'event_id' AS bigint) = :id",
            id=event_id,
        )

    async def drop_jobs(self) -> None:
        """Lose every job, as if a late worker had ended them."""
        await self.execute("DELETE FROM procrastinate_jobs")

    async def lose_lease(self, event_id: int) -> None:
        """Let the worker of a claimed event end in the middle, and the sweep find out."""
        event = await self.event(event_id)
        await self.execute(_NO_JOBS, id=event_id)
        async with self.database.begin() as connection:
            await self.queue.put(connection, [event.waiting], Urgency.BACKLOG)
        await self.execute(_BEGUN, id=event_id)
        await Sweep(self.database, self.queue).sweep()

    async def execute(self, statement: str, **values: Any) -> None:
        """Change the database behind the engine's back."""
        async with self.database.begin() as connection:
            await connection.execute(text(statement), values)
