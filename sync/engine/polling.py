"""Read a source from where it was left, and remember how far it was read.

What is asked for says `reach`: rows become visible late, so each is seen twice; what is seen twice
has an equal source key and is entered once. How far was read moves only past what was entered, so
a failure repeats and skips nothing. A row that cannot be read is kept as such (`odd_rows`), and
the others are entered.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pricing_proxy.clock import Clock
from sync.engine.looking import Looking
from sync.engine.odd_rows import Found, OddRowBook, R_co, Rereading, T
from sync.engine.pace import Pace
from sync.engine.reach import Reach
from sync.engine.sources import Events, Marks
from sync.engine.windows import Window
from sync.store.lines import Urgency

# How long nothing was seen behind a mark that lies ahead is not known; a sweep finds the rest.
_DAY = timedelta(days=1)


class ReadsWithin(Protocol[R_co]):
    """Reads pages of rows by their last change."""

    def __call__(
        self, window: Window, *, without: Collection[int]
    ) -> AsyncGenerator[Found[R_co], None]:
        """Yield what changed within a window, without some that the shop cannot serve."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """What every source of the shop is read with.

    Attributes:
        events: Where what is found is entered.
        watermarks: Where it is kept how far was read.
        odd_rows: Where what cannot be read is kept.
        overlap: How late rows become visible.
        clock: Time.
        pace: How often sources are polled; told of what no hint had told of.
    """

    events: Events
    watermarks: Marks
    odd_rows: OddRowBook
    overlap: timedelta
    clock: Clock
    pace: Pace

    async def read_changes(
        self,
        name: str,
        within: ReadsWithin[T],
        enter: Callable[[T], Awaitable[bool]],
        *,
        source: str,
        first: datetime | None = None,
    ) -> int:
        """Enter what changed since the last poll, and return how many are new.

        Args:
            name: Under which name it is kept how far was read.
            within: Reads pages of rows by their last change.
            enter: Enters one row, and says whether it is new.
            source: Whose rows they are, for those that cannot be read.
            first: Where the very first poll begins; now when left out.
        """
        odd, entered = await self.odd_rows.of(source), 0

        async def take(page: Found[T], urgency: Urgency) -> None:
            nonlocal entered
            await odd.take(page)
            count = await self.enter_page(page.rows, enter, urgency=urgency)
            if count:
                await self.pace.missed(source)
            entered += count

        async def keep(reach: Reach) -> None:
            await self.watermarks.put(name, reach.model_dump_json())

        looking: Looking[Found[T]] = Looking(
            ask=lambda window: within(window, without=odd.unserved),
            take=take,
            keep=keep,
            overlap=self.overlap,
            clock=self.clock,
        )
        await looking.look(await self._reach(name, first))
        return entered

    async def _reach(self, name: str, first: datetime | None) -> Reach:
        kept, now = await self.watermarks.get(name), self.clock.utc()
        if kept is None:
            # So much earlier that a shop whose clock differs a little is asked once.
            reach = Reach.beginning(first or now - 2 * self.overlap)
            await self.watermarks.put(name, reach.model_dump_json())
            return reach
        if kept.startswith("{"):
            return Reach.model_validate_json(kept)
        # As older programs kept it: the newest row's date, which may lie ahead of every clock.
        newest = datetime.fromisoformat(kept)
        return Reach.beginning(newest - self.overlap if newest <= now else now - _DAY)

    async def enter_page(
        self,
        rows: Sequence[T],
        enter: Callable[[T], Awaitable[object]],
        *,
        urgency: Urgency = Urgency.FRESH,
    ) -> int:
        """Enter rows in one transaction, and return how many are new.

        Args:
            rows: All of them are entered, or none.
            enter: Enters one row.
            urgency: Of what is entered.
        """

        async def enter_all() -> None:
            for row in rows:
                await enter(row)

        return await self.events.receive_together(enter_all, urgency)

    async def look_up(
        self,
        source: str,
        listed: Rereading[T],
        entity_id: int,
        enter: Callable[[T], Awaitable[bool]],
    ) -> bool:
        """Enter one row that somebody told of; return whether it is new."""
        odd, entered = await self.odd_rows.of(source), False
        async with aclosing(listed.of([entity_id])) as pages:
            async for page in pages:
                await odd.take(page)
                for row in page.rows:
                    entered = await enter(row) or entered
        return entered

    async def look_again(
        self, source: str, listed: Rereading[T], enter: Callable[[T], Awaitable[bool]]
    ) -> int:
        """Ask for the rows again that could not be read; return how many are entered by that."""
        odd, entered = await self.odd_rows.of(source), 0
        due = {record.row_id for record in odd.due}
        if not due:
            return 0
        async with aclosing(_again(listed, due, alone=due & odd.unserved)) as pages:
            async for page in pages:
                await odd.take(page, is_again=True)
                due -= {row.entity_id for row in page.rows} | {row.entity_id for row in page.odd}
                entered += await self.enter_page(page.rows, enter)
        # The shop has them no more.
        await odd.end(due)
        return entered


async def _again(
    listed: Rereading[T], ids: Collection[int], *, alone: Collection[int]
) -> AsyncGenerator[Found[T], None]:
    together = set(ids) - set(alone)
    if together:
        async with aclosing(listed.of(together)) as pages:
            async for page in pages:
                yield page
    for entity_id in alone:
        yield await listed.alone(entity_id)
