"""Follow how far watched orders are by their headers, in groups and within a budget of requests.

What moved since the last look is entered, step by step. Lines are asked for where the ERP told of
a change, or the status moved: the header alone says nothing of them.

An order is due at once where the ERP tells that it changed, or a business event named it; else
after a time that grows with its age (`turns`). What finds no room in the budget stays due: first go
those that somebody told of, then whoever is due longest. All that is due by the clock may be
thousands, after a start for example: of the budget it leaves a part to hints.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.fulfilment import MOST_ROWS
from pricing_proxy.d365.fo.slip_models import OrderStatusRow
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.names import same_name_key
from sync.engine.sources import Marks
from sync.order_status.kept_lines import Delivered, delivered_by, is_over
from sync.order_status.ports import ErpProgress, KeptWatch
from sync.order_status.steps import is_news, seen_now, status_of, steps_between
from sync.order_status.turns import next_look
from sync.papers.entering import FactEntry, Happened
from sync.papers.odd_papers import OddPaperBook, OddPapers
from sync.papers.read_budget import ReadBudget
from sync.papers.watched_market import WatchedMarket, begins_at
from sync.store.watched_order_record import OrderLook, OrderSeen, WatchedRecord

_OVERLAP = timedelta(minutes=10)
# Orders that one request asks for, if their numbers are short; more are not taken out at once.
_MOST_OF_A_GROUP = 40


class Headers:
    """Follows the headers of one market's orders.

    Args:
        erp: The market's.
        market: Whose.
        watch: The watched orders.
        entering: Enters what moved.
        odd_rows: Keeps what cannot be read.
        named: Statuses that the configuration has a word for.
        marks: How far was read.
        budget: Of requests.
        clock: Time.
    """

    def __init__(
        self,
        erp: ErpProgress,
        market: WatchedMarket,
        *,
        watch: KeptWatch,
        entering: FactEntry,
        odd_rows: OddPaperBook,
        named: Collection[str],
        marks: Marks,
        budget: ReadBudget,
        clock: Clock,
    ) -> None:
        self._erp = erp
        self._market = market
        self._watch = watch
        self._entering = entering
        self._odd_rows = odd_rows
        self._named = frozenset(named)
        self._marks = marks
        self._budget = budget
        self._clock = clock
        self._tells_changes = False
        # Of which hints told, or the set of changes, and which nobody has looked at since, as all
        # spellings of their numbers share them. A batch of the ERP may change all orders at once.
        self._hinted: frozenset[str] = frozenset()
        self._changed: frozenset[str] = frozenset()
        # The overlap tells the same again and again.
        self._seen: set[tuple[str, datetime | None]] = set()

    async def look(self, *, is_hinted: bool = False) -> int:
        """Look at what is due, as far as the budget goes, and return how many orders that were.

        Raises `UpstreamError`.

        Args:
            is_hinted: Whether only what a hint named is meant: what else changed, and lines, are
                left to the next look by the clock, where the ERP tells it what changed.
        """
        if not (is_hinted and self._tells_changes):
            self._tells_changes, is_hinted = await self._note_changed(), False
        self._hinted, looked = await self._look_at_told(self._hinted, reads_lines=not is_hinted)
        if is_hinted:
            return looked
        self._changed, more = await self._look_at_told(
            self._changed, reads_lines=True, by_clock=True
        )
        return looked + more + await self._look_at_due()

    async def want(self, numbers: Collection[str]) -> int:
        """Have orders looked at next that the ERP calls so; return how many are watched."""
        self._hinted |= {same_name_key(each) for each in numbers}
        return await self._watch.want(self._market.code, numbers, now=self._clock.utc())

    async def _look_at_told(
        self, numbers: Collection[str], *, reads_lines: bool, by_clock: bool = False
    ) -> tuple[frozenset[str], int]:
        """Look at what the ERP told of; return those for which no budget is left, and how many."""
        ours = dict(await self._watch.numbered(self._market.code, numbers))
        looked = 0
        for group in self._groups([*ours.values()]):
            if not (self._budget.left_by_clock if by_clock else self._budget.left):
                break
            await self._look_at(group, reads_lines=reads_lines)
            for order in group:
                ours.pop(same_name_key(order.erp_number), None)
            looked += len(group)
        return frozenset(ours), looked

    async def _look_at_due(self) -> int:
        """Look at what is due, with what of the budget is not kept for hints."""
        looked = 0
        while (left := self._budget.left_by_clock) > 0:
            due = await self._watch.due(
                self._market.code, now=self._clock.utc(), most=left * _MOST_OF_A_GROUP
            )
            groups = self._groups(due)[:left]
            if not groups:
                break
            for group in groups:
                if not self._budget.left_by_clock:
                    return looked
                await self._look_at(group, reads_lines=True)
                looked += len(group)
        return looked

    def _groups(self, orders: Sequence[WatchedRecord]) -> list[list[WatchedRecord]]:
        by_number = {each.erp_number: each for each in orders}
        return [[by_number[number] for number in group] for group in self._erp.groups([*by_number])]

    async def _note_changed(self) -> bool:
        """Have orders looked at that changed; return whether the ERP tells that at all."""
        name = self._market.mark("changed")
        kept = await self._marks.get(name)
        mark = self._clock.utc() if kept is None else datetime.fromisoformat(kept)
        odd = OddPapers()
        rows = await self._erp.changed(self._market.company, mark - _OVERLAP, odd)
        self._budget.spend(1 + len(rows or ()) // MOST_ROWS)
        if rows is None:
            return False
        await self._odd_rows.take(odd, rows)
        fresh = [row for row in rows if (row.SalesId, row.SysModifiedDateTime) not in self._seen]
        if fresh:
            numbers = {row.SalesId for row in fresh}
            self._changed |= {same_name_key(each) for each in numbers}
            await self._watch.want(self._market.code, numbers, now=self._clock.utc())
        self._seen = {(row.SalesId, row.SysModifiedDateTime) for row in rows}
        changes = [row.SysModifiedDateTime for row in rows if row.SysModifiedDateTime is not None]
        await self._marks.put(name, max([mark, *changes]).isoformat())
        return True

    async def _look_at(self, orders: Sequence[WatchedRecord], *, reads_lines: bool) -> None:
        began_at = await begins_at(self._market, self._marks, self._clock)
        now, tells_changes = self._clock.utc(), self._tells_changes
        news = {each.order_id for each in orders if is_news(each, began_at=began_at, now=now)}
        pairs = await self._rows(orders)
        lines, delivered = await self._lines(
            [
                order.erp_number
                for order, row in pairs
                if row is not None
                and reads_lines
                and order.order_id in news
                and (tells_changes or status_of(row) != order.seen.status)
            ]
        )
        now, happened, looks = self._clock.utc(), list[Happened](), list[OrderLook]()
        for order, row in pairs:
            seen = _seen(order, row, lines, delivered)
            steps = steps_between(order, seen, named=self._named)
            if order.order_id in news:
                happened += [Happened(order, step, lane=step.lane) for step in steps]
                seen = replace(seen, steps=seen.steps + len(steps))
            # One that was deleted in the ERP is looked at as rarely as an old one.
            due_at = next_look(
                since=order.since,
                now=now,
                status="" if row is None else row.SalesOrderStatus,
                tells_changes=tells_changes,
            )
            looks.append(OrderLook(order=order, seen=seen, due_at=due_at))
        # Entered once more where the process dies in between, or another one looks as well, each
        # is the same event.
        await self._entering.enter(happened)
        await self._watch.note(self._market.code, looks)

    async def _rows(
        self, orders: Sequence[WatchedRecord]
    ) -> list[tuple[WatchedRecord, OrderStatusRow | None]]:
        """Return orders with their headers; None for one that the ERP has no more."""
        numbers, odd = [each.erp_number for each in orders], OddPapers()
        rows = await self._erp.statuses(self._market.company, numbers, odd)
        await self._odd_rows.take(odd, rows)
        self._budget.spend(1)
        found = {same_name_key(row.SalesOrderNumber): row for row in rows}
        return [(order, found.get(same_name_key(order.erp_number))) for order in orders]

    async def _lines(
        self, numbers: Sequence[str]
    ) -> tuple[Mapping[str, Sequence[DemandLineRow]], Delivered]:
        """Return lines of orders, and what was delivered of those that are over."""
        if not numbers:
            return {}, {}
        self._budget.spend(1)
        odd = OddPapers()
        found = await self._erp.lines_of_group(self._market.company, numbers, odd)
        await self._odd_rows.take(odd, (row for rows in found.values() for row in rows))
        over = sorted(
            {row.SalesOrderNumber for rows in found.values() for row in rows if is_over(row)}
        )
        if not over:
            return found, {}
        self._budget.spend(2)
        odd = OddPapers()
        slips = await self._erp.slips_of(self._market.company, over, odd)
        await self._odd_rows.take(odd, slips)
        return found, delivered_by(slips)


def _seen(
    order: WatchedRecord,
    row: OrderStatusRow | None,
    lines: Mapping[str, Sequence[DemandLineRow]],
    delivered: Delivered,
) -> OrderSeen:
    if row is None:
        return order.seen
    return seen_now(row, lines.get(same_name_key(order.erp_number)), delivered, order)
