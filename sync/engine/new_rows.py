"""Read what is new of a source by its ids, whatever it is dated.

A poll goes by the instant of the last change, and so never sees a row that has none, or one that
lies far back. Ids only rise; but they are given when a transaction begins, and rows are seen when
it ends. So each look goes back to what was the newest one at the look before the last.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import aclosing
from typing import Protocol

from sync.engine.odd_rows import Found, R_co, Rereading, T
from sync.engine.polling import Polling


class ListedById(Protocol[R_co]):
    """A list whose rows have rising ids."""

    async def newest_id(self) -> int:
        """Return the highest of its ids, 0 where it has none."""
        ...

    def after(
        self, entity_id: int, *, without: Collection[int]
    ) -> AsyncGenerator[Found[R_co], None]:
        """Yield pages of what has a higher id, without some that the shop cannot serve."""
        ...


class WholeList(ListedById[R_co], Rereading[R_co], Protocol[R_co]):
    """A list that is read by ids, and asked for single rows again."""


async def read_new(
    polling: Polling,
    name: str,
    listed: ListedById[T],
    enter: Callable[[T], Awaitable[bool]],
    *,
    source: str,
) -> int:
    """Enter what is new since the look before the last, and return how many were not known.

    The very first look only remembers where the history ends.

    Args:
        polling: What the source is read with.
        name: The source's; a mark of our own is kept beside it.
        listed: The shop's list.
        enter: Enters one row, and says whether it is new.
        source: Whose rows they are, for those that cannot be read.
    """
    mark = f"{name}.newest_ids"
    kept = await polling.watermarks.get(mark)
    if kept is None:
        newest = await listed.newest_id()
        await polling.watermarks.put(mark, f"{newest} {newest}")
        return 0
    before, newest = map(int, kept.split())
    highest, entered, odd = newest, 0, await polling.odd_rows.of(source)
    async with aclosing(listed.after(before, without=odd.unserved)) as pages:
        async for page in pages:
            await odd.take(page)
            entered += await polling.enter_page(page.rows, enter)
            ids = [row.entity_id for row in page.rows] + [row.entity_id for row in page.odd]
            highest = max(highest, *ids, highest)
    await polling.watermarks.put(mark, f"{newest} {highest}")
    return entered
