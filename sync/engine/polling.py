"""Read a source from where it was left, and remember how far it was read.

Each poll looks back a little, since rows become visible late; what is seen twice has an
equal source key and is entered once. The watermark moves only past what was entered, so
a failure repeats and skips nothing.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from pricing_proxy.clock import Clock
from sync.engine.sources import Events, Marks


class Changing(Protocol):
    """A row that says when it changed."""

    @property
    def updated_at(self) -> datetime:
        """When it changed."""
        ...


T = TypeVar("T", bound=Changing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """What every source of the shop is read with.

    Attributes:
        events: Where what is found is entered.
        watermarks: Where it is kept how far was read.
        overlap: How far each poll looks back again.
        clock: Time.
    """

    events: Events
    watermarks: Marks
    overlap: timedelta
    clock: Clock

    async def read_changes(
        self,
        name: str,
        changed_since: Callable[[datetime], AsyncGenerator[list[T], None]],
        enter: Callable[[T], Awaitable[bool]],
        *,
        first: datetime | None = None,
    ) -> int:
        """Enter what changed since the last poll, and return how many are new.

        Args:
            name: Under which name it is kept how far was read.
            changed_since: Reads pages of rows by their last change.
            enter: Enters one row, and says whether it is new.
            first: Where the very first poll begins; now when left out.
        """
        kept = await self.watermarks.get(name)
        since = (first or self.clock.utc()) if kept is None else datetime.fromisoformat(kept)
        if kept is None:
            await self.watermarks.put(name, since.isoformat())
        latest, entered = since, 0
        async with aclosing(changed_since(since - self.overlap)) as pages:
            async for page in pages:
                for row in page:
                    entered += await enter(row)
                    latest = max(latest, row.updated_at)
                if latest > since:
                    await self.watermarks.put(name, latest.isoformat())
        return entered
