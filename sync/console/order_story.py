"""Read an order's whole story: the shop's order, our events and calls, the ERP's documents.

A number may be that of several orders, one in each store view: each has a story of its own.
Each side is read as far as it can be reached; one that cannot costs its own part only, and
the story says so.
"""

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from pricing_proxy.d365.fo.order_models import (
    SalesOrderHeaderRow,
    SalesOrderLineRow,
    SalesOrderTotalsRow,
)
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.names import same_name_key
from pricing_proxy.resilience.errors import UpstreamError
from sync.console.event_story import EventStory, story_of
from sync.description import CameBack
from sync.flows import FLOWS
from sync.magento.order_models import Order
from sync.magento.shop import Shop
from sync.orders.rules import FLOW
from sync.sales.value_lines import own_line_references
from sync.serve.stores import Stores
from sync.store.records import EventRecord

T = TypeVar("T")

# Somebody is looking at the screen: a side that takes longer counts as away.
_PATIENCE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpOrder:
    """A sales order of the ERP that carries the shop's number.

    Attributes:
        is_anothers: Whether its lines are those of another order with this reference.
    """

    header: SalesOrderHeaderRow
    lines: Sequence[SalesOrderLineRow]
    totals: SalesOrderTotalsRow | None
    is_anothers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStory:
    """All that is known of one order.

    Attributes:
        number: What people call it.
        entity_id: What the shop calls it; empty where nobody knows.
        order: The shop's; None where there is none, or the shop could not say.
        market: Of its store view, or of its events; empty when neither is known.
        erp: What the ERP of each market that was asked has; usually one of each.
        events: Ours, with their calls: the order's, and those of its credit memos.
        came_back: What flows brought into the shop for it.
        silent: What each side that could not be asked said, by its name.
    """

    number: str
    entity_id: str
    order: Order | None
    market: str
    erp: Mapping[str, Sequence[ErpOrder]]
    events: Sequence[EventStory]
    came_back: Sequence[CameBack]
    silent: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesBook:
    """Where the ERP's orders of one market are.

    Attributes:
        prefixes: What may stand before the shop's numbers, by store view.
        flows: Which are on.
    """

    erp: SalesOrders
    company: str
    prefixes: Mapping[int, Collection[str]]
    flows: Collection[str]


class OrderReader:
    """Reads stories.

    Args:
        opened: What the sync keeps.
        shop: The shop.
        books: The sales orders of each market.
    """

    def __init__(
        self,
        opened: Stores,
        shop: Shop,
        *,
        books: Mapping[str, SalesBook],
    ) -> None:
        self._opened = opened
        self._shop = shop
        self._books = books

    async def read(
        self, number: str, *, store: int | None = None, entity_id: int | None = None
    ) -> list[OrderStory]:
        """Return the story of each order of a number that people know.

        Args:
            number: What people call it.
            store: Only of this store view.
            entity_id: Only the one that the shop calls so.
        """
        silent: dict[str, str] = {}
        found = await _heard("the shop", self._shop.orders.orders_by_increment_id(number), silent)
        orders = {str(order.entity_id): order for order in found or ()}
        events = await self._opened.overview.by_key(number, flow=FLOW)
        # Also those that the shop has no more, or could not tell of.
        ids = dict.fromkeys([*orders, *(event.document_id or "" for event in events)])
        wanted = [
            each
            for each in ids
            if entity_id in (None, int(each or 0))
            and (store is None or (each in orders and orders[each].store_id == store))
            and (each or not orders)
        ]
        # Nobody told of one; perhaps the ERP does.
        if not wanted and store is None and entity_id is None:
            wanted = [""]
        return [
            await self._story(number, each, orders.get(each), events, silent) for each in wanted
        ]

    async def _story(
        self,
        number: str,
        entity_id: str,
        order: Order | None,
        events: Sequence[EventRecord],
        heard: Mapping[str, str],
    ) -> OrderStory:
        silent = dict(heard)
        # One that is known by its number only may be any of that number.
        own = [event for event in events if event.document_id in (None, entity_id)]
        if order is not None:
            own += await self._of_order(order, silent)
        market = self._market(order, own)
        found: dict[str, Sequence[ErpOrder]] = {}
        for code in [market] if market in self._books else self._books:
            asked = self._erp_orders(self._books[code], number, order)
            erp = await _heard(f"the ERP of {code}", asked, silent)
            found |= {} if erp is None else {code: erp}
        return OrderStory(
            number=number,
            entity_id=entity_id,
            order=order,
            market=market,
            erp=found,
            events=[await story_of(self._opened, event) for event in own],
            came_back=await self._came_back(order, market, silent),
            silent=silent,
        )

    async def _of_order(self, order: Order, silent: dict[str, str]) -> list[EventRecord]:
        """Return the events of its other documents."""
        found = []
        for flow in FLOWS:
            if flow.of_order is not None:
                what, ids = flow.of_order
                for one in await _heard(what, ids(self._shop, order.entity_id), silent) or ():
                    found += await self._opened.overview.by_document(flow.name, str(one))
        return found

    async def _came_back(
        self, order: Order | None, market: str, silent: dict[str, str]
    ) -> list[CameBack]:
        """Return what flows that are on for its market brought into the shop for an order."""
        found: list[CameBack] = []
        if order is None or market not in self._books:
            return found
        for flow in FLOWS:
            if flow.came_back is not None and flow.name in self._books[market].flows:
                asked = flow.came_back(self._shop, order)
                found += await _heard(f"the shop on {flow.name}", asked, silent) or ()
        return found

    def _market(self, order: Order | None, events: Sequence[EventRecord]) -> str:
        for code, book in self._books.items():
            if order is not None and order.store_id in book.prefixes:
                return code
        return next((event.market for event in events), "")

    async def _erp_orders(
        self, book: SalesBook, number: str, order: Order | None
    ) -> list[ErpOrder]:
        prefixes = {
            prefix
            for store, forms in book.prefixes.items()
            if order is None or store == order.store_id
            for prefix in forms
        }
        own = set() if order is None else own_line_references(order)
        orders: dict[str, ErpOrder] = {}
        for prefix in sorted(prefixes):
            for header in await book.erp.find(book.company, f"{prefix}{number}"):
                name = header.SalesOrderNumber
                lines = await book.erp.lines(book.company, name)
                named = {same_name_key(line.OrderLineReference) for line in lines}
                orders[name] = ErpOrder(
                    header=header,
                    lines=lines,
                    totals=await book.erp.totals(book.company, name),
                    is_anothers=bool(own and named and not own & named),
                )
        return list(orders.values())


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
