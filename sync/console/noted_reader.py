"""Which of some keys the ERP has none of, noted while they are read."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from sync.mirror.keys import folded
from sync.mirror.ports import MirrorPage, MirrorReader


class NotedReader:
    """A `MirrorReader` that notes the keys it brings.

    Args:
        reader: What is read by.
    """

    def __init__(self, reader: MirrorReader) -> None:
        self._reader = reader
        self._brought: set[str] = set()

    async def expected(self) -> int | None:
        """Return how many rows a whole read brings."""
        return await self._reader.expected()

    async def pages(
        self, *, keys: Sequence[str] | None = None, after: str = ""
    ) -> AsyncGenerator[MirrorPage, None]:
        """Yield what is read."""
        async with aclosing(self._reader.pages(keys=keys, after=after)) as pages:
            async for page in pages:
                self._brought |= {folded(each.key) for each in page.rows}
                self._brought |= {folded(each.key) for each in page.odd}
                yield page

    def lacking(self, keys: Sequence[str]) -> list[str]:
        """Return those of some keys that were not brought."""
        return [key for key in keys if folded(key) not in self._brought]
