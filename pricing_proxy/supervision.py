"""Know of all background work of one program: what fails is told, counted and shown.

Whoever builds a program names each `background.Background` here; its loops run under `Loop.run`,
which no error ends. What leaves a loop is logged with its traceback and counted, and the loop
begins again after a pause that doubles. It counts as failing, and is red for operators, until it
has run well for longer than the longest pause.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

_log = logging.getLogger(__name__)

# A connection that broke is back within a second; a defect that repeats fills no log.
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
# Longer than the longest pause, so that what fails each time it runs never looks well in between.
_WELL_AFTER_SECONDS = 2 * _LONGEST_PAUSE_SECONDS

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class LoopView:
    """What operators see of one piece of background work.

    Attributes:
        name: What it does.
        failures: How often it failed since the start.
        error: The kind of the last error; empty for none.
        is_failing: Whether it failed lately.
        failed_seconds: How long ago it failed last; None for never.
    """

    name: str
    failures: int
    error: str
    is_failing: bool
    failed_seconds: float | None


class Loop:
    """One piece of background work, which may be several loops.

    Args:
        name: For logs and views.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._failures = 0
        self._error = ""
        self._failed_at: float | None = None

    async def run(self, work: Work) -> None:
        """Do it again and again, whatever it ends in but our own cancellation."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            began = loop.time()
            error = await self._ending(work)
            if loop.time() - began > _WELL_AFTER_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            self.note(error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def note(self, error: BaseException) -> None:
        """Log and count an error, which the work may have outlived."""
        self._failures += 1
        self._error = type(error).__name__
        self._failed_at = asyncio.get_running_loop().time()
        _log.error("%s failed, and goes on soon", self.name, exc_info=error)

    def view(self) -> LoopView:
        """Return how it fares."""
        if self._failed_at is None:
            return LoopView(self.name, 0, "", False, None)
        seconds = asyncio.get_running_loop().time() - self._failed_at
        is_failing = seconds < _WELL_AFTER_SECONDS
        return LoopView(self.name, self._failures, self._error, is_failing, seconds)

    async def _ending(self, work: Work) -> BaseException:
        """Return the error that ended the work; only being told to end ends this."""
        error: BaseException = RuntimeError("it ended by itself")
        try:
            await work()
        except (Exception, asyncio.CancelledError) as raised:  # noqa: BLE001 -- where all loops' errors end
            error = raised
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            # Told to end, whatever the work made of it.
            raise asyncio.CancelledError
        # A cancellation that nobody asked for is of something that the work waited for.
        return error


class Supervision:
    """All background work of one program."""

    def __init__(self) -> None:
        self._loops: list[Loop] = []

    def loop(self, name: str) -> Loop:
        """Return the loop under which a piece of work runs from now on."""
        made = Loop(name)
        self._loops.append(made)
        return made

    def view(self) -> Sequence[LoopView]:
        """Return how each piece of work fares, those that fail first."""
        return sorted((each.view() for each in self._loops), key=_worst_first)


def _worst_first(view: LoopView) -> tuple[bool, str]:
    return (not view.is_failing, view.name)
