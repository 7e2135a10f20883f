"""Handle maps of hundreds of thousands of rows in slices: answers are written in between.

A row that says what the row held before says is taken to be that row: what did not change costs
no memory twice, no search for cycles, and no long freeing of a whole map at once.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from itertools import islice
from typing import Generic, TypeVar

from pricing_proxy.names import ByName, Spellings

V = TypeVar("V")
R = TypeVar("R")

# At most two milliseconds' work, whatever is done to each.
ROWS_AT_ONCE = 1000
# Rows stay, and hold no cycles: looking for those among 250,000 takes 60 ms, at any moment.
_SET_APART = 20_000


async def in_slices(values: Iterable[V]) -> AsyncIterator[list[V]]:
    """Yield values in lists, and let others run after each."""
    rest = iter(values)
    while some := list(islice(rest, ROWS_AT_ONCE)):
        yield some
        await asyncio.sleep(0)


class GatheredRows(Generic[R]):
    """Rows as they are read one by one; the same objects as before where they say the same.

    Args:
        name_of: Returns a row's name.
        held: The rows that stand.

    Attributes:
        rows: By name.
    """

    def __init__(self, name_of: Callable[[R], str], held: Mapping[str, R]) -> None:
        self.rows: dict[str, R] = {}
        self._name_of = name_of
        self._held = held
        self._fresh = 0

    def add(self, row: R) -> None:
        """Take a row; a later one of the same name replaces it."""
        known = self._held.get(self._name_of(row))
        if known is not None and known == row:
            row = known
        else:
            self._fresh += 1
            if self._fresh % _SET_APART == 0:
                gc.freeze()
        self.rows[self._name_of(row)] = row


async def by_name(rows: Mapping[str, R], held: ByName[R] | None = None) -> ByName[R]:
    """Return rows by any spelling of their names: `held` itself where nothing has changed."""
    if held is not None:
        fresh = unknown = 0
        async for some in in_slices(rows.items()):
            fresh += sum(held.get(name) is not row for name, row in some)
            unknown += sum(name not in held for name, _ in some)
        if not unknown and len(rows) == len(held):
            return ByName(rows, held.spellings) if fresh else held
    spellings = Spellings()
    async for names in in_slices(rows):
        spellings.add(names)
    return ByName(rows, spellings)


async def let_go(rows: list[R]) -> None:
    """Free the rows that nobody else holds, some at a time."""
    while rows:
        del rows[-ROWS_AT_ONCE:]
        await asyncio.sleep(0)
