"""An event loop whose clock moves only when nothing can run.

A test that waits for hours ends at once, and one that would wait for ever fails:
when nothing is runnable and no timer is armed, `DeadlockError` is raised instead.
"""

import asyncio
import gc
import selectors
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

_START = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
_START_US = round(_START.timestamp()) * 1_000_000
# The loop's own resolution; a timer this close counts as due.
_TICK_SECONDS = 1e-9


class DeadlockError(AssertionError):
    """Every task waits and no timer is armed."""


class _VirtualSelector(selectors.DefaultSelector):
    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is None:
            raise DeadlockError("nothing is runnable and no timer is armed")
        self.loop.skip(max(timeout, _TICK_SECONDS))
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs coroutines in virtual seconds; collects errors nobody retrieved."""

    def __init__(self) -> None:
        self._now = 1000.0
        selector = _VirtualSelector()
        super().__init__(selector)
        selector.loop = self
        self._clock_resolution = _TICK_SECONDS
        self.unretrieved: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, context: self.unretrieved.append(context))

    def time(self) -> float:
        """Return virtual seconds."""
        return self._now

    def skip(self, seconds: float) -> None:
        """Move the clock without running anything."""
        self._now += seconds

    def advance(self, seconds: float) -> None:
        """Run everything that happens in the next `seconds`."""
        self.run_until_complete(asyncio.sleep(seconds))


@contextmanager
def no_error_is_lost(loop: VirtualLoop) -> Iterator[None]:
    """Fail when what runs within left an error of a task unretrieved.

    Such an error shows when its task is collected. What was there before is set apart: in a
    whole suite's memory, looking through it would take longer than the test.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.collect()
    assert loop.unretrieved == []


class LoopClock:
    """A `Clock` that reads a loop's time: virtual in tests on a `VirtualLoop`.

    Attributes:
        slept_seconds: How long its machine slept: the wall clock has moved on meanwhile.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._started = loop.time()
        self.slept_seconds = 0.0

    def monotonic_us(self) -> int:
        return round((self._loop.time() - self.slept_seconds) * 1_000_000)

    def wall_us(self) -> int:
        return _START_US + round((self._loop.time() - self._started) * 1_000_000)

    def utc(self) -> datetime:
        return _START + timedelta(seconds=self._loop.time() - self._started)


class ManualClock:
    """A `Clock` that stands still until told."""

    def __init__(self) -> None:
        self._us = 1_000_000_000

    def advance(self, by: timedelta) -> None:
        self._us += by // timedelta(microseconds=1)

    def monotonic_us(self) -> int:
        return self._us

    def wall_us(self) -> int:
        return _START_US + self._us - 1_000_000_000

    def utc(self) -> datetime:
        return _START + timedelta(microseconds=self._us - 1_000_000_000)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on a new virtual loop and return its result; leftover tasks are cancelled."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
