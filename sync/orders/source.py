"""Which orders are to be sent: the poll, the hourly sweep, a hint of the shop, one by hand.

An order is entered once for its whole life, under one source key; whoever sees it first
enters it, and the others find it there. It is entered again when it is cancelled, and for
what else becomes of it once it is in the ERP: a part of it cancelled, put on hold or taken off,
another delivery address. Orders from before `start_at` are entered by `export` alone, so a
first start sends no history; and where one that the ERP has is cancelled.
What the shop has not paid or holds back is left alone until its state moves, which moves
`updated_at`.

The sweep finds what the poll cannot see: orders without an ERP number, rows that became visible
late, and addresses, whose change moves nothing of the order.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sync.engine.flow import Links
from sync.engine.late_rows import read_late
from sync.engine.polling import Polling
from sync.engine.sources import ShopDocument, enter
from sync.magento.odd_rows import OddRow, RowPage
from sync.magento.order_models import OrderHead, ShippedOrder
from sync.orders.addresses import delivery_digest, is_delivered_to
from sync.orders.own_headers import LINK
from sync.orders.ports import ShopOrders
from sync.orders.rules import FLOW, OrderRules
from sync.orders.starts import Side, Starts
from sync.store.lines import Urgency

CHANGE = "change"
"""The task of carrying over what became of an order after it was sent."""
STOPPED = "order_stopped"
"""Links an order to its number in the ERP while it is stopped there because the shop holds it."""

# Before any shop: the first poll of a market that starts at an increment id reads all heads once.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_WATERMARK, _DECIDED = "orders.updated_at", "orders.decided"
# Whose odd rows are those that only the sweep of what the ERP has reads in full.
_SENT = "sent orders"


@dataclass(slots=True)
class Census:
    """How many orders of the shop are in and out, by status; asked before the first run.

    Attributes:
        undecided: Those whose numbers cannot be compared with the start; they are not sent.
        elsewhere: Of stores that no market names.
        odd: Those that cannot be read.
    """

    entered: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    undecided: Counter[str] = field(default_factory=Counter)
    elsewhere: int = 0
    odd: list[OddRow] = field(default_factory=list)


class OrderSource:
    """Enters the orders of all markets of one shop.

    Args:
        shop: The shop's client.
        polling: What it is read with.
        market_of_store: Market by store view.
        rules: Rules by market.
        starts: Says which orders are history.
        links: The entity map of each market.
    """

    def __init__(
        self,
        shop: ShopOrders,
        polling: Polling,
        *,
        market_of_store: Mapping[int, str],
        rules: Mapping[str, OrderRules],
        starts: Starts,
        links: Mapping[str, Links],
    ) -> None:
        self._shop = shop
        self._polling = polling
        self._market_of_store = market_of_store
        self._rules = rules
        self._starts = starts
        self._links = links
        # As of the last look: few, and each look at a page would ask for each of its orders.
        self._stopped: frozenset[tuple[str, int]] = frozenset()

    async def poll(self) -> int:
        """Enter what changed since the last poll, and return how many are new."""
        if not self._rules:
            return 0
        await self._look_again()
        return await self._polling.read_changes(
            _WATERMARK,
            self._shop.order_heads_changed,
            self._enter,
            source=FLOW,
            first=self._first_look(),
        )

    async def look_again(self) -> int:
        """Enter what could not be read before and can be now; return how many."""
        return await self._polling.look_again(FLOW, self._shop.heads, self._enter)

    async def sweep(self) -> int:
        """Enter what polls could not see, and return how many are new."""
        if not self._rules:
            return 0
        await self._look_again()
        late = await read_late(
            self._polling,
            _WATERMARK,
            self._shop.order_heads_changed,
            self._enter,
            source=FLOW,
            knows_history=True,
        )
        return late + await self._sweep_unsent() + await self._sweep_open()

    async def _sweep_unsent(self) -> int:
        """Enter every order without an ERP number that nobody has entered; return how many.

        Each is looked at once: what is decided on it stands until the order changes, which moves
        its date, or the rules do. Where the start decides nothing yet, it is looked at again.
        """
        rules, after = self._rules_digest(), 0
        kept = await self._polling.watermarks.get(_DECIDED)
        if kept is not None and kept.startswith(f"{rules}/"):
            after = int(kept.rpartition("/")[2])
        odd = await self._polling.odd_rows.of(FLOW)
        entered, decided, is_decided = 0, after, True
        async with aclosing(self._without_number(after=after, without=odd.unserved)) as pages:
            async for page in pages:
                await odd.take(page)
                for head in page.rows:
                    is_decided = is_decided and await self._is_decided(head)
                    decided = head.entity_id if is_decided else decided
                entered += await self._polling.enter_page(
                    page.rows, self._enter, urgency=Urgency.BACKLOG
                )
                await self._polling.watermarks.put(_DECIDED, f"{rules}/{decided}")
        return entered

    async def _sweep_open(self) -> int:
        """Enter what changed of orders that the ERP has and may still deliver; return how many."""
        # More of each is read than by polls, which find nothing wrong with its head.
        entered, odd = 0, await self._polling.odd_rows.of(_SENT)
        heads = await self._polling.odd_rows.of(FLOW)
        pages = self._shop.open_orders_with_erp_number(without=odd.unserved | heads.unserved)
        async with aclosing(pages):
            async for page in pages:
                await odd.take(page)
                entered += await self._polling.enter_page(page.rows, self._enter_open)
        return entered

    async def hint(self, entity_id: int) -> bool:
        """Enter an order that the shop told of; what it said is not believed but looked up."""
        await self._look_again()
        return await self._polling.look_up(FLOW, self._shop.heads, entity_id, self._enter)

    async def export(self, entity_id: int, *, what: str = "") -> bool | None:
        """Enter an order of any age, once for each `what`; None when it is of no market."""
        order = await self._shop.order(entity_id)
        market = None if order is None else self._market_of_store.get(order.store_id)
        if order is None or market is None:
            return None
        return await self._receive(order, market, "export", what=what, is_forced=True)

    async def census(self) -> Census:
        """Count the orders without an ERP number, by what a first start would do with them."""
        census = Census()
        self._starts.look_again()
        async with aclosing(self._without_number(after=0)) as pages:
            async for page in pages:
                census.odd.extend(page.odd)
                for head in page.rows:
                    await self._count(census, head)
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

    async def _count(self, census: Census, head: OrderHead) -> None:
        market = self._market_of_store.get(head.store_id)
        if market is None:
            census.elsewhere += 1
            return
        counted = {
            Side.AFTER: census.entered,
            Side.BEFORE: census.left_out,
            Side.UNDECIDED: census.undecided,
        }
        counted[await self._starts.side_of(head, market)][head.status] += 1

    async def _look_again(self) -> None:
        self._starts.look_again()
        self._stopped = frozenset(
            [
                (market, int(document))
                for market, links in self._links.items()
                for document in await links.magento_ids(STOPPED)
            ]
        )

    async def _is_decided(self, head: OrderHead) -> bool:
        market = self._market_of_store.get(head.store_id)
        return market is None or await self._starts.side_of(head, market) is not Side.UNDECIDED

    def _rules_digest(self) -> str:
        rules = [f"{code}{each.model_dump_json()}" for code, each in sorted(self._rules.items())]
        text = "".join((*rules, *map(str, sorted(self._market_of_store.items()))))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    async def _enter(self, head: OrderHead) -> bool:
        market = self._market_of_store.get(head.store_id)
        if market is None:
            return False
        if is_canceled(head):
            # Also without an ERP number: it may be under way just now.
            is_ours = bool(head.ext_order_id) or await self._starts.is_after(market, head)
            return is_ours and await self._receive(head, market, "cancel")
        change = self._change(head, market)
        # Another's number says nothing of what the ERP was sent.
        if change and await self._links[market].erp_key(LINK, str(head.entity_id)):
            return await self._receive(head, market, CHANGE, what=f"{CHANGE}/{change}")
        # With an ERP number it was entered before, or the number is somebody else's.
        if is_held_back(head, self._rules[market]) or not await self._starts.is_after(market, head):
            return False
        return await self._receive(head, market, "export")

    def _change(self, head: OrderHead, market: str) -> str:
        """Return what became of a sent order as far as its head tells, empty where nothing did."""
        if not head.ext_order_id:
            return ""
        is_held, is_stopped = (
            is_held_back(head, self._rules[market]),
            (market, head.entity_id) in self._stopped,
        )
        # It may be put on hold again and again: each time is an event of its own.
        held = "held" if is_held else "released"
        since = f"{held}@{head.updated_at:%Y-%m-%dT%H:%M:%S}" if is_held or is_stopped else ""
        return "/".join(part for part in (since, head.cancelled) if part)

    async def _enter_open(self, order: ShippedOrder) -> None:
        await self._enter(order)
        await self._enter_moved(order)

    async def _enter_moved(self, order: ShippedOrder) -> bool:
        """Enter an order that is to be delivered elsewhere than the ERP was told."""
        market = self._market_of_store.get(order.store_id)
        if market is None:
            return False
        links, document = self._links[market], str(order.entity_id)
        number = await links.erp_key(LINK, document)
        if number is None:
            return False
        sent, now = await links.content_hash(LINK, document), delivery_digest(order)
        if not sent:
            # Sent by a version that did not remember it.
            await links.remember(LINK, document, number, now)
            return False
        what = f"{CHANGE}/address/{sent}-{now}"
        return not is_delivered_to(sent, now) and await self._receive(
            order, market, CHANGE, what=what
        )

    async def _receive(
        self, head: OrderHead, market: str, task: str, *, what: str = "", **more: Any
    ) -> bool:
        document = ShopDocument(FLOW, market, head.entity_id, head.increment_id)
        payload = {"entity_id": head.entity_id, "task": task, **more}
        return await enter(self._polling.events, document, payload, what=what or task)


def is_canceled(head: OrderHead) -> bool:
    """Return whether the shop has cancelled it as a whole."""
    return head.state == "canceled"


def is_held_back(head: OrderHead, rules: OrderRules) -> bool:
    """Return whether it waits for payment or a person in the shop."""
    return head.state in rules.waiting_states
