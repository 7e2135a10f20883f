"""Keep one market's item and customer maps: read from the ERP by one replica, from Redis by all.

A SKU outside the item map never reaches the ERP. When the ERP is away at start, the maps kept
in Redis serve, and are looked for until they are there; a failed refresh, or an answer that is
not believed (`held_map`), leaves the last maps standing and is tried again. Whose turn it is to
read stands in Redis; where Redis does not answer, every replica reads for itself.

Accounts newer than the map are asked of Redis every few seconds (`single_customers`), and so is
who a shop's customer is (`shop_ids`). Items and customers are found by any spelling that Magento
and F&O take for theirs (`pricing_proxy.names`).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Self

from pricing_proxy.background import Background, Ongoing
from pricing_proxy.clock import Clock
from pricing_proxy.names import ByName
from pricing_proxy.prices.held_map import HeldMap, MapView
from pricing_proxy.prices.ports import KeptMaps, MasterDataReader
from pricing_proxy.prices.shop_ids import ShopIds
from pricing_proxy.prices.single_customers import SingleCustomers
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamError
from pricing_proxy.shared_state.customer_map import CUSTOMERS, Customer
from pricing_proxy.shared_state.item_map import ITEMS, Item
from pricing_proxy.shared_state.maps import SharedStateError, Turn

_log = logging.getLogger(__name__)

_FIRST_RETRY = timedelta(seconds=5)
_LONGEST_RETRY = timedelta(seconds=60)
# How soon what another replica read is found; the first line of a map is asked for.
_LOOK_EVERY = timedelta(seconds=15)
# And while there is no map at all.
_LOOK_OFTEN = timedelta(seconds=1)
# Whoever reads the ERP says so for this long, and again in half of it: one that died is replaced.
_READING = timedelta(seconds=60)
# Its turn ends by so much before it is due itself: whoever read is the first to read again.
_EARLIER = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


class MarketMaps(Background):
    """The maps of one market; an async context manager that refreshes them.

    Args:
        market: Code of the market.
        reader: Reads them from the ERP.
        kept: Where they are kept.
        clock: Time.
        refresh_every: How often they are read anew.
        least_percent: Share of a map that the ERP must list to be believed.
        seeds: Accounts of shop ids to write into the map at start, for trying things out.
    """

    def __init__(
        self,
        market: str,
        *,
        reader: MasterDataReader,
        kept: KeptMaps,
        clock: Clock,
        refresh_every: timedelta,
        least_percent: int,
        seeds: Mapping[int, str] | None = None,
    ) -> None:
        self._market = market
        self._reader = reader
        self._kept = kept
        self._clock = clock
        self._refresh_every = refresh_every
        self._items = HeldMap(ITEMS, market, kept=kept, least_percent=least_percent)
        self._customers = HeldMap(CUSTOMERS, market, kept=kept, least_percent=least_percent)
        self._ids = ShopIds(market, kept=kept, clock=clock, seeds=seeds or {})
        self._single = SingleCustomers(market, reader=reader, kept=kept, clock=clock)
        self._due_us = 0
        self._retry = _FIRST_RETRY
        self._is_redis_lost = False
        self._reading = asyncio.Lock()
        self._is_reading = False
        self._begun = 0
        self._failure: UpstreamError | None = None

    async def __aenter__(self) -> Self:
        await self._look()
        return await super().__aenter__()

    @property
    def is_ready(self) -> bool:
        """Whether both maps are there, from the ERP or kept."""
        return self._items.rows is not None and self._customers.rows is not None

    @property
    def has_customers(self) -> bool:
        """Whether the customer map is there; without it the ERP is asked for single ones."""
        return self._customers.rows is not None

    @property
    def ids(self) -> ShopIds:
        """Whose the shop's customers are."""
        return self._ids

    def views(self) -> Mapping[str, MapView]:
        """Return how each map is that is there or was refused, for the status page."""
        now = self._clock.utc()
        found = {"items": self._items.view(now), "customers": self._customers.view(now)}
        return {name: view for name, view in found.items() if view is not None}

    def items(self) -> ByName[Item] | None:
        """Return all items by SKU, None before they were ever read."""
        return self._items.rows

    def customers(self) -> ByName[Customer] | None:
        """Return all customers by account, None before they were ever read."""
        return self._customers.rows

    def customer(self, account: str) -> Customer | None:
        """Return a customer by any spelling of the account, None when not in the map."""
        customers = self._customers.rows
        return None if customers is None else customers.find(account)

    async def find_customer(self, account: str, *, asked_by: str = "") -> Customer | None:
        """Return a customer outside the map; asks the ERP only while there is no map.

        Args:
            account: By any spelling.
            asked_by: The name of the key that asks: keys take turns before the ERP.

        Raises:
            UpstreamError: There is no map and the ERP cannot tell.
        """
        noted = await self._single.noted(account)
        if noted is not None or self.has_customers:
            return noted
        return await self._single.ask(account, asked_by=asked_by)

    async def account_of(self, shop_id: int) -> str | None:
        """Return the ERP account of a shop's customer id; raises `SharedStateError`."""
        return await self._ids.account_of(shop_id)

    async def refresh(self) -> None:
        """Read both maps from the ERP, whosever turn it is, and keep them.

        Who asks while others wait shares their reading, which begins after all of them asked.

        Raises:
            UpstreamError: One of them was not read, or is not to be believed.
        """
        asked = self._begun
        async with self._reading:
            if self._begun == asked:
                self._begun += 1
                self._failure = UpstreamContractError("maps were not read", system=self._market)
                try:
                    await self._read()
                    self._failure = None
                except UpstreamError as error:
                    self._failure = error
        if self._failure is not None:
            raise self._failure

    async def _read(self) -> None:
        as_of = self._clock.utc()
        self._is_due_in(self._retry)
        longest = _LONGEST_RETRY
        async with self._said():
            try:
                await self._renew_both(as_of)
            except UpstreamError as error:
                if isinstance(error, UpstreamContractError):
                    # All of a catalog once a minute would be much to ask of an ERP.
                    longest = self._refresh_every
                self._is_due_in(self._retry)
                self._retry = min(self._retry * 2, longest)
                raise
            self._retry = _FIRST_RETRY
            self._is_due_in(self._refresh_every)

    async def _renew_both(self, as_of: datetime) -> None:
        """Read both: what is wrong with one answer is no matter of the other map's."""
        refused: UpstreamContractError | None = None
        try:
            await self._items.renew(self._reader.items, as_of)
        except UpstreamContractError as error:
            refused = error
        await self._customers.renew(self._reader.customers, as_of)
        self._single.forget_news()
        if refused is not None:
            raise refused

    def _is_due_in(self, wait: timedelta) -> None:
        self._due_us = self._clock.monotonic_us() + wait // _MICROSECOND

    @asynccontextmanager
    async def _said(self) -> AsyncIterator[None]:
        """Say that this replica reads the ERP; afterwards, that it has, until it is due again."""
        self._is_reading = True
        await self._hold(Turn.READING, _READING)
        try:
            yield
        finally:
            self._is_reading = False
            left = timedelta(microseconds=self._due_us - self._clock.monotonic_us())
            await self._hold(Turn.RESTING, max(left - _EARLIER, _EARLIER))

    def _ongoing(self) -> Ongoing:
        return [self._for_ever, self._say_so, self._look_on]

    async def _say_so(self) -> None:
        """Say again in time that this replica reads, while it does."""
        while True:
            await asyncio.sleep(_READING.total_seconds() / 2)
            if self._is_reading:
                await self._hold(Turn.READING, _READING)

    async def _hold(self, turn: Turn, hold: timedelta) -> None:
        with suppress(SharedStateError):  # `_look` says it
            await self._kept.hold_turn(self._market, turn, hold)

    async def _for_ever(self) -> None:
        while True:
            if self._clock.monotonic_us() >= self._due_us and await self._is_our_turn():
                await self._try_to_refresh()
            left = timedelta(microseconds=self._due_us - self._clock.monotonic_us())
            wait = min(left, self._look_every) if left > timedelta(0) else self._look_every
            await asyncio.sleep(wait.total_seconds())

    @property
    def _look_every(self) -> timedelta:
        return _LOOK_EVERY if self.is_ready else _LOOK_OFTEN

    async def _look_on(self) -> None:
        """Look what others brought, also while the ERP takes minutes to answer."""
        while True:
            await asyncio.sleep(self._look_every.total_seconds())
            await self._look()

    async def _is_our_turn(self) -> bool:
        try:
            turn = await self._kept.take_turn(self._market, _READING)
        except SharedStateError:
            return True
        if turn is Turn.RESTING and not self.is_ready:
            # What was read but is not there was not kept, or is gone: nobody will bring it.
            await self._look()
            return not self.is_ready
        return turn is Turn.MINE

    async def _try_to_refresh(self) -> None:
        try:
            await self.refresh()
        except UpstreamError as error:
            if not any(view.refused for view in self.views().values()):  # which is said, once
                _log.warning("maps of market %s were not refreshed: %s", self._market, error)

    async def _look(self) -> None:
        """Take from Redis what others brought: maps, and whose the shop's ids are."""
        try:
            await self._items.follow()
            if await self._customers.follow():
                self._single.forget_news()
            await self._ids.follow(self._refresh_every)
        except SharedStateError as error:
            if not self._is_redis_lost:
                _log.warning("kept maps of market %s cannot be read: %s", self._market, error)
            self._is_redis_lost = True
        else:
            self._is_redis_lost = False
