"""One map of a market in memory: the kept one, or what the ERP lists, where that is to be believed.

An answer that is empty, or has less than a share of what stands in the map, in any set it is read
from, replaces nothing: a lost right, a filter or a page that is missing looks like that, and all
that is not in the map could not be sold. It is said until an answer is believed.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from pricing_proxy.names import ByName
from pricing_proxy.prices.ports import KeptMaps, Listing
from pricing_proxy.resilience.errors import UpstreamContractError
from pricing_proxy.shared_state.kept_map import KeptMap, MapHead, MapKind
from pricing_proxy.shared_state.map_rows import by_name, let_go
from pricing_proxy.shared_state.maps import SharedStateError

R = TypeVar("R")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MapView:
    """How a map is.

    Attributes:
        rows: How many there are.
        age: Since the ERP was asked for them; None where there is no map.
        clashes: How many are found by their own spelling only.
        refused: Why the ERP's last answer was not believed; None when it was.
        odd: What people are told of rows that this replica could not read; empty for none.
        odd_count: How many those are.
    """

    rows: int
    age: timedelta | None
    clashes: int
    refused: str | None
    odd: str = ""
    odd_count: int = 0


class HeldMap(Generic[R]):
    """The rows of one kind, as last believed.

    Args:
        kind: What they are.
        market: Code of the market.
        kept: Where they outlive this process.
        least_percent: What share of each set an answer must have.

    Attributes:
        rows: By any spelling of their names; None before there were any.
    """

    def __init__(
        self, kind: MapKind[R], market: str, *, kept: KeptMaps, least_percent: int
    ) -> None:
        self.rows: ByName[R] | None = None
        self._as_of: datetime | None = None
        self._clashes = 0
        self._refused: str | None = None
        self._odd, self._odd_count = "", 0
        self._sizes: Mapping[str, int] = {}
        self._kind = kind
        self._market = market
        self._kept = kept
        self._least_percent = least_percent
        self._changing = asyncio.Lock()
        # Which kept map is known here; no order of two hosts' clocks.
        self._seen: datetime | None = None
        self._is_unkept = False

    def view(self, now: datetime) -> MapView | None:
        """Return how it is, None where there is nothing to say yet."""
        if self.rows is None and self._refused is None:
            return None
        age = None if self._as_of is None else now - self._as_of
        rows = len(self.rows or ())
        return MapView(rows, age, self._clashes, self._refused, self._odd, self._odd_count)

    async def follow(self) -> bool:
        """Take the kept map where it is another one; return whether it was.

        Raises:
            SharedStateError: It cannot be read.
        """
        async with self._changing:
            return await self._follow()

    async def _follow(self) -> bool:
        head = await self._kept.head(self._kind, self._market)
        if self._is_unkept:
            # What is held was read while Redis took nothing: whatever is there is older.
            self._seen, self._is_unkept = None if head is None else head.as_of, False
        if head is None or head.as_of == self._seen:
            return False
        kept = await self._kept.read(self._kind, self._market, self.rows)
        if kept is None:
            return False
        await self._take(kept)
        # Whoever read it says so.
        self._odd, self._odd_count = "", 0
        self._seen, self._is_unkept = kept.as_of, False
        return True

    async def renew(
        self, read: Callable[[Mapping[str, R]], Awaitable[Listing[R]]], as_of: datetime
    ) -> None:
        """Take what the ERP lists, and keep it for others.

        Raises:
            UpstreamContractError: It is not to be believed; what stood stands.
            UpstreamError: It was not read.
        """
        try:
            listing = await read(self.rows or {})
            async with self._changing:
                await self._renew(listing, as_of)
        except UpstreamContractError as error:
            if self._refused is None:
                _log.warning("market %s: %s; what stood before stands", self._market, error)
            self._refused = str(error)
            raise

    async def _renew(self, listing: Listing[R], as_of: datetime) -> None:
        lacking = self._lacking(listing, await self._standing())
        if lacking is not None:
            raise UpstreamContractError(lacking, system=self._market)
        if listing.odd and listing.odd != self._odd:
            _log.warning("market %s: %s", self._market, listing.odd)
        kept = KeptMap(listing.rows, as_of, listing.sizes)
        await self._take(kept)
        self._odd, self._odd_count = listing.odd, listing.odd_count
        self._is_unkept = True
        try:
            await self._kept.keep(self._kind, self._market, kept)
            self._seen, self._is_unkept = as_of, False
        except SharedStateError as error:
            name = self._kind.name
            _log.warning("%s of market %s are not kept: %s", name, self._market, error)

    async def _standing(self) -> Mapping[str, int]:
        """Return the rows of each set that what is held or kept was read from."""
        try:
            head: MapHead | None = await self._kept.head(self._kind, self._market)
        except SharedStateError:
            head = None
        kept = {} if head is None else {**head.sizes, self._kind.name: head.count}
        held = {**self._sizes, self._kind.name: len(self.rows or ())}
        return {name: max(kept.get(name, 0), held.get(name, 0)) for name in {**kept, **held}}

    def _lacking(self, listing: Listing[R], standing: Mapping[str, int]) -> str | None:
        """Return which of the sets an answer is short of, in words; None when of none."""
        name = self._kind.name
        if not listing.rows:
            return f"the ERP lists no {name}"
        found = {**listing.sizes, name: len(listing.rows)}
        for each, before in standing.items():
            if found.get(each, 0) * 100 < before * self._least_percent:
                return (
                    f"the ERP lists {found.get(each, 0)} of {before} {each}, less than "
                    f"{self._least_percent} %"
                )
        return None

    async def _take(self, kept: KeptMap[R]) -> None:
        before, rows = self.rows, await by_name(kept.rows, self.rows)
        self.rows, self._as_of, self._sizes, self._refused = rows, kept.as_of, kept.sizes, None
        count = len(rows.spellings.clashes)
        if count and count != self._clashes:
            # How many, not which: an account is nobody's business here.
            _log.warning(
                "market %s: %d %s differ from others in nothing but letter case or outer blanks, "
                "and are found by their own spelling only",
                self._market,
                count,
                self._kind.name,
            )
        self._clashes = count
        if before is not None and before is not rows:
            gone = [*before.values()]
            del before
            await let_go(gone)
