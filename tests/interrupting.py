"""Cancel a coroutine at one of its waits, to see what it leaves behind.

    while await is_cut_short(cache.read(context, keys), at=next(places), moment=moment):
        ...  # whatever must still hold

Cancelling as a wait begins takes away an answer that never came; as it ends, one that is
already there but not yet taken.
"""

import asyncio
from collections.abc import Coroutine, Generator
from enum import StrEnum
from typing import Any


class Moment(StrEnum):
    """When within a wait the cancellation arrives."""

    BEGIN = "begin"
    END = "end"


async def is_cut_short(work: Coroutine[Any, Any, object], *, at: int, moment: Moment) -> bool:
    """Run `work`, cancelled at its wait number `at`, from 1; say whether it came to that."""
    running = _Interrupted(work, at, moment)
    task = asyncio.ensure_future(running.run())
    await asyncio.wait([task])
    if task.cancelled():
        return True
    task.result()
    return running.waits >= at


class _Interrupted:
    def __init__(self, work: Coroutine[Any, Any, object], at: int, moment: Moment) -> None:
        self._work = work
        self._at = at
        self._moment = moment
        self.waits = 0

    async def run(self) -> None:
        await self

    def __await__(self) -> Generator[Any, Any, None]:
        raised: BaseException | None = None
        while True:
            try:
                waited_for = self._work.send(None) if raised is None else self._work.throw(raised)
            except StopIteration:
                return
            self.waits += 1
            if self.waits == self._at:
                self._cancel(waited_for)
            raised = None
            try:
                yield waited_for
            except BaseException as error:  # noqa: BLE001 -- handed on to the work
                raised = error

    def _cancel(self, waited_for: "asyncio.Future[object] | None") -> None:
        task = asyncio.current_task()
        assert task is not None
        if self._moment is Moment.BEGIN or waited_for is None:
            task.cancel()
        else:
            waited_for.add_done_callback(lambda _: task.cancel())
