"""Compare bills: what the ERP billed or credited more than an hour ago is in the shop.

the bill's event     it is
done, skipped        right: whoever carried it read the document back, or a reason is told
open                 told, with the event: the document is not posted yet
none                 told, without a cause; the order is looked at now
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import timedelta
from decimal import Decimal

from pricing_proxy.clock import Clock
from sync.engine.sources import Marks, ShopDocument
from sync.invoices.finding import BillFinder, Span
from sync.papers.entering import Happened
from sync.papers.watched_market import WatchedMarket, begins_at
from sync.reconciliation.causes import Cause, Clues, Paper
from sync.reconciliation.comparing import ComparedPage, Deviation, KnownEvents
from sync.store.document_events import DocumentEvent

KIND = "invoices"
_BACK, _LATEST = timedelta(days=3), timedelta(hours=1)
_MISSING = "the order is looked at now"


class BillComparison:
    """A `sync.reconciliation.comparing.Comparison` of one market's bills.

    Args:
        market: Whose.
        finder: Finds its bills.
        events: Those of orders.
        marks: From when on bills are brought over.
        clock: Time.
    """

    kind = KIND

    def __init__(
        self,
        market: WatchedMarket,
        *,
        finder: BillFinder,
        events: KnownEvents,
        marks: Marks,
        clock: Clock,
    ) -> None:
        self.market = market.code
        self._its = market
        self._finder = finder
        self._events = events
        self._marks = marks
        self._clock = clock

    async def pages(
        self, keys: Collection[str] | None = None
    ) -> AsyncGenerator[ComparedPage, None]:
        """Compare the last days' bills, or those of some orders; raises `UpstreamError`."""
        now = self._clock.utc()
        began_at = await begins_at(self._its, self._marks, self._clock)
        bills = [
            each
            for each in await self._finder.dated(now.date() - _BACK, Span(began_at, now - _LATEST))
            if keys is None or each.order.number in keys
        ]
        orders = {each.order.order_id for each in bills}
        events = await self._events.of(self._its.flow, self._its.code, orders)
        judged = (self._judged(each, events.get(each.order.order_id, ())) for each in bills)
        yield ComparedPage(len(bills), [each for each in judged if each is not None])

    def _judged(self, bill: Happened, events: Sequence[DocumentEvent]) -> Deviation | None:
        order = bill.order
        document = ShopDocument(self._its.flow, self._its.code, order.order_id, order.number)
        key = f"{document.key}/{bill.key}"
        event = next((each for each in events if each.what == key), None)
        if event is not None and not event.is_open:
            return None
        papers, advice = [], _MISSING
        if event is not None:
            name = f"event {event.id} is {event.state}"
            papers = [Paper(cause=Cause.NOT_POSTED, name=name, amount=Decimal(-1))]
            advice = f"see d365-sync show {event.id}"
        return Deviation(
            key=order.number,
            field=f"{'credit note' if bill.lane else 'invoice'} {bill.fact.key}",
            evidence=Clues(erp="1", shop="0", papers=papers),
            is_fixed=event is not None,
            advice=advice,
        )
