"""Run loops in the background under supervision, and end them when told.

No error ends what goes on here: `supervision` logs and counts it, and the loop begins again.
Ending works also where a library swallows a cancellation.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Self

from pricing_proxy.supervision import Loop, Supervision, Work

# redis-py takes a cancellation that meets it while it connects for a failure to connect, and
# the task goes on: it is asked again.
_ASK_AGAIN_SECONDS = 0.5

Ongoing = Iterable[Work]


class Background:
    """What goes on by itself between entering and leaving it: `_for_ever`, or all `_ongoing`."""

    _loop: Loop | None = None
    _under_way: "frozenset[asyncio.Task[None]]" = frozenset()

    def watched(self, supervision: Supervision | None, name: str) -> Self:
        """Have it told under a name how this work fares; returns itself, to be entered.

        Args:
            supervision: The program's; None where nobody looks.
            name: What it does, for operators.
        """
        self._loop = Loop(name) if supervision is None else supervision.loop(name)
        return self

    @property
    def loop(self) -> Loop:
        """How this work fares, for what it outlives by itself."""
        if self._loop is None:
            self._loop = Loop(type(self).__name__)
        return self._loop

    async def __aenter__(self) -> Self:
        for work in self._ongoing():
            self._own(self.loop.run(work))
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(*self._under_way)

    def _ongoing(self) -> Ongoing:
        return [self._for_ever]

    async def _for_ever(self) -> None:
        raise NotImplementedError

    def _do(self, work: Work) -> None:
        """Do something once; it ends with this, and its error is noted."""
        self._own(self._once(work))

    async def _once(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 -- nobody awaits it: noted, as a loop's are
            self.loop.note(error)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=self.loop.name)
        self._under_way |= {task}
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way -= {task}


async def end(*tasks: "asyncio.Task[None] | None") -> None:
    """Cancel tasks and return once all have ended; what they raised is dropped."""
    left = {task for task in tasks if task is not None}
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=_ASK_AGAIN_SECONDS)
        for task in ended:
            if not task.cancelled():
                task.exception()  # retrieved, so that nobody is told of it at exit
