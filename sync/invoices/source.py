"""Look for the invoices and credit notes of watched orders, by when they were posted.

What was posted lately is asked for at every look, with its lots where the ERP tells them. Rows
become visible late and invoices are dated back, so the last days are asked for again, the longer
ones more rarely.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from pricing_proxy.clock import Clock
from sync.engine.sources import Marks
from sync.invoices.finding import BillFinder, Span
from sync.papers.days import Days, one_by_one
from sync.papers.entering import FactEntry
from sync.papers.looks import Looks
from sync.papers.read_budget import ReadBudget
from sync.papers.reading_turns import ReadingTurn
from sync.papers.watched_market import WatchedMarket, begins_at

# Rows become visible late: after a long transaction, and from a replica.
_OVERLAP = timedelta(minutes=10)
# The lines of one invoice are made within seconds; at its beginning a window may cut one in two.
_CUT = timedelta(minutes=2)
# Heads have a date alone, so where they are all there is they are read more rarely.
_TODAY, _TODAY_AGAIN = timedelta(days=1), timedelta(minutes=2)
_BACK, _AGAIN = timedelta(days=3), timedelta(minutes=15)
_LONG_BACK, _LONG_AGAIN = timedelta(days=14), timedelta(hours=6)


class InvoiceSource:
    """Enters the bills of one market.

    Args:
        market: Whose.
        looks: One after the other.
        finder: Finds its bills.
        entering: Enters what is found.
        marks: How far was read.
        budget: Of requests.
        clock: Time.
    """

    def __init__(
        self,
        market: WatchedMarket,
        *,
        looks: Looks,
        finder: BillFinder,
        entering: FactEntry,
        marks: Marks,
        budget: ReadBudget,
        clock: Clock,
    ) -> None:
        self._market = market
        self._looks = looks
        self._finder = finder
        self._entering = entering
        self._marks = marks
        self._budget = budget
        self._clock = clock
        self._today = ReadingTurn(_TODAY_AGAIN)
        self._windows = (
            (_LONG_BACK, ReadingTurn(_LONG_AGAIN)),
            (_BACK, ReadingTurn(_AGAIN)),
        )

    async def look(self) -> int:
        """Enter what is new, and return how much; raises `UpstreamError`."""
        async with self._looks.one():
            return await self._look()

    async def look_again(self, numbers: Collection[str]) -> None:
        """Look at all of the last days now, since bills of some orders were missed."""
        del numbers
        for _, turn in self._windows:
            turn.done_at = None
        await self.look()

    async def hint(self, numbers: Collection[str]) -> None:
        """Look now, since the ERP told of orders or returns; what it told is looked up."""
        await self._looks.hinted(numbers, self._look_at)

    async def _look_at(self, hinted: Collection[str]) -> None:
        if any(hinted) and self._budget.left:
            self._today.done_at = None
            await self._look()

    async def _look(self) -> int:
        began_at, now = await begins_at(self._market, self._marks, self._clock), self._clock.utc()
        entered = await self._lately(began_at)
        for back, turn in self._windows:
            if turn.is_due(now):
                self._finder.forget_returns()
                entered += await self._dated(back, began_at)
                turn.done_at = now
        return entered

    async def _lately(self, began_at: datetime) -> int:
        name = self._market.mark("lines")
        kept = await self._marks.get(name)
        mark = began_at if kept is None else datetime.fromisoformat(kept)
        since = mark - _OVERLAP
        cut = since + _CUT if kept is not None else began_at
        changed = await self._finder.changed(since, Span(max(cut, began_at)))
        if changed is None:
            return await self._of_today(began_at)
        happened, newest = changed
        entered = await self._entering.enter(happened)
        await self._marks.put(name, max(mark, newest or mark).isoformat())
        return entered

    async def _of_today(self, began_at: datetime) -> int:
        now = self._clock.utc()
        if not self._today.is_due(now):
            return 0
        entered = await self._dated(_TODAY, began_at)
        self._today.done_at = now
        return entered

    async def _dated(self, back: timedelta, began_at: datetime) -> int:
        today, entered = self._clock.utc().date(), 0
        first, span = today - back, Span(began_at)
        for day, last in one_by_one(first, today) if back == _LONG_BACK else [Days(first)]:
            found = await self._finder.dated(day, span, until=last)
            entered += await self._entering.enter(found)
        return entered
