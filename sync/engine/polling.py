"""Read a source from where it was left, and remember how far it was read.

Each poll looks back a little, since rows become visible late; what is seen twice has an
equal source key and is entered once. The watermark moves only past what was entered, so
a failure repeats and skips nothing. A row that cannot be read is kept as such (`odd_rows`), and
the others are entered.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pricing_proxy.clock import Clock
from sync.engine.odd_rows import Found, OddRowBook, R_co, Rereading, T
from sync.engine.sources import Events, Marks
from sync.store.lines import Urgency


class ChangedSince(Protocol[R_co]):
    """Reads pages of rows by their last change."""

    def __call__(
        self, since: datetime, *, without: Collection[int]
    ) -> AsyncGenerator[Found[R_co], None]:
        """Yield them, without some that the shop cannot serve."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """What every source of the shop is read with.

    Attributes:
        events: Where what is found is entered.
        watermarks: Where it is kept how far was read.
        odd_rows: Where what cannot be read is kept.
        overlap: How far each poll looks back again.
        clock: Time.
    """

    events: Events
    watermarks: Marks
    odd_rows: OddRowBook
    overlap: timedelta
    clock: Clock

    async def read_changes(
        self,
        name: str,
        changed_since: ChangedSince[T],
        enter: Callable[[T], Awaitable[bool]],
        *,
        source: str,
        first: datetime | None = None,
    ) -> int:
        """Enter what changed since the last poll, and return how many are new.

        Args:
            name: Under which name it is kept how far was read.
            changed_since: Reads pages of rows by their last change.
            enter: Enters one row, and says whether it is new.
            source: Whose rows they are, for those that cannot be read.
            first: Where the very first poll begins; now when left out.
        """
        kept = await self.watermarks.get(name)
        since = (first or self.clock.utc()) if kept is None else datetime.fromisoformat(kept)
        if kept is None:
            await self.watermarks.put(name, since.isoformat())
        odd = await self.odd_rows.of(source)
        latest, entered = since, 0
        async with aclosing(changed_since(since - self.overlap, without=odd.unserved)) as pages:
            async for page in pages:
                await odd.take(page)
                entered += await self.enter_page(page.rows, enter)
                latest = max(latest, *(row.updated_at for row in page.rows), latest)
                # Behind one that cannot be read are others.
                latest = max(latest, *(row.updated_at or latest for row in page.odd), latest)
                if latest > since:
                    await self.watermarks.put(name, latest.isoformat())
        return entered

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
