"""Watch one market's orders in the ERP: take in those that are new there, then look.

Looks go one after the other, and hints that come meanwhile are looked at together: whatever
happens in a burst costs the requests of one look. Once the budget is spent, hints wait for the
next look by the clock.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from sync.engine.sources import Marks
from sync.order_status.headers import Headers
from sync.order_status.papers import Papers
from sync.order_status.ports import KeptWatch
from sync.order_status.read_budget import ReadBudget
from sync.papers.watched_market import WatchedMarket

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class StatusSource:
    """Watches one market.

    Args:
        market: Whose orders.
        watch: Where they are kept.
        papers: Finds their slips and parcels.
        headers: Follows their status.
        marks: How far was read, and what is left of the budget.
        budget: Of requests.
    """

    def __init__(
        self,
        market: WatchedMarket,
        *,
        watch: KeptWatch,
        papers: Papers,
        headers: Headers,
        marks: Marks,
        budget: ReadBudget,
    ) -> None:
        self._market = market
        self._watch = watch
        self._papers = papers
        self._headers = headers
        self._marks = marks
        self._budget = budget
        self._turn = asyncio.Lock()
        self._hinted: set[str] = set()
        self._is_awaited = False

    async def look(self) -> int:
        """Enter what happened, and return how much of it is new; raises `UpstreamError`."""
        async with self._turn, self._budgeted():
            entered = await self._papers.look()
            await self._headers.look()
            return entered

    async def hint(self, numbers: Collection[str]) -> None:
        """Look now, since the ERP told of orders; other companies' are left to their own time."""
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
            await self._look_at_hinted()
        finally:
            self._turn.release()

    async def _look_at_hinted(self) -> None:
        hinted, self._hinted = self._hinted, set()
        async with self._budgeted():
            if await self._headers.want(hinted) and self._budget.left:
                await self._papers.look()
                await self._headers.look()

    @asynccontextmanager
    async def _budgeted(self) -> AsyncIterator[None]:
        """Take in the orders of now, and go on with what is left of the budget."""
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
