"""The durable queue: procrastinate on the database that holds the events.

A job carries an event's id and nothing else; the event's own row says everything, so a job
that runs twice, too early or too late does no harm. One queue for each flow and market, so
that each can be paused alone; one lock for each document, held during back-off, so that the
events of one document are carried in order. Who goes first says `sync.store.lines`; whoever
comes back goes behind those that were not tried yet.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import procrastinate
import psycopg
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.jobs import Job
from psycopg import AsyncConnection as AsyncConnectionOfDriver
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.engine.database_health import DatabaseHealth
from sync.engine.lost_connections import KEEP_ALIVE, refuse_lost
from sync.engine.outages import Outages
from sync.engine.own_jobs import OwnJobs
from sync.store.lines import Urgency, Waiting

_TASK = "carry"
# What becomes due wakes nobody, so it is found by asking.
POLL_SECONDS = 0.25
# A worker that says nothing for this long is dead, and what it carried goes to others.
HEARTBEAT_SECONDS, LEASE_SECONDS = 5.0, 20.0
# The library tells of each job; a job's failure is the event's state, not news for a log.
logging.getLogger("procrastinate").setLevel(logging.WARNING)
# Each attempt to reach a database that is away; `own_jobs` says when it went and came back.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)

_PUT = text(
    """
    SELECT procrastinate_defer_jobs_v1(array_agg(ROW(
        job.queue, :task, :priority, job.lock, NULL,
        jsonb_build_object('event_id', job.event_id), NULL
    )::procrastinate_job_to_defer_v1 ORDER BY job.place))
    FROM jsonb_to_recordset(CAST(:jobs AS jsonb))
        AS job (place int, queue text, lock text, event_id bigint)
    """
)
_LIFT = text(
    """
    UPDATE procrastinate_jobs SET priority = :priority
    WHERE CAST(args->>'event_id' AS bigint) = :event_id AND status = 'todo'
        AND priority < :priority
    """
)
# By the event, so that the sweep finds the events that no job will bring.
_INDEX = text(
    """
    CREATE INDEX IF NOT EXISTS sync_job_by_event
    ON procrastinate_jobs ((CAST(args->>'event_id' AS bigint)))
    WHERE status IN ('todo', 'doing')
    """
)
# The library looks for earlier jobs of the same lock in each fetch.
_LOCK_INDEX = text(
    """
    CREATE INDEX IF NOT EXISTS sync_job_by_lock ON procrastinate_jobs (lock, id)
    WHERE status IN ('todo', 'doing')
    """
)
# A queue that forgets its last moments in a crash brings events again, and they are fenced;
# `own_jobs` finds what it believes of a worker that knows better.
_OPTIONS = "-c synchronous_commit=off -c statement_timeout=30000"
# The library notes each change of a job in a table of its own; our events and journal say more.
_NO_HISTORY = text(
    """
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT tgname FROM pg_trigger
            WHERE tgrelid = 'procrastinate_jobs'::regclass AND NOT tgisinternal
              AND (tgname LIKE '%status_events%' OR tgname LIKE '%scheduled_events%')
        LOOP EXECUTE format('DROP TRIGGER %I ON procrastinate_jobs', name); END LOOP;
    END $$
    """
)
_HAS_SCHEMA = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Lease:
    """When a worker counts as dead: silent for `seconds`, though it speaks each `heartbeat`."""

    heartbeat: float = HEARTBEAT_SECONDS
    seconds: float = LEASE_SECONDS


USUAL_LEASE = Lease()


class ComeBackError(Exception):
    """The job is to be brought again; its event says why.

    Attributes:
        due_at: When, None for at once.
    """

    def __init__(self, due_at: datetime | None) -> None:
        super().__init__("to be brought again")
        self.due_at = due_at


class JobQueue:
    """Puts events in line, within the caller's transaction: `sync.store.lines.Queue`."""

    async def put(
        self, connection: AsyncConnection, events: Sequence[Waiting], urgency: Urgency
    ) -> None:
        """Put events in line, in their order; workers see them when the transaction ends."""
        if not events:
            return
        jobs = [
            {
                "place": place,
                "queue": queue_name(each.flow, each.market),
                "lock": each.lock_key,
                "event_id": each.event_id,
            }
            for place, each in enumerate(events)
        ]
        values = {"task": _TASK, "priority": int(urgency), "jobs": json.dumps(jobs)}
        await connection.execute(_PUT, values)

    async def lift(self, connection: AsyncConnection, event_id: int, urgency: Urgency) -> None:
        """Have an event that waits in line wait with those of an urgency, if that is higher."""
        await connection.execute(_LIFT, {"event_id": event_id, "priority": int(urgency)})


def queue_name(flow: str, market: str) -> str:
    """Return the name of the line in which a flow's events of a market wait."""
    return f"{flow}.{market}"


async def install(connection: AsyncConnection) -> None:
    """Create the queue's tables where there are none, in the caller's transaction."""
    if not (await connection.execute(_HAS_SCHEMA)).scalar():
        # Without parameters the driver takes many statements at once; a % would begin one.
        statements = procrastinate.schema.SchemaManager.get_schema().replace("%", "%%")
        await connection.exec_driver_sql(statements)
        await connection.execute(_NO_HISTORY)
    await connection.execute(_INDEX)
    await connection.execute(_LOCK_INDEX)


class _AsTheEventSays(BaseRetryStrategy):
    """Brings a job again when its event says so, with its lock held until then."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002 -- procrastinate's signature
        if isinstance(exception, ComeBackError):
            return RetryDecision(retry_at=exception.due_at)
        # A database that went away, or a defect: the event is as it was, so try again.
        return RetryDecision(retry_in={"seconds": 2})


def queue_application(
    database_url: str,
    carry: Callable[[int], Awaitable[None]],
    *,
    connections: int,
    outages: Outages | None = None,
    health: DatabaseHealth | None = None,
) -> procrastinate.App:
    """Return the queue's application; open it before use.

    Args:
        database_url: `postgresql://` address with its password.
        carry: Carries one event; raises `ComeBackError`.
        connections: To the database, at most.
        outages: Which lines rest; None where none does.
        health: Whether the database is well; None where nobody else looks.
    """
    connector = procrastinate.PsycopgConnector(
        conninfo=make_conninfo(database_url, options=_OPTIONS, **KEEP_ALIVE),
        min_size=1,
        max_size=connections,
        timeout=10,
        # Whoever waits is served a second after the database is back: the pool's own pauses
        # double up to minutes.
        reconnect_timeout=2,
        reconnect_failed=_try_again,
        pool_factory=_pool,
        # Each statement is whole in itself: no round trips for a beginning and an end.
        configure=_commit_each_statement,
    )
    app = procrastinate.App(connector=connector)
    app.job_manager = OwnJobs(connector, outages=outages, health=health)

    @app.task(name=_TASK, retry=_AsTheEventSays(), pass_context=True)
    async def carry_job(_: JobContext, *, event_id: int) -> None:
        await carry(event_id)

    return app


def _pool(**options: Any) -> AsyncConnectionPool:
    # The library would ask the server before each statement whether it is still there.
    async def refuse(connection: AsyncConnectionOfDriver) -> None:
        try:
            await refuse_lost(connection)
        except psycopg.OperationalError:
            # They all went the same way, and the pool pauses after each that it finds lost.
            await pool.check()
            raise

    pool = AsyncConnectionPool(**{**options, "check": refuse})
    return pool


async def _try_again(pool: AsyncConnectionPool) -> None:
    # The pool has given one up, and would open another only for whoever asks next.
    await pool.resize(0, pool.max_size)
    await pool.resize(1, pool.max_size)


async def _commit_each_statement(connection: AsyncConnectionOfDriver) -> None:
    await connection.set_autocommit(True)


def worker_options(
    flow: str, market: str, *, concurrency: int, lease: Lease = USUAL_LEASE
) -> dict[str, Any]:
    """Return how the worker of a flow and market runs."""
    return {
        "queues": [queue_name(flow, market)],
        "name": queue_name(flow, market),
        "concurrency": concurrency,
        "fetch_job_polling_interval": POLL_SECONDS,
        "update_heartbeat_interval": lease.heartbeat,
        "stalled_worker_timeout": lease.seconds,
        # Our tables hold what became of an event; ended jobs would only slow the queue down.
        "delete_jobs": "always",
        "install_signal_handlers": False,
    }
