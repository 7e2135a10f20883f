"""The one consumer of the bulks: operation after operation, at the speed that was measured.

It looks for work every three seconds, and then goes on until the queue is empty. A refused item
is a failed operation; an item whose rows are refused is complete, with the refusals in its result.
Some items kill it: their operation stays open, and so does what waits behind it, until somebody
starts it again (`consumer_dead`).
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from pricing_proxy.background import Background
from pricing_proxy.sandbox.shop.bulk.bulks import (
    COMPLETE,
    FAILED,
    Bulks,
    ConsumerDiedError,
    Operation,
)
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.wire import CrashedError, RefusedError
from pricing_proxy.sandbox.shop.wording import translated
from pricing_proxy.sandbox.shop.writes import Writes

_LOOK_SECONDS = 3
# Whether somebody started it again is seen soon enough.
_DEAD_SECONDS = 0.05


class Consumer(Background):
    """Works through the queue while it is entered."""

    def __init__(self, bulks: Bulks, writes: Writes, dials: ShopDials) -> None:
        self._bulks = bulks
        self._writes = writes
        self._dials = dials
        self._posted = asyncio.Event()

    def wake(self) -> None:
        """Say that there may be work."""
        self._posted.set()

    def work_off(self) -> None:
        """Do everything that waits now, in no time, as far as the consumer lives."""
        while self._bulks.waiting and not self._dials.consumer_dead:
            self._carry_out(self._bulks.waiting.popleft())

    async def _for_ever(self) -> None:
        while True:
            await self._posted.wait()
            self._posted.clear()
            await asyncio.sleep(_LOOK_SECONDS / self._dials.consumer_speed)
            while self._bulks.waiting:
                if self._dials.consumer_dead:
                    await asyncio.sleep(_DEAD_SECONDS)
                    continue
                operation = self._bulks.waiting.popleft()
                seconds = operation.seconds / self._dials.consumer_speed
                async with self._writes.taking(seconds):
                    self._carry_out(operation)

    def _carry_out(self, operation: Operation) -> None:
        failure = operation.failure
        is_victim = self._writes.is_victim(failure)
        try:
            result = self._writes.done(operation.carry_out, failure, is_victim=is_victim)
        except RefusedError as refused:
            # The routes wrap the database's error, so none is told to be tried again.
            code = failure.deadlock_code if is_victim else 0
            body = translated(refused.body) if self._dials.translated else refused.body
            operation.done(FAILED, _filled(body), code=code)
        except (ConsumerDiedError, CrashedError):
            self._dials.consumer_dead = True
        else:
            text = f"Service execution success {operation.service}"
            operation.done(COMPLETE, text, result=result)


def _filled(body: Mapping[str, Any]) -> str:
    """Return a refusal's message with what stands for its placeholders."""
    message, given = str(body["message"]), body.get("parameters") or ()
    values = (
        given
        if isinstance(given, Mapping)
        else {str(place): value for place, value in enumerate(given, start=1)}
    )
    return re.sub(
        r"%(\w+)", lambda found: str(values.get(found[1], found[0])), message, flags=re.ASCII
    )
