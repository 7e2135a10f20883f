"""How often a source is polled: rarely, while the shop's hints tell of everything first.

    its hints were heard, and no poll has met since what none had told of     every half minute
    those of another source are so, and nobody waits for this one's           six times the usual
    else                                                                      the usual

What is known of the hints is kept for all processes: one hears them, another polls. A hint that
fails to come costs half a minute once, and none later: the poll that meets what it should have
told of is the last rare one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from pricing_proxy.clock import Clock

RARELY = timedelta(seconds=30)
"""Between two polls of a source whose hints arrive."""

# The poll of another source, which no hint tells of: both, and the sweeps, leave the shop alone.
_PATIENCE = 6
_PREFIX = "hints."
_HEARD, _MISSED = "heard", "missed"
# Each hint of a busy shop would change one row of the database.
_TOLD_EVERY_US = 1_000_000


class DatedMarks(Protocol):
    """Marks of which it is known when they were put last."""

    async def put(self, name: str, value: str) -> None:
        """Put one."""
        ...

    async def put_at(self, prefix: str) -> Mapping[str, datetime]:
        """Return when those that begin so were last put, by name."""
        ...


class Pace:
    """What is known of the shop's hints.

    Args:
        marks: Where it is kept.
        clock: Time.
        usual: Between two polls, where no hints tell of anything.
        is_hinted: Whether hints are heard at all.
    """

    def __init__(
        self, marks: DatedMarks, *, clock: Clock, usual: timedelta, is_hinted: bool
    ) -> None:
        self._marks = marks
        self._clock = clock
        self._is_hinted = is_hinted
        self._told_us: dict[str, int] = {}
        self.usual = usual

    @property
    def rarest(self) -> timedelta:
        """The longest time between two polls."""
        return max(RARELY, _PATIENCE * self.usual) if self._is_hinted else self.usual

    async def heard(self, source: str) -> None:
        """Note that a hint told of something of a source."""
        now_us = self._clock.monotonic_us()
        if now_us - self._told_us.get(source, now_us - _TOLD_EVERY_US) >= _TOLD_EVERY_US:
            self._told_us[source] = now_us
            await self._marks.put(f"{_PREFIX}{source}.{_HEARD}", "")

    async def missed(self, source: str) -> None:
        """Note that a poll entered what no hint had told of."""
        if self._is_hinted:
            self._told_us.pop(source, None)
            await self._marks.put(f"{_PREFIX}{source}.{_MISSED}", "")

    async def every(self, source: str, *, is_awaited: bool) -> timedelta:
        """Return how often a source is polled now.

        Args:
            source: Which.
            is_awaited: Whether somebody waits for what it finds.
        """
        if not self._is_hinted:
            return self.usual
        marks = await self._marks.put_at(_PREFIX)
        trusted = {name.split(".")[1] for name in marks if _is_trusted(name.split(".")[1], marks)}
        if source in trusted:
            return max(self.usual, RARELY)
        return _PATIENCE * self.usual if trusted and not is_awaited else self.usual


def _is_trusted(source: str, marks: Mapping[str, datetime]) -> bool:
    heard = marks.get(f"{_PREFIX}{source}.{_HEARD}")
    missed = marks.get(f"{_PREFIX}{source}.{_MISSED}")
    return heard is not None and (missed is None or missed < heard)
