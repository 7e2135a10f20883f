"""Read a list of the shop from a place on, so that nothing slips and no row stops the others.

A list that changes while it is read is read from place to place (`places`), never by page
numbers. Each row is judged by itself (`odd_rows`). Where the shop fails at a page (500) and
answers what loads no row, one row of it is at fault: ever smaller pages find where it stands, and
counts, which load nothing, what its id is. The rest is read as if it were not there. A page that
it fails at is neither asked for again nor held against the shop; a count is.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from pricing_proxy.resilience.errors import UpstreamContractError
from sync.engine.windows import Window
from sync.magento.answers import MagentoBrokeError, MagentoRejectedError
from sync.magento.calls import Calls
from sync.magento.odd_rows import RowPage, unserved
from sync.magento.places import CHANGED, ID, ByChange, ById, Groups, ListPlace, beyond, changed
from sync.magento.search import (
    Search,
    SearchCondition,
    SearchFilter,
    any_id,
    equals,
    no_id,
    wire_instant,
)
from sync.magento.window_groups import groups_of
from sync.magento.wire_types import ShopModel

M = TypeVar("M", bound=ShopModel)

# A request line has room for so many ids; where more rows are at fault, the rest is met anew.
_MOST_LEFT_OUT = 100
# The database's own column ends here; and no shop is older than so many seconds.
_HIGHEST = 2**32
_SECOND = timedelta(seconds=1)
_UP_TO = SearchCondition.AT_MOST


class ShopList(Generic[M]):
    """One list.

    Args:
        calls: Asks the shop.
        name: For metrics.
        model: What the rows are.
        route: Its path.
        search: Further conditions, page size and fields.
    """

    def __init__(self, calls: Calls, name: str, model: type[M], route: str, search: Search) -> None:
        self._calls = calls
        self._name = name
        self._model = model
        self._route = route
        self._search = search

    async def pages(
        self, place: ListPlace, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[M], None]:
        """Yield what comes after a place, a page at a time.

        Args:
            place: Where to begin.
            without: Rows that the shop cannot serve, as is known; they are not asked for.
        """
        left_out = sorted(without)[-_MOST_LEFT_OUT:]
        walk = _Walk(self._where(no_id(ID, left_out)) if left_out else self, place)
        while not walk.is_over:
            yield await walk.step()

    def within(
        self, window: Window, *, without: Collection[int] = (), soon: Sequence[SearchFilter] = ()
    ) -> AsyncGenerator[RowPage[M], None]:
        """Yield what changed within a window, a page at a time, by the instant of the change.

        Args:
            window: Which.
            without: As above.
            soon: See `window_groups`.
        """
        part = self._where(*groups_of(window, soon=soon))
        return part.pages(ByChange(window.since), without=without)

    def after(
        self, entity_id: int, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[M], None]:
        """Yield what has a higher id, a page at a time; see `pages`."""
        return self.pages(ById(entity_id), without=without)

    async def newest_id(self) -> int:
        """Return the highest id, 0 in an empty list; no row is loaded for it."""
        low, high = -1, 0
        while await self.count([beyond(high)]):
            low, high = high, max(high * 2, 1)
        while high - low > 1:
            middle = (low + high) // 2
            if await self.count([beyond(middle)]):
                low = middle
            else:
                high = middle
        return high

    async def of(self, ids: Collection[int]) -> AsyncGenerator[RowPage[M], None]:
        """Yield what the list has of these ids."""
        asked, size = sorted(ids), self._search.page_size
        for start in range(0, len(asked), size):
            part = self._where(any_id(ID, asked[start : start + size]))
            async for page in part.pages(ById()):
                yield page

    async def whole(self, place: ListPlace) -> list[M]:
        """Return all rows after a place.

        Raises:
            UpstreamContractError: One cannot be read; the text names it and the member at fault.
            MagentoBrokeError: The shop fails at one; the text names it.
        """
        rows: list[M] = []
        async for page in self.pages(place):
            rows += page.rows
            for odd in page.odd:
                raise self._calls.odd(self._model, odd)
        return rows

    async def alone(self, entity_id: int) -> RowPage[M]:
        """Return what the list has of one id, which the shop may be unable to serve."""
        rows = await self._where(equals(ID, entity_id)).try_rows(1)
        return RowPage(odd=[unserved(entity_id)]) if rows is None else self.page(rows)

    def page(self, rows: Sequence[Any]) -> RowPage[M]:
        """Return rows as they have just come, each judged by itself."""
        page = self._calls.page(self._model, rows)
        return replace(page, reading=self._calls.shop_clock.last)

    async def try_rows(self, size: int, place: ListPlace | None = None) -> Sequence[Any] | None:
        """Return a page as it came; None where the shop failed at it."""
        search = (
            replace(self._search, page_size=size) if place is None else self._after(place, size)
        )
        try:
            return await self._calls.rows(self._name, self._route, search, is_trial=True)
        except MagentoRejectedError as error:
            if error.status != HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            return None

    async def count(self, groups: Groups) -> int:
        """Return how many rows fit; none is loaded."""
        asked = replace(self._search, groups=(*self._search.groups, *groups))
        return await self._calls.count(self._name, self._route, asked)

    @property
    def page_size(self) -> int:
        """Rows of a page."""
        return self._search.page_size

    @property
    def same_again(self) -> UpstreamContractError:
        """What is raised where a page does not lead on."""
        return UpstreamContractError(
            f"{self._route}: the same page again", system=self._calls.system
        )

    @property
    def unexplained(self) -> MagentoBrokeError:
        """What is raised where no row is found that the shop could have failed at."""
        return MagentoBrokeError(
            f"{self._route}: answered 500 for no row", system=self._calls.system
        )

    def _where(self, *groups: Sequence[SearchFilter]) -> "ShopList[M]":
        search = replace(self._search, groups=(*self._search.groups, *groups))
        return ShopList(self._calls, self._name, self._model, self._route, search)

    def _after(self, place: ListPlace, size: int) -> Search:
        groups = (*self._search.groups, *place.groups)
        return replace(self._search, groups=groups, sort=place.sort, page_size=size)


@dataclass(slots=True)
class _Walk(Generic[M]):
    """One reading of a list.

    Attributes:
        listing: What is read.
        place: How far it is.
        is_over: Whether the list ends here.
        suspects: Among so many rows the shop fails at one; 0 while none is known to be there.
    """

    listing: ShopList[M]
    place: ListPlace
    is_over: bool = False
    suspects: int = 0

    async def step(self) -> RowPage[M]:
        """Return the next rows, none where the next page has to become smaller first."""
        size = max(self.suspects // 2, 1) if self.suspects else self.listing.page_size
        rows = await self.listing.try_rows(size, self.place)
        if rows is not None:
            self.suspects = max(self.suspects - size, 0)
            return self._taken(rows, size)
        if not self.suspects or size == 1:
            # One that is down fails also at what loads no row, and raises here.
            self.is_over = not await self.listing.count(self.place.groups)
        self.suspects = size
        return RowPage() if self.is_over or size > 1 else await self._around()

    def _taken(self, rows: Sequence[Any], size: int) -> RowPage[M]:
        self.is_over = len(rows) < size
        if not self.is_over:
            place = self.place.after(rows)
            if place is None:
                raise self.listing.same_again
            self.place = place
        return self.listing.page(rows)

    async def _around(self) -> RowPage[M]:
        """Return the next row, which the shop fails at, and go past it."""
        at, entity_id = await self._first()
        changed_at = None if at is None else wire_instant(at)
        place = self.place.after([{ID: entity_id, CHANGED: changed_at}])
        if entity_id is None or place is None:
            # What is counted changes, or does not fit: the next reading looks at it again.
            raise self.listing.unexplained
        self.place, self.suspects = place, 0
        page = await self.listing.alone(entity_id)
        return RowPage(page.rows, [replace(each, updated_at=at) for each in page.odd])

    async def _first(self) -> tuple[datetime | None, int | None]:
        """Return the first row after the place, found by counting: its second, and its id."""
        groups, at = [*self.place.groups], None
        lowest = self.place.last
        if isinstance(self.place, ByChange):
            since = self.place.since
            seconds = await self._least(
                lambda passed: [*groups, changed(since + passed * _SECOND, _UP_TO)], low=-1
            )
            if seconds is None:
                return None, None
            at, lowest = since + seconds * _SECOND, 0
            groups.append(changed(at, SearchCondition.EQUAL))
        entity_id = await self._least(
            lambda most: [*groups, (SearchFilter(ID, _UP_TO, str(most)),)], low=lowest
        )
        return at, entity_id

    async def _least(self, of: Callable[[int], Groups], *, low: int) -> int | None:
        """Return the least number above `low` up to which there is a row; None where none is."""
        step = 1
        while not await self.listing.count(of(low + step)):
            low, step = low + step, step * 2
            if low > _HIGHEST:
                return None
        high = low + step
        while high - low > 1:
            middle = (low + high) // 2
            if await self.listing.count(of(middle)):
                high = middle
            else:
                low = middle
        return high
