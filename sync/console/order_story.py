"""Read an order's whole story: the shop's order, our events and calls, the ERP's documents.

Each side is read as far as it can be reached; one that cannot costs its own part only, and
the story says so.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from pricing_proxy.d365.fo.order_models import (
    SalesOrderHeaderRow,
    SalesOrderLineRow,
    SalesOrderTotalsRow,
)
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.resilience.errors import UpstreamError
from sync.console.event_story import EventStory, story_of
from sync.magento.models import Order
from sync.stores import Stores

T = TypeVar("T")

_ORDERS, _RETURNS = "orders", "returns"
# Somebody is looking at the screen: a side that takes longer counts as away.
_PATIENCE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpOrder:
    """A sales order of the ERP that carries the shop's number."""

    header: SalesOrderHeaderRow
    lines: Sequence[SalesOrderLineRow]
    totals: SalesOrderTotalsRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStory:
    """All that is known of one order.

    Attributes:
        order: The shop's; None where there is none, or the shop could not say.
        market: Of its store view, or of its events; empty when neither is known.
        erp: What the ERP of each market that was asked has; usually one of each.
        events: Ours, with their calls: the order's, and those of its credit memos.
        silent: What each side that could not be asked said, by its name.
    """

    number: str
    order: Order | None
    market: str
    erp: Mapping[str, Sequence[ErpOrder]]
    events: Sequence[EventStory]
    silent: Mapping[str, str]


class OrderReader:
    """Reads stories.

    Args:
        opened: What the sync keeps.
        order: Finds the shop's order by its number.
        memos: Finds the numbers of its credit memos by its internal id.
        erps: The sales orders of each market, with the company they are in.
        market_of_store: Market by store view.
    """

    def __init__(
        self,
        opened: Stores,
        *,
        order: Callable[[str], Awaitable[Order | None]],
        memos: Callable[[int], Awaitable[list[str]]],
        erps: Mapping[str, tuple[SalesOrders, str]],
        market_of_store: Mapping[int, str],
    ) -> None:
        self._opened = opened
        self._order = order
        self._memos = memos
        self._erps = erps
        self._market_of_store = market_of_store

    async def read(self, number: str) -> OrderStory:
        """Return the story of an order by the number that customers know."""
        silent: dict[str, str] = {}
        order = await _heard("the shop", self._order(number), silent)
        memos: list[str] = []
        if order is not None:
            memos = await _heard("its credit memos", self._memos(order.entity_id), silent) or []
        events = await self._events(number, memos)
        market = self._market(order, events)
        found: dict[str, Sequence[ErpOrder]] = {}
        for code in [market] if market in self._erps else self._erps:
            erp = await _heard(f"the ERP of {code}", self._erp_orders(code, number), silent)
            found |= {} if erp is None else {code: erp}
        return OrderStory(
            number=number, order=order, market=market, erp=found, events=events, silent=silent
        )

    async def _events(self, number: str, memos: Sequence[str]) -> list[EventStory]:
        # A number is unique within its flow only: order and credit memo may share one.
        wanted = [(_ORDERS, number), *((_RETURNS, memo) for memo in memos)]
        found = [
            event
            for flow, key in wanted
            for event in await self._opened.overview.by_key(key)
            if event.flow == flow
        ]
        return [await story_of(self._opened, event) for event in found]

    def _market(self, order: Order | None, events: Sequence[EventStory]) -> str:
        named = None if order is None else self._market_of_store.get(order.store_id)
        return named or next((story.event.market for story in events), "")

    async def _erp_orders(self, market: str, number: str) -> list[ErpOrder]:
        erp, company = self._erps[market]
        return [
            ErpOrder(
                header=header,
                lines=await erp.lines(company, header.SalesOrderNumber),
                totals=await erp.totals(company, header.SalesOrderNumber),
            )
            for header in await erp.find(company, number)
        ]


async def _heard(side: str, asked: Awaitable[T], silent: dict[str, str]) -> T | None:
    """Return an answer; without one, note why."""
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            return await asked
    except UpstreamError as error:
        silent[side] = str(error)
    except TimeoutError:
        silent[side] = f"did not answer within {_PATIENCE.total_seconds():.0f} s"
    return None
