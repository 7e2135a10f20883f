"""Run a worker for each flow and market: started, paused, limited, started again when it breaks.

Flow control is looked at each second, so a pause or limit is obeyed within two; an event
under way is finished first. A worker outlives a database that is away (`own_jobs`); one that
ends by an error, such as being taken for dead, is started again after a pause.
"""

import asyncio
import logging
from collections.abc import Iterable
from functools import partial

import procrastinate
import psycopg
from procrastinate.exceptions import ProcrastinateException
from sqlalchemy.exc import SQLAlchemyError

from pricing_proxy.background import Background
from pricing_proxy.clock import SystemClock
from sync.engine.database_health import DatabaseHealth
from sync.engine.own_jobs import WorkerForgottenError
from sync.engine.queue import USUAL_LEASE, Lease, worker_options
from sync.store.flow_control import Controls, FlowControl, is_paused, limit_of

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_RESTART_SECONDS = 1.0
# Longer than any attempt's single call; what is not finished then is looked up by its successor.
_GRACE_SECONDS = 20.0
_DATABASE_ERRORS = (ProcrastinateException, psycopg.Error, SQLAlchemyError, OSError)


class Workers(Background):
    """The workers of this process; an async context manager.

    Args:
        app: The queue's application, open.
        control: What is paused or limited.
        lines: Every flow with every market it runs for.
        concurrency: Events of one flow and market at once, where no limit says fewer.
        lease: When a worker is dead.
        health: Whether the database is well; None where nobody else looks.
    """

    def __init__(
        self,
        app: procrastinate.App,
        control: FlowControl,
        *,
        lines: Iterable[tuple[str, str]],
        concurrency: int,
        lease: Lease = USUAL_LEASE,
        health: DatabaseHealth | None = None,
    ) -> None:
        self._health = health or DatabaseHealth(SystemClock().monotonic_us)
        self._app = app
        self._control = control
        self._concurrency = concurrency
        self._lease = lease
        self._lines = tuple(lines)
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._at_once: dict[tuple[str, str], int] = {}

    async def __aexit__(self, *_: object) -> None:
        await super().__aexit__()
        await self._stop(list(self._running))

    @property
    def running(self) -> tuple[tuple[str, str], ...]:
        """The flows and markets that are worked on now."""
        return tuple(self._running)

    async def _for_ever(self) -> None:
        while True:
            try:
                await self._obey(await self._control.controls())
                self._health.well("flow control")
            except _DATABASE_ERRORS as error:
                # Nothing new is known: what runs goes on, what is paused stays so.
                self._health.failed("flow control", error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _obey(self, controls: Controls) -> None:
        paused = {line for line in self._lines if is_paused(controls.pauses, *line)}
        at_once = {line: self._most_at_once(controls, line) for line in self._lines}
        await self._stop(
            [
                line
                for line in self._running
                if line in paused or at_once[line] != self._at_once[line]
            ]
        )
        for line in self._lines:
            if line not in paused and line not in self._running:
                self._at_once[line] = at_once[line]
                # Ended by `_stop`, which asks once: asked again, it would not finish its events.
                work = self.loop.run(partial(self._work_for_ever, *line))
                self._running[line] = asyncio.create_task(work, name=self.loop.name)

    def _most_at_once(self, controls: Controls, line: tuple[str, str]) -> int:
        limit = limit_of(controls.limits, *line)
        return self._concurrency if limit is None else min(limit, self._concurrency)

    async def _stop(self, lines: list[tuple[str, str]]) -> None:
        tasks = [self._running.pop(line) for line in lines]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work_for_ever(self, flow: str, market: str) -> None:
        concurrency = self._at_once[flow, market]
        options = worker_options(flow, market, concurrency=concurrency, lease=self._lease)
        while True:
            try:
                await self._app.run_worker_async(
                    **options, shutdown_graceful_timeout=_GRACE_SECONDS
                )
            except WorkerForgottenError as error:
                _log.warning("%s: the worker of %s in %s is started again", error, flow, market)
            except _DATABASE_ERRORS as error:
                self._health.failed(options["name"], error)
            await asyncio.sleep(_RESTART_SECONDS)
