"""Run tasks in the background, and end them, also where a library swallows a cancellation."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Self

# redis-py takes a cancellation that meets it while it connects for a failure to connect, and
# the task goes on: it is asked again.
_ASK_AGAIN_SECONDS = 0.5

Ongoing = Iterable[Coroutine[Any, Any, None]]


class Background:
    """What goes on by itself between entering and leaving it: `_for_ever`, or all `_ongoing`."""

    _tasks: "Sequence[asyncio.Task[None]]" = ()

    async def __aenter__(self) -> Self:
        name = type(self).__name__
        self._tasks = [asyncio.create_task(each, name=name) for each in self._ongoing()]
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(*self._tasks)

    def _ongoing(self) -> Ongoing:
        return [self._for_ever()]

    async def _for_ever(self) -> None:
        raise NotImplementedError


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
