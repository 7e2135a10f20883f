"""Find events that nobody would ever bring again, and bring them.

    job of a worker without a heartbeat    back in line; its event has a new fence when claimed
    job under way for too long             the same: its worker has lost sight of it
    moving event without a job             a new job: the old one was ended by a late worker
    event that waits for one that ended    woken
    worker rows without a heartbeat        removed

A lease that was lost counts as a death of the worker over its event. A database that was away or
failed heard no heartbeat of anybody: right after it nobody counts as dead. One process sweeps at
a time, under an advisory lock of the transaction.
"""

import asyncio
import logging

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.background import Background
from pricing_proxy.clock import SystemClock
from sync.engine.database_health import DatabaseHealth
from sync.engine.queue import USUAL_LEASE, Lease
from sync.engine.work import LONGEST_ATTEMPT
from sync.store.lines import Queue, Urgency, Waiting

_log = logging.getLogger(__name__)

# Found within the lease and this.
_EVERY_SECONDS = 3.0
_SWEEP_LOCK = 7_283_411_002
# Longer than entering an event and its job, or ending a job after its event, can take.
_ORPHAN_SECONDS = 30.0
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_REVIVE = text(
    """
    UPDATE procrastinate_jobs AS job
    SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL, worker_id = NULL
    WHERE job.status = 'doing' AND NOT EXISTS (
        SELECT 1 FROM procrastinate_workers AS worker
        WHERE worker.id = job.worker_id
          AND (worker.last_heartbeat > now() - make_interval(secs => :lease)
            OR pg_postmaster_start_time() > now() - make_interval(secs => :settling))
          AND NOT EXISTS (SELECT 1 FROM sync_event AS event
            WHERE event.id = CAST(job.args->>'event_id' AS bigint)
              AND event.changed_at < now() - make_interval(secs => :longest)))
    RETURNING CAST(job.args->>'event_id' AS bigint)
    """
)
# Of those under way for too long nobody has died: their worker has lost sight of them.
_COUNT_DEATHS = text(
    """
    UPDATE sync_event SET deaths = deaths + 1
    WHERE id = ANY(:events) AND state = 'working'
      AND changed_at >= now() - make_interval(secs => :longest)
    """
)
_PRUNE = text(
    """
    SELECT procrastinate_prune_stalled_workers_v1(:lease)
    WHERE pg_postmaster_start_time() <= now() - make_interval(secs => :settling)
    """
)
_ORPHANS = text(
    """
    SELECT event.id, event.flow, event.market, event.lock_key, event.due_at
    FROM sync_event AS event
    WHERE event.state IN ('received', 'working', 'waiting', 'in_doubt')
      AND (event.state <> 'waiting' OR event.depends_on IS NULL)
      AND event.changed_at < now() - make_interval(secs => :age)
      AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs AS job
        WHERE job.status IN ('todo', 'doing')
          AND CAST(job.args->>'event_id' AS bigint) = event.id)
    ORDER BY event.id
    LIMIT 1000
    """
)
_FORGOTTEN = text(
    """
    SELECT event.id, event.flow, event.market, event.lock_key, event.due_at
    FROM sync_event AS event JOIN sync_event AS dependency ON dependency.id = event.depends_on
    WHERE event.state IN ('waiting', 'blocked') AND dependency.state IN ('done', 'skipped')
    ORDER BY event.id
    LIMIT 1000
    FOR UPDATE OF event
    """
)
_WAKE = text(
    "UPDATE sync_event SET state = 'received', depends_on = NULL, due_at = NULL,"
    " changed_at = now() WHERE id = :id"
)


class Sweep(Background):
    """Sweeps every few seconds; an async context manager.

    Args:
        database: Events and queue.
        queue: Where events are put in line again.
        lease: When a worker is dead.
        health: Whether the database is well; None where nobody else looks.
    """

    def __init__(
        self,
        database: AsyncEngine,
        queue: Queue,
        *,
        lease: Lease = USUAL_LEASE,
        health: DatabaseHealth | None = None,
    ) -> None:
        self._health = health or DatabaseHealth(SystemClock().monotonic_us)
        self._database = database
        self._queue = queue
        # Of a living worker that has lost sight of it: no attempt takes longer.
        longest = LONGEST_ATTEMPT.total_seconds() + lease.seconds
        # Whoever lives has connected again and spoken by then.
        settling = 2 * lease.heartbeat
        self._limits = {"lease": lease.seconds, "longest": longest, "settling": settling}

    async def sweep(self) -> int:
        """Bring back what was lost; return how many, 0 when another process sweeps."""
        async with self._database.begin() as connection:
            if not (await connection.execute(_TRY_LOCK, {"lock": _SWEEP_LOCK})).scalar():
                return 0
            # Workers before their jobs, as each worker that begins does it too: the other way
            # round, the two would wait for each other.
            await connection.execute(_PRUNE, self._limits)
            revived = (await connection.execute(_REVIVE, self._limits)).scalars().all()
            if revived:
                died = {"events": list(revived), "longest": self._limits["longest"]}
                await connection.execute(_COUNT_DEATHS, died)
            orphans = (await connection.execute(_ORPHANS, {"age": _ORPHAN_SECONDS})).all()
            forgotten = (await connection.execute(_FORGOTTEN)).all()
            for row in forgotten:
                await connection.execute(_WAKE, {"id": row.id})
            # Due at once: the claim looks at the event's own time, and sends it back until then.
            lost = [
                Waiting(row.id, row.flow, row.market, row.lock_key)
                for row in (*orphans, *forgotten)
            ]
            await self._queue.put(connection, lost, Urgency.BACKLOG)
        return len(revived) + len(orphans) + len(forgotten)

    async def _for_ever(self) -> None:
        while True:
            pause = _EVERY_SECONDS
            try:
                if count := await self.sweep():
                    _log.warning("brought back %d events of workers that ended", count)
                self._health.well("the sweep")
            except (SQLAlchemyError, OSError) as error:
                self._health.failed("the sweep", error)
                # Whoever lives has spoken by then: their heartbeats failed as this did.
                pause = max(pause, self._limits["settling"])
            await asyncio.sleep(pause)
