"""Find whose order each invoice and credit note bills, out of sets read by dates.

A credit note names its return, and the return the lots that it takes back: so the order is found
whatever people wrote on the return. Where nothing tells lots, an invoice's head names one order,
and its packing slips the others.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pricing_proxy.d365.fo.fulfilment import MOST_ROWS
from pricing_proxy.d365.fo.invoice_models import InvoiceRow, LotInvoiceLineRow
from pricing_proxy.names import same_name_key
from sync.invoices.bills import CREDIT_LANE, Bill
from sync.invoices.line_reader import is_credit
from sync.invoices.ports import BilledWatch, ErpBills
from sync.papers.entering import Happened
from sync.papers.odd_papers import OddPaperBook, OddPapers
from sync.papers.read_budget import ReadBudget
from sync.papers.watched_market import WatchedMarket
from sync.sales.bill_marks import BillKey
from sync.store.watched_order_record import WatchedRecord

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """When invoices were made that are meant; `until` None for up to now."""

    since: datetime
    until: datetime | None = None

    def has(self, instant: datetime) -> bool:
        """Return whether an instant is within."""
        return self.since <= instant and (self.until is None or instant <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A paper of the ERP and the order or return that it is filed under."""

    number: str
    day: date
    filed_under: str
    is_credit: bool


class BillFinder:
    """Finds the bills of one market's watched orders.

    Args:
        erp: The market's.
        market: Whose.
        watch: The watched orders.
        odd_rows: Keeps what cannot be read.
        budget: Of requests.
    """

    def __init__(
        self,
        erp: ErpBills,
        market: WatchedMarket,
        *,
        watch: BilledWatch,
        odd_rows: OddPaperBook,
        budget: ReadBudget,
    ) -> None:
        self._erp = erp
        self._market = market
        self._watch = watch
        self._odd_rows = odd_rows
        self._budget = budget
        # The orders that returns take back of, by what all spellings of a return share.
        self._returns: dict[str, frozenset[str]] = {}

    async def changed(
        self, since: datetime, span: Span
    ) -> tuple[Sequence[Happened], datetime | None] | None:
        """Return the bills whose lines changed since an instant, and when the last one did.

        None where nothing tells lots. Raises `UpstreamError`.
        """
        odd = OddPapers()
        rows = await self._erp.lines_changed(self._market.company, since, odd)
        await self._note(odd, rows or ())
        if rows is None:
            return None
        # By the ERP's own times, so that no clock of another machine skips anything.
        changes = [row.SysModifiedDateTime for row in rows if row.SysModifiedDateTime is not None]
        return await self._happened(_papers(rows, span)), max(changes, default=None)

    async def dated(
        self, since: date, span: Span, *, until: date | None = None
    ) -> Sequence[Happened]:
        """Return the bills that are dated a day or later; raises `UpstreamError`.

        Args:
            since: The first day.
            span: When they were made.
            until: The last day.
        """
        odd = OddPapers()
        rows = await self._erp.lines_dated(self._market.company, since, odd, last=until)
        await self._note(odd, rows or ())
        if rows is not None:
            return await self._happened(_papers(rows, span))
        # Nothing tells the hour, so all of the first day is taken.
        since, odd = max(since, span.since.date()), OddPapers()
        heads = await self._erp.heads_dated(self._market.company, since, odd, last=until)
        await self._note(odd, heads)
        last = None if span.until is None else span.until.date()
        found = [
            each
            for head in heads
            if head.InvoiceDate is not None and (last is None or head.InvoiceDate < last)
            for each in await self._of_head(head, head.InvoiceDate)
        ]
        return await self._happened(found)

    def forget_returns(self) -> None:
        """Ask for returns anew: lines may have become visible since nobody found any."""
        self._returns.clear()

    async def _note(
        self, odd: OddPapers, rows: Sequence[LotInvoiceLineRow] | Sequence[InvoiceRow]
    ) -> None:
        self._budget.spend(1 + len(rows) // MOST_ROWS)
        await self._odd_rows.take(odd, rows)

    async def _of_head(self, head: InvoiceRow, day: date) -> Sequence[_Found]:
        is_below, slips = head.TotalInvoiceAmount.value < 0, None
        if not is_below:
            slips = await self._erp.slips_of(self._market.company, head.InvoiceNumber)
            self._budget.spend(1)
        orders = {same_name_key(each.order): each.order for each in slips or ()}
        orders.setdefault(same_name_key(head.SalesOrderNumber), head.SalesOrderNumber)
        return [
            _Found(number=head.InvoiceNumber, day=day, filed_under=order, is_credit=is_below)
            for order in orders.values()
            if order
        ]

    async def _happened(self, found: Sequence[_Found]) -> list[Happened]:
        """Return what happened to orders of ours, what was billed before what was credited."""
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
            self._of_order(each, order)
            for each in found
            if (order := orders.get(same_name_key(each.filed_under))) is not None
        ]
        happened += [
            self._of_order(each, order)
            for each in credited
            for number in sorted(self._orders_of(each.filed_under))
            if (order := taken_back.get(same_name_key(number))) is not None
        ]
        return sorted(happened, key=lambda each: bool(each.lane))

    async def _watched(self, numbers: Collection[str]) -> Mapping[str, WatchedRecord]:
        return await self._watch.numbered(self._market.code, numbers)

    async def _resolve(self, returns: Collection[str]) -> None:
        """Find the orders that returns take back of."""
        unknown = [each for each in returns if same_name_key(each) not in self._returns]
        if not unknown:
            return
        company, odd = self._market.company, OddPapers()
        rows = await self._erp.returned(company, unknown, odd)
        lots = {row.ReturningInventoryLotId for row in rows} - {""}
        sold = await self._erp.orders_of_lots(company, lots, odd) if lots else []
        self._budget.spend(2)
        await self._odd_rows.take(odd, (*rows, *sold))
        order_of = {same_name_key(row.InventoryLotId): row.SalesOrderNumber for row in sold}
        for number in unknown:
            key = same_name_key(number)
            its = (row for row in rows if same_name_key(row.ReturnOrderNumber) == key)
            orders = {order_of.get(same_name_key(row.ReturningInventoryLotId), "") for row in its}
            self._returns[key] = frozenset(orders - {""})

    def _orders_of(self, number: str) -> frozenset[str]:
        return self._returns.get(same_name_key(number), frozenset())

    def _of_order(self, found: _Found, order: WatchedRecord) -> Happened:
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


def _papers(rows: Iterable[LotInvoiceLineRow], span: Span) -> list[_Found]:
    """Return what invoices bill of which order, those left out that were made at other times."""
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
        if span.has(made_at[number, day])
    ]
