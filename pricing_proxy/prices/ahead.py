"""Read anew, before its fresh time ends, what is asked for often: nobody meets it stale.

A page leaves one reference behind; everything else happens once a second, behind all
requests. A line that was asked for three times during the life of its entry is due at four
fifths of `soft`. Lines of a shared account (guests) are due whoever asked; one process
claims each in Redis, and the others find what it read there.
"""

import asyncio
import heapq
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from pricing_proxy.background import Background
from pricing_proxy.names import ByName
from pricing_proxy.prices.basis import Basis
from pricing_proxy.prices.ports import CacheFailedError
from pricing_proxy.prices.query import Context, Key, PriceQuery, canonical_quantity
from pricing_proxy.prices.seen import drop_oldest
from pricing_proxy.prices.warming import Warmer
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item

_TICK_SECONDS = 1.0
# Looked at each second. A busier process is sampled; 128 pages of 24 lines cost 2 ms.
_SAMPLED_PAGES = 128
# Asked for three times within the 240 s before it is due, so every 80 s or more often: the
# chance that nobody asks during the 300 s of the next life is 2 %.
_HOT_FROM = 3
_DUE_AT_FIFTHS = 4
# Each takes a kilobyte; more hot lines than this are refreshed behind the answer, as before.
_MOST_TRACKED = 10_000
# Calls a second, at the least limit of the bulkhead: never in the way of customers.
_MOST_LOADS = 4
# As long as a load may take.
_HOLD = timedelta(seconds=10)


class _Asked(NamedTuple):
    """How often an entry's line was asked for."""

    loaded_us: int
    times: int


class _Due(NamedTuple):
    """A hot line; ordered by when it is due."""

    at_us: int
    context: Context
    key: Key
    loaded_us: int


class RefreshAhead(Background):
    """Watches pages and starts loads; an async context manager that owns its task.

    Args:
        basis: What finding a price rests on.
        warmer: Starts loads, and knows what customers see.
    """

    def __init__(self, basis: Basis, *, warmer: Warmer) -> None:
        self._basis = basis
        self._warmer = warmer
        self._asked: OrderedDict[tuple[Context, Key], _Asked] = OrderedDict()
        self._due: list[_Due] = []

    async def tick(self) -> None:
        """Look at the pages since the last time, start what is due, and save what was seen."""
        sampled, self._warmer.pages = self._warmer.pages, deque(maxlen=_SAMPLED_PAGES)
        for query in sampled:
            self._count(query)
        await self._start_due()
        await self._warmer.seen.save()

    def _count(self, query: PriceQuery) -> None:
        market, context = self._basis.markets[query.market], query.context
        items, shelf = market.master.items() or ByName({}), self._basis.memory.shelf(query.context)
        hot_from = 1 if market.is_shared(query.account) else _HOT_FROM
        for line in query.lines:
            item = items.find(line.sku)
            if item is None:
                continue
            key = Key(item.sku, line.unit or item.sales_unit, canonical_quantity(line.quantity))
            entry = shelf.get(key)
            if entry is None:
                continue
            asked = self._asked.get((context, key))
            is_same = asked is not None and asked.loaded_us == entry.loaded_us
            times = asked.times + 1 if asked is not None and is_same else 1
            self._asked[context, key] = _Asked(entry.loaded_us, times)
            if times == hot_from and len(self._due) < _MOST_TRACKED:
                at_us = entry.loaded_us + entry.soft_us * _DUE_AT_FIFTHS // 5
                heapq.heappush(self._due, _Due(at_us, context, key, entry.loaded_us))
        drop_oldest(self._asked, _MOST_TRACKED)

    async def _start_due(self) -> None:
        due: dict[Context, dict[Key, Item]] = {}
        now_us = self._basis.clock.monotonic_us()
        while self._due and self._due[0].at_us <= now_us:
            context = self._due[0].context
            if context not in due and len(due) == _MOST_LOADS:
                break  # the rest waits for the next second
            line = heapq.heappop(self._due)
            item = self._still_hot(line, now_us)
            if item is not None:
                due.setdefault(context, {})[line.key] = item
        for context, items in due.items():
            await self._start(context, items)

    def _still_hot(self, due: _Due, now_us: int) -> Item | None:
        """Return the line's item if its entry is still the same, and still fresh."""
        entry = self._basis.memory.shelf(due.context).get(due.key)
        if entry is None or entry.loaded_us != due.loaded_us:
            return None
        if now_us >= entry.loaded_us + entry.soft_us:
            return None  # too late: the next page refreshes it behind its answer
        items = self._basis.markets[due.context.market].master.items() or ByName({})
        return items.get(due.key.sku)

    async def _start(self, context: Context, items: Mapping[Key, Item]) -> None:
        market = self._basis.markets[context.market]
        customer: Customer | None = market.master.customer(context.account)
        if customer is None or not self._warmer.is_well(context.market):
            return
        if market.is_shared(context.account):
            try:
                ours = await self._warmer.marks.claim_lines(context, list(items), _HOLD)
            except CacheFailedError:
                return  # every process would read them; the next page does, when they are stale
            items = {key: items[key] for key in ours}
        self._warmer.refresh_ahead(context, customer, items)

    async def _for_ever(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            await self.tick()
