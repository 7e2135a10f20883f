"""Looks at what one market's orders became: one after the other, within one budget of requests.

Hints that come meanwhile are looked at together: whatever happens in a burst costs the requests
of one look. Once the budget is spent, hints wait for the next look by the clock.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from sync.engine.sources import Marks
from sync.papers.read_budget import ReadBudget
from sync.papers.watched_market import WatchedMarket

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class TakesIn(Protocol):
    """Which orders are watched; see `sync.store.watched_orders`."""

    async def take_in(self, market: str, since: datetime) -> datetime:
        """Watch what has come into the ERP since, and return from when to go on."""
        ...


class Looks:
    """The looks of one flow and market.

    Args:
        market: Whose orders.
        watch: Where they are kept.
        marks: How far was read, and what is left of the budget.
        budget: Of requests.
    """

    def __init__(
        self, market: WatchedMarket, *, watch: TakesIn, marks: Marks, budget: ReadBudget
    ) -> None:
        self._market = market
        self._watch = watch
        self._marks = marks
        self._budget = budget
        self._turn = asyncio.Lock()
        self._hinted: set[str] = set()
        self._is_awaited = False

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Have the turn, with the orders of now and what is left of the budget."""
        async with self._turn, self._budgeted():
            yield

    async def hinted(
        self, numbers: Collection[str], look: Callable[[Collection[str]], Awaitable[None]]
    ) -> None:
        """Look now at what the ERP told of, with all that it tells while others look.

        Args:
            numbers: The ERP's numbers.
            look: Looks at some; asks for the budget itself.
        """
        self._hinted.update(numbers)
        if self._is_awaited:
            # Whoever waits for their turn takes these along.
            return
        self._is_awaited = True
        try:
            await self._turn.acquire()
        finally:
            self._is_awaited = False
        try:
            hinted, self._hinted = self._hinted, set()
            async with self._budgeted():
                await look(hinted)
        finally:
            self._turn.release()

    @asynccontextmanager
    async def _budgeted(self) -> AsyncIterator[None]:
        name = self._market.mark("budget")
        self._budget.take_over(await self._marks.get(name))
        await self._take_in()
        try:
            yield
        finally:
            await self._marks.put(name, self._budget.kept)

    async def _take_in(self) -> None:
        name = self._market.mark("orders")
        kept = await self._marks.get(name)
        since = _EVER if kept is None else datetime.fromisoformat(kept)
        next_since = await self._watch.take_in(self._market.code, since)
        await self._marks.put(name, next_since.isoformat())
