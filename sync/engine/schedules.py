"""Do things every so often, once among all processes, and catch up what was missed.

When a task last succeeded is kept in the database. It is due when that is a period ago, so
one that was missed while no process ran is done at the next start, and one that fails is
tried again soon instead of a period later.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from pricing_proxy.background import end
from pricing_proxy.resilience.errors import UpstreamError
from sync.store.tables import watermark
from sync.store.watermarks import FORMAT

_log = logging.getLogger(__name__)

_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
_SHORTEST_LOOK, _AFTER_FAILURE = timedelta(seconds=1), timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A task that is due every so often; `name` is unique."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]

    @property
    def mark(self) -> str:
        """The watermark that holds when it last succeeded."""
        return f"schedule.{self.name}"


class Schedules:
    """Runs schedules; an async context manager.

    Args:
        database: Where their marks are kept.
        schedules: What is run.
    """

    def __init__(self, database: AsyncEngine, schedules: Sequence[Schedule]) -> None:
        self._database = database
        self._schedules = tuple(schedules)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._repeat(each)) for each in self._schedules]
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(*self._tasks)

    async def run_if_due(self, schedule: Schedule) -> bool:
        """Run it if a period has passed and no other process is at it; return whether it ran."""
        async with self._database.connect() as connection:
            if not await self._is_due(connection, schedule):
                return False
            if not (await connection.execute(_TRY_LOCK, {"name": schedule.mark})).scalar():
                return False
            try:
                # Another process may have run it between the look and the lock.
                if not await self._is_due(connection, schedule):
                    return False
                await schedule.run()
                await self._mark(connection, schedule)
            finally:
                await connection.execute(_UNLOCK, {"name": schedule.mark})
                await connection.commit()
        return True

    async def _is_due(self, connection: AsyncConnection, schedule: Schedule) -> bool:
        last = select(watermark.c.changed_at).where(watermark.c.name == schedule.mark)
        statement = select(
            func.coalesce(last.scalar_subquery() + schedule.every <= func.clock_timestamp(), True)
        )
        is_due = bool((await connection.execute(statement)).scalar())
        # No transaction stays open while a task runs.
        await connection.commit()
        return is_due

    async def _mark(self, connection: AsyncConnection, schedule: Schedule) -> None:
        fresh = {"changed_at": func.clock_timestamp()}
        statement = insert(watermark).values(
            name=schedule.mark, format=FORMAT, value="", changed_at=func.clock_timestamp()
        )
        await connection.execute(
            statement.on_conflict_do_update(constraint=watermark.primary_key, set_=fresh)
        )
        await connection.commit()

    async def _repeat(self, schedule: Schedule) -> None:
        pause = max(min(schedule.every / 10, timedelta(seconds=30)), _SHORTEST_LOOK)
        while True:
            has_succeeded = await self._try(schedule)
            await asyncio.sleep((pause if has_succeeded else _AFTER_FAILURE).total_seconds())

    async def _try(self, schedule: Schedule) -> bool:
        try:
            await self.run_if_due(schedule)
        except (UpstreamError, SQLAlchemyError, OSError) as error:
            _log.warning("%s failed (%s)", schedule.name, type(error).__name__)
            return False
        except Exception:  # noqa: BLE001 -- one bad record must not end the schedule
            _log.exception("%s broke", schedule.name)
            return False
        return True
