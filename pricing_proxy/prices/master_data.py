"""Keep one market's item and customer maps: read from the ERP, kept in Redis for the next start.

A SKU outside the item map never reaches the ERP. When the ERP is away at start, the maps
kept in Redis serve; a failed refresh leaves the last maps standing and tries again soon. Who a
shop's customer is, and accounts newer than the map, are asked of Redis every few seconds.
Items and customers are found by any spelling that Magento and F&O take for theirs
(`pricing_proxy.names`); rows that differ in nothing else are counted.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Generic, Self, TypeVar

from pricing_proxy.background import Background
from pricing_proxy.clock import Clock
from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.names import ByName, Spellings, same_name_key
from pricing_proxy.prices.ports import KeptMaps, MasterDataReader
from pricing_proxy.resilience.call_class import Caller
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.customer_map import CUSTOMERS, Customer
from pricing_proxy.shared_state.item_map import ITEMS, Item
from pricing_proxy.shared_state.kept_map import KeptMap, MapKind
from pricing_proxy.shared_state.maps import SharedStateError

_log = logging.getLogger(__name__)

_FIRST_RETRY = timedelta(seconds=5)
_LONGEST_RETRY = timedelta(seconds=60)
# "The ERP has no such customer" is believed this long while there is no map.
_UNKNOWN_US = 60 * SECOND_US
# A customer who was linked to another account, or to none, is followed within this.
_BELIEVED_US = 5 * SECOND_US
# While Redis is away, the last answer stands in as long as the maps themselves do.
_STANDS_IN_US = 900 * SECOND_US
# And Redis is asked again after this.
_ASKED_AGAIN_US = SECOND_US
# Remembered answers about single customers and shop ids; far above what one minute brings.
_MOST_REMEMBERED = 10_000
# Two milliseconds' work: answers are written in between.
_NAMES_AT_ONCE = 2000

V = TypeVar("V")
K = TypeVar("K")


@dataclass(slots=True)
class _Known(Generic[V]):
    """An answer of Redis: when it was read, and until when it need not be asked again."""

    value: V
    read_us: int
    until_us: int


class MarketMaps(Background):
    """The maps of one market; an async context manager that refreshes them.

    Args:
        market: Code of the market.
        reader: Reads them from the ERP.
        kept: Where they are kept.
        clock: Time.
        refresh_every: How often they are read anew.
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
        seeds: Mapping[int, str] | None = None,
    ) -> None:
        self._market = market
        self._reader = reader
        self._kept = kept
        self._clock = clock
        self._refresh_every = refresh_every
        self._seeds = seeds or {}
        self._items: ByName[Item] | None = None
        self._customers: ByName[Customer] | None = None
        self._as_of: dict[str, datetime] = {}
        self._clashes: dict[str, int] = {}
        self._looked_up: OrderedDict[str, tuple[Customer | None, int]] = OrderedDict()
        self._accounts: OrderedDict[int, _Known[str]] = OrderedDict()
        self._news: OrderedDict[str, _Known[Customer]] = OrderedDict()

    async def __aenter__(self) -> Self:
        await self._read_kept()
        return await super().__aenter__()

    @property
    def is_ready(self) -> bool:
        """Whether both maps are there, from the ERP or kept."""
        return self._items is not None and self._customers is not None

    @property
    def has_customers(self) -> bool:
        """Whether the customer map is there; without it the ERP is asked for single ones."""
        return self._customers is not None

    def ages(self) -> Mapping[str, tuple[int, timedelta]]:
        """Return the rows and the age of each map that is there, for the status page."""
        now = self._clock.utc()
        rows = {"items": len(self._items or ()), "customers": len(self._customers or ())}
        return {name: (rows[name], now - as_of) for name, as_of in self._as_of.items()}

    def clashes(self) -> Mapping[str, int]:
        """Return how many rows of each map are found by their own spelling only."""
        return self._clashes

    def items(self) -> ByName[Item] | None:
        """Return all items by SKU, None before they were ever read."""
        return self._items

    def customer(self, account: str) -> Customer | None:
        """Return a customer by any spelling of the account, None when not in the map."""
        return None if self._customers is None else self._customers.find(account)

    async def find_customer(self, account: str, *, asked_by: str = "") -> Customer | None:
        """Return a customer outside the map; asks the ERP only while there is no map.

        Args:
            account: By any spelling.
            asked_by: The name of the key that asks: keys take turns before the ERP.

        Raises:
            UpstreamError: There is no map and the ERP cannot tell.
        """
        noted = await self._noted(account)
        if noted is not None or self._customers is not None:
            return noted
        now_us = self._clock.monotonic_us()
        name = same_name_key(account)
        remembered = self._looked_up.get(name)
        if remembered is not None and now_us < remembered[1]:
            return remembered[0]
        customer = await self._reader.customer(
            account, caller=Caller(asked_by, f"{self._market}|{account}")
        )
        _remember(self._looked_up, name, (customer, now_us + _UNKNOWN_US))
        return customer

    async def account_of(self, shop_id: int) -> str | None:
        """Return the ERP account of a shop's customer id; raises `SharedStateError`.

        A change reaches this within five seconds. While Redis is away, who was known stays so
        for a quarter of an hour.
        """
        now_us = self._clock.monotonic_us()
        known = self._accounts.get(shop_id)
        if known is not None and now_us < known.until_us:
            return known.value
        try:
            account = await self._kept.account_of(self._market, shop_id)
        except SharedStateError:
            if known is None or now_us >= known.read_us + _STANDS_IN_US:
                raise
            known.until_us = now_us + _ASKED_AGAIN_US
            return known.value
        if account is None:
            self._accounts.pop(shop_id, None)
        else:
            _remember(self._accounts, shop_id, _Known(account, now_us, now_us + _BELIEVED_US))
        return account

    async def _noted(self, account: str) -> Customer | None:
        """Return a customer that the sync told of since the map was read."""
        now_us, name = self._clock.monotonic_us(), same_name_key(account)
        known = self._news.get(name)
        if known is not None and now_us < known.until_us:
            return known.value
        try:
            customer = await self._kept.noted_customer(self._market, account)
        except SharedStateError:
            return None if known is None else known.value
        if customer is not None:
            _remember(self._news, name, _Known(customer, now_us, now_us + _BELIEVED_US))
        return customer

    async def refresh(self) -> None:
        """Read both maps from the ERP and keep them; raises `UpstreamError`."""
        as_of = self._clock.utc()
        items = KeptMap(await self._reader.items(), as_of)
        self._items = await self._by_name(ITEMS, items)
        customers = KeptMap(await self._reader.customers(), as_of)
        self._customers = await self._by_name(CUSTOMERS, customers)
        self._news.clear()
        try:
            await self._kept.keep(ITEMS, self._market, items)
            await self._kept.keep(CUSTOMERS, self._market, customers)
        except SharedStateError as error:
            _log.warning("maps of market %s are not kept: %s", self._market, error)

    async def _read_kept(self) -> None:
        try:
            await self._write_seeds()
            items = await self._kept.read(ITEMS, self._market)
            customers = await self._kept.read(CUSTOMERS, self._market)
        except SharedStateError as error:
            _log.warning("kept maps of market %s cannot be read: %s", self._market, error)
            return
        if items is not None:
            self._items = await self._by_name(ITEMS, items)
        if customers is not None:
            self._customers = await self._by_name(CUSTOMERS, customers)

    async def _by_name(self, kind: MapKind[V], kept: KeptMap[V]) -> ByName[V]:
        """Return a map's rows by any spelling of their names, without holding the loop for all."""
        spellings, names = Spellings(), iter(kept.rows)
        while chunk := list(islice(names, _NAMES_AT_ONCE)):
            spellings.add(chunk)
            await asyncio.sleep(0)
        self._as_of[kind.name] = kept.as_of
        count = len(spellings.clashes)
        if count and count != self._clashes.get(kind.name):
            # How many, not which: an account is nobody's business here.
            _log.warning(
                "market %s: %d %s differ from others in nothing but letter case or outer blanks, "
                "and are found by their own spelling only",
                self._market,
                count,
                kind.name,
            )
        self._clashes[kind.name] = count
        return ByName(kept.rows, spellings)

    async def _write_seeds(self) -> None:
        """Write the seeds of ids that nobody has mapped: the sync's links are newer."""
        known = {one: await self._kept.account_of(self._market, one) for one in self._seeds}
        fresh = {one: each for one, each in self._seeds.items() if known[one] is None}
        await self._kept.map_accounts(self._market, fresh)

    async def _for_ever(self) -> None:
        pause = _FIRST_RETRY
        while True:
            if await self._is_refreshed():
                pause = _FIRST_RETRY
                await asyncio.sleep(self._refresh_every.total_seconds())
            else:
                await asyncio.sleep(pause.total_seconds())
                pause = min(pause * 2, _LONGEST_RETRY)

    async def _is_refreshed(self) -> bool:
        try:
            await self.refresh()
        except UpstreamError as error:
            _log.warning("maps of market %s were not refreshed: %s", self._market, error)
            return False
        return True


def _remember(answers: OrderedDict[K, V], name: K, answer: V) -> None:
    answers[name] = answer
    if len(answers) > _MOST_REMEMBERED:
        answers.popitem(last=False)
