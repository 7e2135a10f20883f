"""Read a source from where it was left, and remember how far it was read.

Each poll looks back a little, since rows become visible late; what is seen twice has an
equal source key and is entered once. The watermark moves only past what was entered, so
a failure repeats and skips nothing.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sync.engine.sources import Watermarks


class Changing(Protocol):
    """A row that says when it changed."""

    @property
    def updated_at(self) -> datetime:
        """When it changed."""
        ...


T = TypeVar("T", bound=Changing)


async def read_changes(
    changed_since: Callable[[datetime], AsyncGenerator[list[T], None]],
    enter: Callable[[T], Awaitable[bool]],
    *,
    watermarks: Watermarks,
    name: str,
    first: datetime,
    overlap: timedelta,
) -> int:
    """Enter what changed since the last poll, and return how many are new.

    Args:
        changed_since: Reads pages of rows by their last change.
        enter: Enters one row, and says whether it is new.
        watermarks: Where it is kept how far was read.
        name: Under which name.
        first: Where the very first poll begins.
        overlap: How far each poll looks back again.
    """
    kept = await watermarks.get(name)
    since = first if kept is None else datetime.fromisoformat(kept)
    if kept is None:
        await watermarks.put(name, since.isoformat())
    latest, entered = since, 0
    async with aclosing(changed_since(since - overlap)) as pages:
        async for page in pages:
            for row in page:
                entered += await enter(row)
                latest = max(latest, row.updated_at)
            if latest > since:
                await watermarks.put(name, latest.isoformat())
    return entered
