"""Follow how far watched orders are by their headers, in groups and within a budget of requests.

An order is due at once where the ERP tells that it changed, or a business event named it; else
after a time that grows with its age (`turns`). What finds no room in the budget stays due, and
whoever is due longest goes first.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.fulfilment import MOST_ROWS
from pricing_proxy.names import same_name_key
from sync.engine.sources import Marks
from sync.order_status.papers import PaperMarket
from sync.order_status.ports import ErpProgress, KeptWatch
from sync.order_status.read_budget import ReadBudget
from sync.order_status.turns import next_look
from sync.store.watched_order_record import WatchedRecord

_OVERLAP = timedelta(minutes=10)
# Orders that one request asks for, if their numbers are short; more are not taken out at once.
_MOST_OF_A_GROUP = 40


class Headers:
    """Follows the headers of one market's orders.

    Args:
        erp: The market's.
        market: Whose.
        watch: The watched orders.
        marks: How far was read.
        budget: Of requests.
        clock: Time.
    """

    def __init__(
        self,
        erp: ErpProgress,
        market: PaperMarket,
        *,
        watch: KeptWatch,
        marks: Marks,
        budget: ReadBudget,
        clock: Clock,
    ) -> None:
        self._erp = erp
        self._market = market
        self._watch = watch
        self._marks = marks
        self._budget = budget
        self._clock = clock
        # The overlap tells the same again and again.
        self._seen: set[tuple[str, datetime | None]] = set()

    async def look(self) -> int:
        """Look at what is due, as far as the budget goes, and return how many orders that were.

        Raises `UpstreamError`.
        """
        tells_changes = await self._note_changed()
        looked = 0
        while (left := self._budget.left) > 0:
            due = await self._watch.due(
                self._market.code, now=self._clock.utc(), most=left * _MOST_OF_A_GROUP
            )
            by_number = {each.erp_number: each for each in due}
            groups = self._erp.groups([*by_number])[:left]
            if not groups:
                break
            for group in groups:
                orders = [by_number[number] for number in group]
                await self._look_at(orders, tells_changes=tells_changes)
                looked += len(group)
        return looked

    async def want(self, numbers: Collection[str]) -> int:
        """Have orders looked at next that the ERP calls so; return how many are watched."""
        return await self._watch.want(self._market.code, numbers, now=self._clock.utc())

    async def _note_changed(self) -> bool:
        """Have orders looked at that changed; return whether the ERP tells that at all."""
        name = self._market.mark("changed")
        kept = await self._marks.get(name)
        mark = self._clock.utc() if kept is None else datetime.fromisoformat(kept)
        rows = await self._erp.changed(self._market.company, mark - _OVERLAP)
        self._budget.spend(1 + len(rows or ()) // MOST_ROWS)
        if rows is None:
            return False
        fresh = [row for row in rows if (row.SalesId, row.SysModifiedDateTime) not in self._seen]
        if fresh:
            await self.want({row.SalesId for row in fresh})
        self._seen = {(row.SalesId, row.SysModifiedDateTime) for row in rows}
        changes = [row.SysModifiedDateTime for row in rows if row.SysModifiedDateTime is not None]
        await self._marks.put(name, max([mark, *changes]).isoformat())
        return True

    async def _look_at(self, orders: Sequence[WatchedRecord], *, tells_changes: bool) -> None:
        numbers = [each.erp_number for each in orders]
        rows = await self._erp.statuses(self._market.company, numbers)
        self._budget.spend(1)
        found = {same_name_key(row.SalesOrderNumber): row for row in rows}
        now, looked = self._clock.utc(), dict[int, tuple[str, datetime | None]]()
        for order in orders:
            row = found.get(same_name_key(order.erp_number))
            # One that was deleted in the ERP is looked at as rarely as an old one.
            status = "" if row is None else row.SalesOrderStatus
            due_at = next_look(
                since=order.since, now=now, status=status, tells_changes=tells_changes
            )
            how_far = "" if row is None else row.SalesOrderProcessingStatus
            looked[order.order_id] = how_far, due_at
        await self._watch.note(self._market.code, looked)
