"""Look up what hints of the shop and the ERP are about, behind their answers.

A hint is only a reason to look sooner: one that is dropped or fails is found by the next
poll, so the line is bounded and nothing here is kept across a restart.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pricing_proxy.background import Background, Ongoing
from pricing_proxy.resilience.errors import UpstreamError

_log = logging.getLogger(__name__)

# A minute of a busy shop; more means that its system cannot be asked, and the poll will do.
MOST_WAITING = 1000
# Asked side by side, so that one slow answer does not hold up the orders behind it.
_LOOKERS = 4

H = TypeVar("H")


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that the shop says has changed; `entity_id` is the shop's internal id."""

    kind: str
    entity_id: int


def kind_of(event: str) -> str:
    """Return what an event is about: an "order" of "order.placed"."""
    return event.partition(".")[0]


class Hints(Background, Generic[H]):
    """A bounded line of one sender's hints and those who look them up; an async context manager.

    Args:
        look_up: Finds what a hint is about and enters it; raises `UpstreamError`.
    """

    def __init__(self, look_up: Callable[[H], Awaitable[object]]) -> None:
        self._look_up = look_up
        self._waiting: asyncio.Queue[H] = asyncio.Queue(maxsize=MOST_WAITING)

    def _ongoing(self) -> Ongoing:
        return [self._for_ever] * _LOOKERS

    def take(self, hint: H) -> bool:
        """Put a hint in line; return whether there was room for it."""
        try:
            self._waiting.put_nowait(hint)
        except asyncio.QueueFull:
            return False
        return True

    async def _for_ever(self) -> None:
        while True:
            hint = await self._waiting.get()
            try:
                await self._look_up(hint)
            except UpstreamError as error:
                _log.warning("a hint could not be looked up (%s)", type(error).__name__)
            except Exception as error:  # noqa: BLE001 -- one bad hint must not delay the others
                self.loop.note(error)
