"""A worker's jobs, on a database that may go away, and forget its last moments when it crashes.

The queue's commits are not waited for on the disk (`queue`), so after a crash the database
may believe that a worker still carries a job which it has ended. A worker therefore says
with each heartbeat which jobs it has in hand.

    database away                    the worker asks again; what it carries goes on
    job that is the worker's in the database and not in its hand
                                     back in line with the next heartbeat: its end was
                                     forgotten, or the answer that brought it was lost
    job whose event is not at its end after all
                                     back in line instead of ended: the event's end was forgotten
    job that is brought though it is in hand
                                     not begun twice: that it was brought before was forgotten
    worker that counts as dead       its next fetch raises; it is started again as another one
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import ConnectorException, ProcrastinateException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager, NotificationCallback

from pricing_proxy.clock import SystemClock
from sync.engine.database_health import DatabaseHealth
from sync.engine.outages import Outages
from sync.store.lines import Urgency

_log = logging.getLogger(__name__)

# What the database is needed for here.
_PART = "the queue"

# On the disk before it is used: a number that a crash took back would be given out twice, and
# two workers would return each other's jobs.
_REGISTER = """
    INSERT INTO procrastinate_workers DEFAULT VALUES
    RETURNING id, set_config('synchronous_commit', 'on', true)
"""
_HEARTBEAT = """
    WITH alive AS (
        UPDATE procrastinate_workers SET last_heartbeat = now() WHERE id = %(worker_id)s
        RETURNING id
    ), forgotten AS (
        UPDATE procrastinate_jobs
        SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL, worker_id = NULL
        WHERE worker_id = %(worker_id)s AND status = 'doing'
            AND id <> ALL(CAST(%(in_hand)s AS bigint[]))
        RETURNING id
    )
    SELECT (SELECT count(*) FROM alive) AS alive, (SELECT count(*) FROM forgotten) AS forgotten
"""
# The library's own way to end a job neither looks whose it is, nor what became of its event,
# nor wakes the next of its lock.
_END = """
    WITH mine AS MATERIALIZED (
        SELECT job.id, job.lock, EXISTS (
            SELECT 1 FROM sync_event WHERE id = CAST(job.args->>'event_id' AS bigint)
                AND (state IN ('received', 'working', 'in_doubt')
                     OR (state = 'waiting' AND depends_on IS NULL))
        ) AS goes_on
        FROM procrastinate_jobs AS job
        WHERE job.id = %(id)s AND job.status = 'doing'
            AND job.worker_id IS NOT DISTINCT FROM %(worker_id)s
        FOR UPDATE OF job
    ), ended AS (
        DELETE FROM procrastinate_jobs AS job USING mine WHERE job.id = mine.id AND NOT goes_on
    ), again AS (
        UPDATE procrastinate_jobs AS job
        SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL
        FROM mine WHERE job.id = mine.id AND goes_on
    ), freed AS (
        SELECT job.id, job.queue_name FROM procrastinate_jobs AS job
        JOIN mine ON job.lock = mine.lock AND job.id > mine.id
        WHERE job.status = 'todo' AND NOT goes_on ORDER BY job.id LIMIT 1
    )
    SELECT pg_notify('procrastinate_queue_v1#' || queue_name,
        json_build_object('type', 'job_inserted', 'job_id', id)::text) FROM freed
"""
_AGAIN = """
    UPDATE procrastinate_jobs
    SET status = 'todo', attempts = attempts + 1, scheduled_at = %(at)s, priority = %(priority)s
    WHERE id = %(id)s AND status = 'doing' AND worker_id IS NOT DISTINCT FROM %(worker_id)s
"""
_TRY_AGAIN_SECONDS = 0.5
# As long as a switch of the database to its standby may take.
_MOST_TRIES = 180


class WorkerForgottenError(ProcrastinateException):
    """The database does not know this worker any more, and has given its jobs to others."""


class _Worker:
    """What a worker has in hand; whoever holds `asking` alone asks about its jobs."""

    def __init__(self) -> None:
        self.asking = asyncio.Lock()
        self.jobs: dict[int, Job] = {}
        self.is_forgotten = False


class OwnJobs(JobManager):
    """Fetches for a worker, and ends and puts back only what is still that worker's."""

    def __init__(
        self,
        connector: BaseAsyncConnector,
        *,
        outages: Outages | None = None,
        health: DatabaseHealth | None = None,
    ) -> None:
        """Take the queue's connections.

        Args:
            connector: To the database.
            outages: Which lines rest; None where none does.
            health: Whether the database is well; None where nobody else looks.
        """
        super().__init__(connector)
        now_us = SystemClock().monotonic_us
        self._outages = outages or Outages(now_us)
        self._health = health or DatabaseHealth(now_us)
        self._workers: dict[int, _Worker] = {}

    async def register_worker(self) -> int:
        """Return the number of a new worker; raises `ConnectorException`."""
        row = await self.connector.execute_query_one_async(_REGISTER)
        self._workers[row["id"]] = _Worker()
        return int(row["id"])

    async def unregister_worker(self, worker_id: int) -> None:
        """Remove an ended worker; raises `ConnectorException`."""
        self._workers.pop(worker_id, None)
        await super().unregister_worker(worker_id)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Return the worker's next job; None also while the database is away or its line rests.

        Raises:
            WorkerForgottenError: The worker counts as dead: it was silent for its lease.
        """
        worker = self._workers[worker_id]
        async with worker.asking:
            if worker.is_forgotten:
                raise WorkerForgottenError(f"worker {worker_id} was silent for too long")
            lines = list(queues or ())
            if not all(map(self._outages.may_begin, lines)):
                return None
            try:
                job = await super().fetch_job(lines or None, worker_id)
            except ConnectorException as error:
                self._note_away(error)
                return None
            self._health.well(_PART)
            if job is None or job.id is None or job.id in worker.jobs:
                return None
            worker.jobs[job.id] = job
        for line in lines:
            self._outages.begun(line)
        return job

    async def update_heartbeat(self, worker_id: int) -> None:
        """Say that a worker lives, and put back what it does not know of."""
        worker = self._workers[worker_id]
        # No fetch goes on meanwhile, whose job would look forgotten.
        async with worker.asking:
            try:
                row = await self.connector.execute_query_one_async(
                    _HEARTBEAT, worker_id=worker_id, in_hand=list(worker.jobs)
                )
            except ConnectorException as error:
                self._note_away(error)
                return
        # Not raised here: the library watches its heartbeat only until its first task has ended.
        worker.is_forgotten = not row["alive"]
        if row["forgotten"]:
            _log.warning("put back %d jobs whose end the database forgot", row["forgotten"])

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """Hear of new jobs, for ever; what is missed while the database is away is polled."""
        while True:
            try:
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except ConnectorException as error:
                self._note_away(error)
                await asyncio.sleep(_TRY_AGAIN_SECONDS)

    async def list_jobs_to_abort_async(self, queue: str | None = None) -> Iterable[int]:  # noqa: ARG002 -- procrastinate's signature
        """Return nothing, without asking: nobody aborts a job here."""
        return ()

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # noqa: ARG002, FBT001 -- procrastinate's signature
        """Remove a job; nothing happens when another worker has it by now."""
        await self._let_go(job, _END)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,  # noqa: ARG002 -- procrastinate's signature
        queue: str | None = None,  # noqa: ARG002 -- as above
        lock: str | None = None,  # noqa: ARG002 -- as above
    ) -> None:
        """Put a job back; nothing happens when another worker has it by now."""
        await self._let_go(job, _AGAIN, at=retry_at, priority=int(Urgency.BACKLOG))

    async def _let_go(self, job: Job, query: LiteralString, **values: Any) -> None:
        """Say it until the database has heard it: then nobody has to find it out."""
        try:
            for _ in range(_MOST_TRIES):
                try:
                    await self.connector.execute_query_async(
                        query, id=job.id, worker_id=job.worker_id, **values
                    )
                except ConnectorException:
                    await asyncio.sleep(_TRY_AGAIN_SECONDS)
                else:
                    return
            _log.warning("a job could not be ended for want of its database")
        finally:
            self._drop(job)

    def _drop(self, job: Job) -> None:
        worker = self._workers.get(job.worker_id) if job.worker_id is not None else None
        if worker is not None and job.id is not None:
            worker.jobs.pop(job.id, None)

    def _note_away(self, error: ConnectorException) -> None:
        """Note that the database failed; raise what is another error."""
        cause = error.__cause__
        if not isinstance(cause, psycopg.Error) or isinstance(cause, psycopg.DataError):
            raise error
        self._health.failed(_PART, error)
