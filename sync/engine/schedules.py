"""Do things every so often, once among all processes, and catch up what was missed.

When a task last succeeded is kept in the database. It is due when that is a period ago, so
one that was missed while no process ran is done at the next start, and one that fails is
tried again soon instead of a period later.

Whoever runs a task has claimed it and renews the claim. A process that is stopped or dies is
overtaken when the claim has ended; when it wakes up, its task is cancelled, and does not
count as done.
"""

import asyncio
import logging
import os
import platform
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.background import Background, Ongoing
from pricing_proxy.clock import SystemClock
from pricing_proxy.resilience.errors import UpstreamError, words_of
from pricing_proxy.shared_state.maps import SharedStateError
from sync.engine.blame import next_step
from sync.engine.database_health import DatabaseHealth
from sync.store.claims import Claims
from sync.store.schedule_marks import SCHEDULES, ScheduleMarks

_log = logging.getLogger(__name__)

# A poll that a dead process was at goes on this much later; it is renewed three times within.
_LEASE_SECONDS = 10.0
_SHORTEST_LOOK, _AFTER_FAILURE = timedelta(seconds=1), timedelta(seconds=5)


class LeaseLostError(Exception):
    """Another process has taken the task over while this one was stopped or cut off."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A task that is due every so often.

    Attributes:
        name: Unique.
        every: How often, at the least.
        run: Does it.
        pace: Tells how often it is due now; None for `every`.
        apart: How long it leaves the others that have it alone: those that ask one system for much
            do not all do so at once.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]
    pace: Callable[[], Awaitable[timedelta]] | None = None
    apart: timedelta = timedelta(0)

    @property
    def mark(self) -> str:
        """The watermark that holds when it last succeeded."""
        return f"schedule.{self.name}"


@dataclass(frozen=True, slots=True)
class ScheduleFailure:
    """Why a schedule fails.

    Attributes:
        system: Whose fault it is.
        text: What that said.
        advice: What an operator does.
    """

    system: str
    text: str
    advice: str


class FailingSchedules:
    """The schedules of this process that fail: each is said once, and once that it works again."""

    def __init__(self) -> None:
        self._failures: dict[str, ScheduleFailure] = {}

    def failed(self, name: str, error: UpstreamError | SharedStateError) -> None:
        """Note that one failed."""
        failure = _failure(error)
        if name not in self._failures:
            _log.warning("%s failed, and is tried again: %s", name, failure.text)
        self._failures[name] = failure

    def well(self, name: str) -> None:
        """Note that one succeeded, or was not due."""
        if self._failures.pop(name, None) is not None:
            _log.warning("%s works again", name)

    def of(self, name: str) -> ScheduleFailure | None:
        """Return why one fails, None where it does not or where another process knows."""
        return self._failures.get(name)


def _failure(error: UpstreamError | SharedStateError) -> ScheduleFailure:
    if isinstance(error, SharedStateError):
        return ScheduleFailure("redis", str(error), "see whether Redis is up")
    return ScheduleFailure(error.system, words_of(error), next_step(error))


class Schedules(Background):
    """Runs schedules; an async context manager.

    Args:
        database: Where their marks and claims are kept.
        schedules: What is run.
        lease_seconds: How long a process that says nothing keeps others from its task.
        failing: Told how they fare; None where nobody else looks.
        health: Whether the database is well; None where nobody else looks.
    """

    def __init__(
        self,
        database: AsyncEngine,
        schedules: Sequence[Schedule],
        *,
        lease_seconds: float = _LEASE_SECONDS,
        failing: FailingSchedules | None = None,
        health: DatabaseHealth | None = None,
    ) -> None:
        self._failing = failing or FailingSchedules()
        self._health = health or DatabaseHealth(SystemClock().monotonic_us)
        self._claims = Claims(database, SCHEDULES)
        self._marks = ScheduleMarks(database)
        self._schedules = tuple(schedules)
        self._lease = timedelta(seconds=lease_seconds)
        self._turn = asyncio.Lock()

    def _ongoing(self) -> Ongoing:
        return [partial(self._repeat, schedule) for schedule in self._schedules]

    async def run_if_due(self, schedule: Schedule) -> bool:
        """Run it if a period has passed and no other process is at it; return whether it ran.

        Raises:
            LeaseLostError: Another process took it over meanwhile; it does not count as done.
        """
        every = schedule.every if schedule.pace is None else await schedule.pace()
        if not await self._marks.is_due(schedule.mark, every=every):
            return False
        if not schedule.apart:
            return await self._run_if_free(schedule, every)
        async with self._turn:
            for other in self._schedules:
                is_apart = other is not schedule and other.apart
                if is_apart and not await self._marks.is_due(other.mark, every=schedule.apart):
                    return False
            return await self._run_if_free(schedule, every)

    async def _run_if_free(self, schedule: Schedule, every: timedelta) -> bool:
        name = schedule.mark
        # For people: which process of which machine. Of this run alone, so that what a later one
        # has taken over is not taken for its own.
        holder = f"{platform.node()}/{os.getpid()}/{uuid.uuid4()}"
        if not await self._claims.take(name, holder, lasting=self._lease):
            return False
        try:
            # Another process may have run it between the look and the claim.
            if not await self._marks.is_due(name, every=every):
                return False
            await self._run_held(schedule, holder)
            if not await self._marks.put(name, holder):
                raise LeaseLostError(f"{schedule.name} was taken over by another process")
        finally:
            await self._claims.release(name, holder)
        return True

    async def _run_held(self, schedule: Schedule, holder: str) -> None:
        """Run a task for as long as its claim is held."""
        running = asyncio.ensure_future(schedule.run())
        keeping = asyncio.create_task(self._keep(schedule.mark, holder))
        try:
            await asyncio.wait({running, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                raise LeaseLostError(f"{schedule.name} was taken over by another process")
        finally:
            keeping.cancel()
            running.cancel()
            await asyncio.wait({running, keeping})
        await running

    async def _keep(self, name: str, holder: str) -> None:
        """Renew a claim until it is lost."""
        is_held = True
        while is_held:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                is_held = await self._claims.keep(name, holder, lasting=self._lease)
            except (SQLAlchemyError, OSError) as error:
                # Not lost yet: nobody else can take it from a database that is away.
                self._health.failed(name, error)

    async def _repeat(self, schedule: Schedule) -> None:
        pause = max(min(schedule.every / 10, timedelta(seconds=30)), _SHORTEST_LOOK)
        # It may be due sooner than it was.
        pause = pause if schedule.pace is None else _SHORTEST_LOOK
        while True:
            has_succeeded = await self.attempt(schedule)
            await asyncio.sleep((pause if has_succeeded else _AFTER_FAILURE).total_seconds())

    async def attempt(self, schedule: Schedule) -> bool:
        """Run it if it is due; what it fails of is noted. Return whether it did not fail."""
        try:
            await self.run_if_due(schedule)
        except LeaseLostError as error:
            _log.warning("%s", error)
            return False
        except (UpstreamError, SharedStateError) as error:
            self._health.well(schedule.mark)
            self._failing.failed(schedule.name, error)
            return False
        except (SQLAlchemyError, OSError) as error:
            self._health.failed(schedule.mark, error)
            return False
        self._health.well(schedule.mark)
        self._failing.well(schedule.name)
        return True
