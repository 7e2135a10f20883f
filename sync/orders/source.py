"""Which orders are to be sent: the poll, the hourly sweep, a hint of the shop, one by hand.

An order is entered once for its whole life, under one source key; whoever sees it first
enters it, and the others find it there. It is entered again only to be cancelled. Orders
from before `start_at` are entered by `export` alone, so a first start sends no history; and
where one that the ERP has is cancelled.
What the shop has not paid or holds back is left alone until its state moves, which moves
`updated_at`.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sync.engine.polling import Polling
from sync.engine.sources import ShopDocument, enter
from sync.magento.odd_rows import OddRow, RowPage
from sync.magento.order_models import OrderHead
from sync.orders.ports import ShopOrders
from sync.orders.rules import FLOW, OrderRules
from sync.store.lines import Urgency

# Before any shop: the first poll of a market that starts at an increment id reads all heads once.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Census:
    """How many orders of the shop are in and out, by status; asked before the first run.

    Attributes:
        elsewhere: Of stores that no market names.
        odd: Those that cannot be read.
    """

    entered: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    elsewhere: int = 0
    odd: list[OddRow] = field(default_factory=list)


class OrderSource:
    """Enters the orders of all markets of one shop.

    Args:
        shop: The shop's client.
        polling: What it is read with.
        market_of_store: Market by store view.
        rules: Rules by market.
    """

    def __init__(
        self,
        shop: ShopOrders,
        polling: Polling,
        *,
        market_of_store: Mapping[int, str],
        rules: Mapping[str, OrderRules],
    ) -> None:
        self._shop = shop
        self._polling = polling
        self._market_of_store = market_of_store
        self._rules = rules

    async def poll(self) -> int:
        """Enter what changed since the last poll, and return how many are new."""
        if not self._rules:
            return 0
        return await self._polling.read_changes(
            "orders.updated_at",
            self._shop.order_heads_changed,
            self._enter,
            source=FLOW,
            first=self._first_look(),
        )

    async def look_again(self) -> int:
        """Enter what could not be read before and can be now; return how many."""
        return await self._polling.look_again(FLOW, self._shop.heads, self._enter)

    async def sweep(self) -> int:
        """Enter every order without an ERP number that nobody has entered; return how many.

        Where the history ends is remembered, so that it is read through only once.
        """
        kept = int(await self._polling.watermarks.get("orders.history_ends") or 0)
        odd = await self._polling.odd_rows.of(FLOW)
        history_ends, entered, is_history = kept, 0, True
        async with aclosing(self._without_number(after=kept, without=odd.unserved)) as pages:
            async for page in pages:
                await odd.take(page)
                for head in page.rows:
                    is_history = is_history and not self._may_enter(head)
                    if is_history:
                        history_ends = head.entity_id
                entered += await self._polling.enter_page(
                    page.rows, self._enter, urgency=Urgency.BACKLOG
                )
        if history_ends > kept:
            await self._polling.watermarks.put("orders.history_ends", str(history_ends))
        return entered

    async def hint(self, entity_id: int) -> bool:
        """Enter an order that the shop told of; what it said is not believed but looked up."""
        return await self._polling.look_up(FLOW, self._shop.heads, entity_id, self._enter)

    async def export(self, entity_id: int) -> bool | None:
        """Enter one order whatever its age; None when there is no such order of any market."""
        order = await self._shop.order(entity_id)
        market = None if order is None else self._market_of_store.get(order.store_id)
        if order is None or market is None:
            return None
        return await self._receive(order, market, "export", {"is_forced": True})

    async def census(self) -> Census:
        """Count the orders without an ERP number, by what a first start would do with them."""
        census = Census()
        async with aclosing(self._without_number(after=0)) as pages:
            async for page in pages:
                census.odd.extend(page.odd)
                for head in page.rows:
                    self._count(census, head)
        return census

    def _first_look(self) -> datetime:
        instants = [
            rules.start_at for rules in self._rules.values() if isinstance(rules.start_at, datetime)
        ]
        every_market_has_one = len(instants) == len(self._rules)
        return min(instants) if every_market_has_one else _LONG_AGO

    def _without_number(
        self, *, after: int, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[OrderHead], None]:
        return self._shop.order_heads_without_erp_number(after_entity_id=after, without=without)

    def _count(self, census: Census, head: OrderHead) -> None:
        market = self._market_of_store.get(head.store_id)
        if market is None:
            census.elsewhere += 1
        elif is_in(head, self._rules[market]):
            census.entered[head.status] += 1
        else:
            census.left_out[head.status] += 1

    def _may_enter(self, head: OrderHead) -> bool:
        market = self._market_of_store.get(head.store_id)
        return market is not None and is_in(head, self._rules[market])

    async def _enter(self, head: OrderHead) -> bool:
        market = self._market_of_store.get(head.store_id)
        if market is None:
            return False
        rules = self._rules[market]
        if is_canceled(head):
            # Also without an ERP number: it may be under way just now.
            is_ours = bool(head.ext_order_id) or is_in(head, rules)
            return is_ours and await self._receive(head, market, "cancel", {})
        # With an ERP number it was entered before, or the number is somebody else's.
        if not is_in(head, rules) or is_held_back(head, rules):
            return False
        return await self._receive(head, market, "export", {})

    async def _receive(
        self, head: OrderHead, market: str, task: str, more: Mapping[str, Any]
    ) -> bool:
        document = ShopDocument(FLOW, market, head.entity_id, head.increment_id)
        payload = {"entity_id": head.entity_id, "task": task, **more}
        return await enter(self._polling.events, document, payload, what=task)


def is_in(head: OrderHead, rules: OrderRules) -> bool:
    """Return whether the order is from after the start."""
    start = rules.start_at
    if isinstance(start, datetime):
        return head.created_at >= start
    # Numbers of one store view have a fixed width until it is exhausted, then one digit more.
    # An order that was edited in the shop has its first one's number and "-1".
    number = head.increment_id.partition("-")[0]
    return number.isdecimal() and int(number) >= int(start)


def is_canceled(head: OrderHead) -> bool:
    """Return whether the shop has cancelled it as a whole."""
    return head.state == "canceled"


def is_held_back(head: OrderHead, rules: OrderRules) -> bool:
    """Return whether it waits for payment or a person in the shop."""
    return head.state in rules.waiting_states
