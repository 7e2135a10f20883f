"""The durable queue: procrastinate on the database that holds the events.

A job carries an event's id and nothing else; the event's own row says everything, so a job
that runs twice, too early or too late does no harm. One queue for each flow and market, so
that each can be paused alone; one lock for each document, held during back-off, so that the
events of one document are carried in order.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import procrastinate
from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.jobs import Job
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_TASK = "carry"
# Ending a job wakes nobody, so the next of its lock is found by asking; six in a row then
# cost a second and a half at most.
POLL_SECONDS = 0.25
# A worker that says nothing for this long is dead, and what it carried goes to others.
HEARTBEAT_SECONDS, LEASE_SECONDS = 5.0, 20.0
# The library tells of each job; a job's failure is the event's state, not news for a log.
logging.getLogger("procrastinate").setLevel(logging.WARNING)

_PUT = text(
    """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        :queue, :task, 0, :lock, NULL, CAST(:args AS jsonb), CAST(:due_at AS timestamptz)
    )::procrastinate_job_to_defer_v1])
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
_HAS_SCHEMA = text("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")


class ComeBackError(Exception):
    """The job is to be brought again; its event says why.

    Attributes:
        due_at: When, None for at once.
    """

    def __init__(self, due_at: datetime | None) -> None:
        super().__init__("to be brought again")
        self.due_at = due_at


class JobQueue:
    """Puts events in line, within the caller's transaction: `sync.store.events.Queue`."""

    async def put(
        self,
        connection: AsyncConnection,
        *,
        event_id: int,
        flow: str,
        market: str,
        lock_key: str,
        due_at: datetime | None,
    ) -> None:
        """Put an event in line; it is seen by workers when the transaction ends."""
        values = {
            "queue": queue_name(flow, market),
            "task": _TASK,
            "lock": lock_key,
            "args": json.dumps({"event_id": event_id}),
            "due_at": due_at,
        }
        await connection.execute(_PUT, values)


def queue_name(flow: str, market: str) -> str:
    """Return the name of the line in which a flow's events of a market wait."""
    return f"{flow}.{market}"


async def install(connection: AsyncConnection) -> None:
    """Create the queue's tables where there are none, in the caller's transaction."""
    if not (await connection.execute(_HAS_SCHEMA)).scalar():
        # Without parameters the driver takes many statements at once; a % would begin one.
        statements = procrastinate.schema.SchemaManager.get_schema().replace("%", "%%")
        await connection.exec_driver_sql(statements)
    await connection.execute(_INDEX)


class _AsTheEventSays(BaseRetryStrategy):
    """Brings a job again when its event says so, with its lock held until then."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002 -- procrastinate's signature
        if isinstance(exception, ComeBackError):
            return RetryDecision(retry_at=exception.due_at)
        # A database that went away, or a defect: the event is as it was, so try again.
        return RetryDecision(retry_in={"seconds": 2})


def queue_application(
    database_url: str, carry: Callable[[int], Awaitable[None]], *, connections: int
) -> procrastinate.App:
    """Return the queue's application; open it before use.

    Args:
        database_url: `postgresql://` address with its password.
        carry: Carries one event; raises `ComeBackError`.
        connections: To the database, at most.
    """
    connector = procrastinate.PsycopgConnector(
        conninfo=database_url, min_size=1, max_size=connections, timeout=10
    )
    app = procrastinate.App(connector=connector)

    @app.task(name=_TASK, retry=_AsTheEventSays(), pass_context=True)
    async def carry_job(_: JobContext, *, event_id: int) -> None:
        await carry(event_id)

    return app


def worker_options(flow: str, market: str, *, concurrency: int) -> dict[str, Any]:
    """Return how the worker of a flow and market runs."""
    return {
        "queues": [queue_name(flow, market)],
        "name": queue_name(flow, market),
        "concurrency": concurrency,
        "fetch_job_polling_interval": POLL_SECONDS,
        "update_heartbeat_interval": HEARTBEAT_SECONDS,
        "stalled_worker_timeout": LEASE_SECONDS,
        # Our tables hold what became of an event; ended jobs would only slow the queue down.
        "delete_jobs": "always",
        "install_signal_handlers": False,
    }
