"""Find the packing slips and parcels of watched orders, by when they were made and by their dates.

What was posted lately is asked for at every look, and the parcels of what a hint named. Rows become
visible late, slips are dated back, and carriers tell numbers late, so the last days are asked for
again, the longer ones more rarely.
A slip that was corrected has other quantities: it is found as something new.
"""

import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.fulfilment import MOST_ROWS
from pricing_proxy.d365.fo.slip_models import PackingSlipLineRow, TrackingRow
from pricing_proxy.names import same_name_key
from sync.engine.sources import Marks
from sync.order_status.facts import Fact, slip_of
from sync.order_status.ports import ErpProgress, KeptWatch
from sync.order_status.slips import SlipKey
from sync.papers.days import Days, one_by_one
from sync.papers.entering import FactEntry, Happened
from sync.papers.odd_papers import OddPaperBook, OddPapers
from sync.papers.read_budget import ReadBudget
from sync.papers.reading_turns import ReadingTurn
from sync.papers.watched_market import WatchedMarket, begins_at
from sync.store.watched_order_record import WatchedRecord

# Rows become visible late: after a long transaction, and from a replica.
_OVERLAP = timedelta(minutes=10)
# The lines of one slip are made within seconds; at its beginning a window may cut one in two.
_CUT = timedelta(minutes=2)
_BACK, _SLIPS_AGAIN, _PARCELS_AGAIN = (
    timedelta(days=3),
    timedelta(minutes=15),
    timedelta(minutes=5),
)
# A carrier may tell a number long after the slip, and a person correct one.
_LONG_BACK, _LONG_AGAIN = timedelta(days=14), timedelta(hours=6)
# More slips are not deleted at once; where a set lacks so many, something else is wrong with it.
_MOST_GONE = 100


@dataclass(frozen=True, slots=True)
class _Window:
    """The papers of some days."""

    back: timedelta
    slips: ReadingTurn
    parcels: ReadingTurn

    @property
    def is_long(self) -> bool:
        """Whether it is the longest."""
        return self.back == _LONG_BACK

    def days(self, now: datetime) -> Iterable[Days]:
        """Return its days in parts that are read one after the other."""
        first = now.date() - self.back
        return one_by_one(first, now.date()) if self.is_long else [Days(first)]


class Papers:
    """Looks for the papers of one market's orders.

    Args:
        erp: The market's.
        market: Whose.
        watch: The watched orders.
        entering: Enters what is found.
        odd_rows: Keeps what cannot be read.
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
        marks: Marks,
        budget: ReadBudget,
        clock: Clock,
    ) -> None:
        self._erp = erp
        self._market = market
        self._watch = watch
        self._entering = entering
        self._odd_rows = odd_rows
        self._marks = marks
        self._budget = budget
        self._clock = clock
        # The orders that a slip delivered of, by the order that it is filed under, number and day.
        self._filed: dict[tuple[str, str, date | None], set[str]] = {}
        self._windows = (
            _Window(_LONG_BACK, slips=ReadingTurn(_LONG_AGAIN), parcels=ReadingTurn(_LONG_AGAIN)),
            _Window(_BACK, slips=ReadingTurn(_SLIPS_AGAIN), parcels=ReadingTurn(_PARCELS_AGAIN)),
        )

    async def look(self, hinted: Collection[str] = ()) -> int:
        """Enter what is new, and return how much; raises `UpstreamError`.

        Args:
            hinted: The ERP's numbers of orders of which it told something.
        """
        began_at = await begins_at(self._market, self._marks, self._clock)
        entered = await self._made_lately(began_at)
        now = self._clock.utc()
        for window in self._windows:
            if window.slips.is_due(now):
                for days in window.days(now):
                    entered += await self._slips_dated(window, days, began_at)
                if window.is_long:
                    self._forget_before(now.date() - window.back)
                window.slips.done_at = now
            if window.parcels.is_due(now):
                for days in window.days(now):
                    entered += await self._parcels_dated(days)
                window.parcels.done_at = now
        return entered + await self._parcels_hinted(hinted)

    async def _slips_dated(self, window: _Window, days: Days, began_at: datetime) -> int:
        odd = OddPapers()
        rows = await self._erp.slips_dated(self._market.company, days.first, odd, last=days.last)
        await self._odd_rows.take(odd, rows)
        entered = await self._take(rows, began_at)
        if window.is_long:
            entered += await self._gone(rows, odd, days)
        return entered

    async def _parcels_dated(self, days: Days) -> int:
        company, (first, last) = self._market.company, days
        return await self._parcels(partial(self._erp.parcels_dated, company, first, last=last))

    def _forget_before(self, day: date) -> None:
        """Forget slips of earlier days than are read, but for those that say none."""
        self._filed = {
            filed: orders
            for filed, orders in self._filed.items()
            if filed[-1] is None or filed[-1] >= day
        }

    async def _made_lately(self, began_at: datetime) -> int:
        name = self._market.mark("slips")
        kept = await self._marks.get(name)
        mark = began_at if kept is None else datetime.fromisoformat(kept)
        since = mark - _OVERLAP
        odd = OddPapers()
        rows = await self._erp.slips_made(self._market.company, since, odd)
        await self._odd_rows.take(odd, rows)
        cut = since + _CUT if kept is not None else began_at
        slips = by_slip(self._market.company, rows)
        whole = [row for its in slips.values() if made_at(its) >= cut for row in its]
        entered = await self._take(whole, began_at)
        # By the ERP's own times, so that no clock of another machine skips anything.
        newest = max((row.CreatedOn for row in rows if row.CreatedOn), default=mark)
        await self._marks.put(name, max(mark, newest).isoformat())
        return entered

    async def _take(self, rows: Sequence[PackingSlipLineRow], began_at: datetime) -> int:
        self._budget.spend(1 + len(rows) // MOST_ROWS)
        slips = by_slip(self._market.company, rows)
        slips = {slip: its for slip, its in slips.items() if made_at(its) >= began_at}
        for row in (row for its in slips.values() for row in its):
            filed = (same_name_key(row.SalesId), same_name_key(row.PackingSlipId))
            self._filed.setdefault((*filed, row.DeliveryDate), set()).add(row.order)
        orders = await self._watch.numbered(self._market.code, {slip.order for slip in slips})
        return await self._entering.enter(
            [
                Happened(order, Fact(slip=slip, order_id=order.order_id), version_of(its))
                for slip, its in slips.items()
                if (order := orders.get(same_name_key(slip.order))) is not None
            ]
        )

    async def _gone(self, rows: Sequence[PackingSlipLineRow], odd: OddPapers, days: Days) -> int:
        """Enter slips of some days that were there and are not any more: somebody deleted them."""
        there = {
            (same_name_key(slip.order), same_name_key(slip.number), slip.day)
            for slip in by_slip(self._market.company, rows)
        }
        odd_orders = {same_name_key(each.order) for each in odd.found}
        told = await self._watch.slips_told(self._market.code, *days)
        gone = [
            slip
            for folded, members in told
            if folded not in odd_orders
            and (slip := slip_of(members)).company == self._market.company
            and (folded, same_name_key(slip.number), slip.day) not in there
        ]
        orders = await self._watch.numbered(self._market.code, {slip.order for slip in gone})
        # A hint like any other: whether it is so is read once more. Where it was not, it may be so
        # on another day.
        version = f"gone {self._clock.utc().date()}"
        return await self._entering.enter(
            [
                Happened(order, Fact(slip=slip, order_id=order.order_id, is_gone=True), version)
                for slip in gone[:_MOST_GONE]
                if (order := orders.get(same_name_key(slip.order))) is not None
            ]
        )

    async def _parcels_hinted(self, hinted: Collection[str]) -> int:
        """Enter parcels of orders of which slips are known: others have none."""
        known, company = {order for order, _, _ in self._filed}, self._market.company
        entered = 0
        for group in self._erp.groups([each for each in hinted if same_name_key(each) in known]):
            if self._budget.left:
                entered += await self._parcels(partial(self._erp.parcels_of, company, group))
        return entered

    async def _parcels(self, read: Callable[[OddPapers], Awaitable[list[TrackingRow]]]) -> int:
        odd, company = OddPapers(), self._market.company
        rows = await read(odd)
        await self._odd_rows.take(odd, rows)
        self._budget.spend(1 + len(rows) // MOST_ROWS)
        numbers = {order for row in rows for order in self._orders_of(row)}
        orders = await self._watch.numbered(self._market.code, numbers)
        return await self._entering.enter(
            [
                Happened(watched, fact, lane=fact.lane)
                for row in rows
                for order in self._orders_of(row)
                if (watched := orders.get(same_name_key(order))) is not None
                and (fact := _parcel(company, row, order, watched)) is not None
            ]
        )

    def _orders_of(self, row: TrackingRow) -> Sequence[str]:
        """Return the orders that a parcel's slip delivered of: of several, it names the first.

        None while the slip was not seen: its event goes before.
        """
        filed = (same_name_key(row.SalesOrderNumber), same_name_key(row.PackingSlipNumber))
        return sorted(self._filed.get((*filed, row.DeliveryDate), ()))


def _parcel(company: str, row: TrackingRow, order: str, watched: WatchedRecord) -> Fact | None:
    number = row.TrackingNumber.strip()
    if row.DeliveryDate is None or not number:
        return None
    slip = SlipKey(company=company, order=order, number=row.PackingSlipNumber, day=row.DeliveryDate)
    return Fact(
        slip=slip, order_id=watched.order_id, parcel=number, filed_under=row.SalesOrderNumber
    )


def by_slip(
    company: str, rows: Iterable[PackingSlipLineRow]
) -> Mapping[SlipKey, list[PackingSlipLineRow]]:
    """Return the lines of slips by these; those that do not say whose they are, are left out."""
    slips: dict[SlipKey, list[PackingSlipLineRow]] = {}
    for row in rows:
        if row.DeliveryDate is not None and row.order and row.PackingSlipId:
            slip = SlipKey(
                company=company, order=row.order, number=row.PackingSlipId, day=row.DeliveryDate
            )
            slips.setdefault(slip, []).append(row)
    return slips


def made_at(lines: Sequence[PackingSlipLineRow]) -> datetime:
    """Return when the first line of a slip was made; long ago where nobody says."""
    never = datetime.min.replace(tzinfo=UTC)
    return min((row.CreatedOn or never for row in lines), default=never)


def version_of(lines: Sequence[PackingSlipLineRow]) -> str:
    """Return what tells a slip from what it was before somebody corrected it."""
    told = sorted(
        f"{same_name_key(row.InventTransId)}={row.Qty.value.normalize():f}" for row in lines
    )
    return hashlib.blake2b("\n".join(told).encode(), digest_size=6).hexdigest()
