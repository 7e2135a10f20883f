"""Watch one market's orders in the ERP: their slips and parcels by date, their headers in turn."""

from collections.abc import Collection

from sync.order_status.headers import Headers
from sync.order_status.papers import Papers
from sync.papers.looks import Looks
from sync.papers.read_budget import ReadBudget


class StatusSource:
    """Watches one market.

    Args:
        looks: One after the other.
        papers: Finds the slips and parcels of its orders.
        headers: Follows their status.
        budget: Of requests.
    """

    def __init__(
        self, looks: Looks, *, papers: Papers, headers: Headers, budget: ReadBudget
    ) -> None:
        self._looks = looks
        self._papers = papers
        self._headers = headers
        self._budget = budget

    async def look(self) -> int:
        """Enter what happened, and return how much of it is new; raises `UpstreamError`."""
        async with self._looks.one():
            entered = await self._papers.look()
            await self._headers.look()
            return entered

    async def hint(self, numbers: Collection[str]) -> None:
        """Look now, since the ERP told of orders; other companies' are left to their own time."""
        await self._looks.hinted(numbers, self._look_at)

    async def _look_at(self, hinted: Collection[str]) -> None:
        if await self._headers.want(hinted) and self._budget.left:
            await self._papers.look(hinted)
            await self._headers.look(is_hinted=True)
