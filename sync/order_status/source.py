"""Watch one market's orders in the ERP: take in those that are new there, then look."""

from collections.abc import Collection
from datetime import UTC, datetime

from sync.engine.sources import Marks
from sync.order_status.headers import Headers
from sync.order_status.papers import Papers
from sync.order_status.ports import KeptWatch
from sync.order_status.watched_market import WatchedMarket

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class StatusSource:
    """Watches one market.

    Args:
        market: Whose orders.
        watch: Where they are kept.
        papers: Finds their slips and parcels.
        headers: Follows their status.
        marks: How far was read.
    """

    def __init__(
        self,
        market: WatchedMarket,
        *,
        watch: KeptWatch,
        papers: Papers,
        headers: Headers,
        marks: Marks,
    ) -> None:
        self._market = market
        self._watch = watch
        self._papers = papers
        self._headers = headers
        self._marks = marks

    async def look(self) -> int:
        """Enter what happened, and return how much of it is new; raises `UpstreamError`."""
        await self._take_in()
        entered = await self._papers.look()
        await self._headers.look()
        return entered

    async def hint(self, numbers: Collection[str]) -> None:
        """Look now, since the ERP told of orders; other companies' are left to their own time."""
        await self._take_in()
        if await self._headers.want(numbers):
            await self._papers.look()
            await self._headers.look()

    async def _take_in(self) -> None:
        name = self._market.mark("orders")
        kept = await self._marks.get(name)
        since = _EVER if kept is None else datetime.fromisoformat(kept)
        next_since = await self._watch.take_in(self._market.code, since)
        await self._marks.put(name, next_since.isoformat())
