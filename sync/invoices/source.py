"""Find the invoices and credit notes of watched orders of one market, by when they were posted.

What was posted lately is asked for at every look, with its lots where the ERP tells them. Rows
become visible late and invoices are dated back, so the last days are asked for again, the longer
ones more rarely. A credit note names its return, and the return the lots that it takes back: so
the order is found whatever people wrote on the return.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.invoice_models import InvoiceRow, LotInvoiceLineRow
from pricing_proxy.names import same_name_key
from sync.engine.sources import Marks
from sync.invoices.bills import CREDIT_LANE, Bill
from sync.invoices.line_reader import is_credit
from sync.invoices.ports import BilledWatch, ErpBills
from sync.papers.entering import FactEntry, Happened
from sync.papers.reading_turns import ReadingTurn
from sync.papers.watched_market import WatchedMarket, begins_at
from sync.sales.bill_marks import BillKey
from sync.store.watched_order_record import WatchedRecord

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
# Rows become visible late: after a long transaction, and from a replica.
_OVERLAP = timedelta(minutes=10)
# The lines of one invoice are made within seconds; at its beginning a window may cut one in two.
_CUT = timedelta(minutes=2)
# Heads have a date alone, so where they are all there is they are read more rarely.
_TODAY, _TODAY_AGAIN = timedelta(days=1), timedelta(minutes=2)
_BACK, _AGAIN = timedelta(days=3), timedelta(minutes=15)
_LONG_BACK, _LONG_AGAIN = timedelta(days=14), timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A paper of the ERP and the order or return that it is filed under."""

    number: str
    day: date
    filed_under: str
    is_credit: bool


class InvoiceSource:
    """Enters the bills of one market.

    Args:
        erp: The market's.
        market: Whose.
        watch: The watched orders.
        entering: Enters what is found.
        marks: How far was read.
        clock: Time.
    """

    def __init__(
        self,
        erp: ErpBills,
        market: WatchedMarket,
        *,
        watch: BilledWatch,
        entering: FactEntry,
        marks: Marks,
        clock: Clock,
    ) -> None:
        self._erp = erp
        self._market = market
        self._watch = watch
        self._entering = entering
        self._marks = marks
        self._clock = clock
        self._today = ReadingTurn(_TODAY_AGAIN)
        self._windows = (
            (_LONG_BACK, ReadingTurn(_LONG_AGAIN)),
            (_BACK, ReadingTurn(_AGAIN)),
        )
        # The orders that returns take back of, by what all spellings of a return share.
        self._returns: dict[str, frozenset[str]] = {}

    async def look(self) -> int:
        """Enter what is new, and return how much; raises `UpstreamError`."""
        await self._take_in()
        now = self._clock.utc()
        began_at = await begins_at(self._market, self._marks, self._clock)
        entered = await self._lately(began_at)
        for back, turn in self._windows:
            if turn.is_due(now):
                # Lines of a return may have become visible since nobody found any.
                self._returns.clear()
                entered += await self._dated(now.date() - back, began_at)
                turn.done_at = now
        return entered

    async def hint(self, numbers: Collection[str]) -> None:
        """Look now, since the ERP told of orders or returns; what it told is looked up."""
        if any(numbers):
            self._today.done_at = None
            await self.look()

    async def _take_in(self) -> None:
        name = self._market.mark("orders")
        kept = await self._marks.get(name)
        since = _EVER if kept is None else datetime.fromisoformat(kept)
        next_since = await self._watch.take_in(self._market.code, since)
        await self._marks.put(name, next_since.isoformat())

    async def _lately(self, began_at: datetime) -> int:
        name = self._market.mark("lines")
        kept = await self._marks.get(name)
        mark = began_at if kept is None else datetime.fromisoformat(kept)
        since = mark - _OVERLAP
        rows = await self._erp.lines_changed(self._market.company, since)
        if rows is None:
            return await self._of_today(began_at)
        cut = since + _CUT if kept is not None else began_at
        entered = await self._enter(_papers(rows, made_since=max(cut, began_at)))
        # By the ERP's own times, so that no clock of another machine skips anything.
        changes = [row.SysModifiedDateTime for row in rows if row.SysModifiedDateTime is not None]
        await self._marks.put(name, max([mark, *changes]).isoformat())
        return entered

    async def _of_today(self, began_at: datetime) -> int:
        now = self._clock.utc()
        if not self._today.is_due(now):
            return 0
        entered = await self._dated(now.date() - _TODAY, began_at)
        self._today.done_at = now
        return entered

    async def _dated(self, since: date, began_at: datetime) -> int:
        rows = await self._erp.lines_dated(self._market.company, since)
        if rows is not None:
            return await self._enter(_papers(rows, made_since=began_at))
        # Nothing tells the hour, so all of the first day is taken.
        since = max(since, began_at.date())
        heads = await self._erp.heads_dated(self._market.company, since)
        return await self._enter([each for head in heads for each in await self._of_head(head)])

    async def _of_head(self, head: InvoiceRow) -> Sequence[_Found]:
        """Return what an invoice bills, where only its head and its packing slips say that."""
        if head.InvoiceDate is None:
            return []
        is_below = head.TotalInvoiceAmount.value < 0
        slips = (
            []
            if is_below
            else await self._erp.slips_of(self._market.company, head.InvoiceNumber) or []
        )
        orders = {same_name_key(each.order): each.order for each in slips}
        orders.setdefault(same_name_key(head.SalesOrderNumber), head.SalesOrderNumber)
        return [
            _Found(
                number=head.InvoiceNumber,
                day=head.InvoiceDate,
                filed_under=order,
                is_credit=is_below,
            )
            for order in orders.values()
            if order
        ]

    async def _enter(self, found: Sequence[_Found]) -> int:
        orders = await self._watched({each.filed_under for each in found})
        credited = [
            each
            for each in found
            if each.is_credit and same_name_key(each.filed_under) not in orders
        ]
        await self._resolve({each.filed_under for each in credited})
        taken_back = await self._watched(
            {order for each in credited for order in self._orders_of(each.filed_under)}
        )
        happened = [
            self._happened(each, order)
            for each in found
            if (order := orders.get(same_name_key(each.filed_under))) is not None
        ]
        happened += [
            self._happened(each, order)
            for each in credited
            for number in sorted(self._orders_of(each.filed_under))
            if (order := taken_back.get(same_name_key(number))) is not None
        ]
        # Of one look, what is credited comes after what was billed.
        happened.sort(key=lambda each: bool(each.lane))
        return await self._entering.enter(happened)

    async def _watched(self, numbers: Collection[str]) -> Mapping[str, WatchedRecord]:
        return await self._watch.numbered(self._market.code, numbers)

    async def _resolve(self, returns: Collection[str]) -> None:
        """Find the orders that returns take back of."""
        unknown = [each for each in returns if same_name_key(each) not in self._returns]
        if not unknown:
            return
        company = self._market.company
        rows = await self._erp.returned(company, unknown)
        lots = await self._erp.orders_of_lots(
            company, {row.ReturningInventoryLotId for row in rows}
        )
        order_of = {same_name_key(row.InventoryLotId): row.SalesOrderNumber for row in lots}
        for number in unknown:
            key = same_name_key(number)
            its = (row for row in rows if same_name_key(row.ReturnOrderNumber) == key)
            orders = {order_of.get(same_name_key(row.ReturningInventoryLotId), "") for row in its}
            self._returns[key] = frozenset(orders - {""})

    def _orders_of(self, number: str) -> frozenset[str]:
        return self._returns.get(same_name_key(number), frozenset())

    def _happened(self, found: _Found, order: WatchedRecord) -> Happened:
        paper = BillKey(
            company=self._market.company,
            number=found.number,
            day=found.day,
            order=order.erp_number,
        )
        is_own = same_name_key(found.filed_under) == same_name_key(order.erp_number)
        bill = Bill(
            paper=paper,
            order_id=order.order_id,
            is_credit=found.is_credit,
            return_number="" if is_own else found.filed_under,
        )
        return Happened(order, bill, lane=CREDIT_LANE if found.is_credit else "")


def _papers(rows: Iterable[LotInvoiceLineRow], *, made_since: datetime) -> list[_Found]:
    """Return what invoices bill of which order, those left out that were made earlier."""
    papers: dict[tuple[str, date, str], list[LotInvoiceLineRow]] = {}
    made_at: dict[tuple[str, date], datetime] = {}
    for row in rows:
        if row.InvoiceDate is None or not row.InvoiceId or not row.order:
            continue
        papers.setdefault((row.InvoiceId, row.InvoiceDate, row.order), []).append(row)
        key, made = (row.InvoiceId, row.InvoiceDate), row.CreatedOn or _EVER
        made_at[key] = min(made, made_at.get(key, made))
    return [
        _Found(number=number, day=day, filed_under=order, is_credit=is_credit(its))
        for (number, day, order), its in papers.items()
        if made_at[number, day] >= made_since
    ]
