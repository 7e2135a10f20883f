"""Look at a source once: ask for what `reach` says, hand each page on, keep how far it was read.

Where what was missed is much, the newest is read first, and of the rest a few pages by each
look. How far was read is kept after each page, so what fails goes on from there.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pricing_proxy.clock import Clock
from sync.engine.odd_rows import Changing, Found
from sync.engine.reach import Reach
from sync.engine.windows import ClockReading, Window
from sync.store.lines import Urgency

# Of what came before; then it is the turn of what is fresh again.
_MOST_PAGES = 20
# The shop's clock is set back once; one that is at each look is left to the next poll.
_MOST_LOOKS = 3


P = TypeVar("P", bound=Found[Changing])


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking(Generic[P]):
    """How a source is looked at.

    Attributes:
        ask: Yields the pages of a window; one at the least.
        take: Takes a page, and how urgent it is: less, where it came before.
        keep: Keeps how far was read.
        overlap: How late rows become visible.
        clock: Time.
    """

    ask: Callable[[Window], AsyncGenerator[P, None]]
    take: Callable[[P, Urgency], Awaitable[None]]
    keep: Callable[[Reach], Awaitable[None]]
    overlap: timedelta
    clock: Clock

    async def look(self, reach: Reach) -> None:
        """Read what there is since a reach."""
        for _ in range(_MOST_LOOKS):
            newest, *older = reach.plan(self.clock.utc(), overlap=self.overlap)
            reach, is_whole = await self._read_newest(reach, newest)
            if is_whole:
                for window in older:
                    await self._read_older(reach, window)
                return

    async def _read_newest(self, reach: Reach, window: Window) -> tuple[Reach, bool]:
        """Return how far it is read then, and whether the shop's clock was not set back."""
        read: dict[int, datetime] = {}
        now = self.clock.utc()
        reading, latest, upto = ClockReading(now, now, now), reach, None
        async with aclosing(self.ask(window)) as pages:
            async for page in pages:
                reading = page.reading or reading
                await self.take(page, Urgency.FRESH)
                if (again := reach.rewound(reading, overlap=self.overlap)) is not None:
                    await self.keep(again)
                    return again, False
                if upto is not None:
                    await self.keep(latest)
                dated = _dated(page)
                read.update(dated)
                upto = max(dated.values(), default=upto)
                latest = reach.after(window, reading, read, overlap=self.overlap, upto=upto)
        latest = reach.after(window, reading, read, overlap=self.overlap)
        await self.keep(latest)
        return latest, True

    async def _read_older(self, reach: Reach, window: Window) -> None:
        count = 0
        async with aclosing(self.ask(window)) as pages:
            async for page in pages:
                await self.take(page, Urgency.BACKLOG)
                if dated := _dated(page):
                    reach = reach.settled_to(max(dated.values()), overlap=self.overlap)
                    await self.keep(reach)
                count += 1
                if count == _MOST_PAGES:
                    return
        if window.until is not None:
            await self.keep(reach.settled_to(window.until, overlap=self.overlap))


def _dated(page: Found[Changing]) -> Mapping[int, datetime]:
    """Return when the rows of a page changed, those that say so."""
    well = dict(map(_date, page.rows))
    return well | {row.entity_id: at for row in page.odd if (at := row.updated_at) is not None}


def _date(row: Changing) -> tuple[int, datetime]:
    return row.entity_id, row.updated_at
