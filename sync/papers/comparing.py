"""Compare papers: what the ERP posted more than an hour ago is in the shop.

the paper's event     it is
done, skipped         right: whoever carried it read the shop back, or a reason is told
open                  told, with the event: it is not posted in the shop yet
none                  told, without a cause; the order is looked at now
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from pricing_proxy.clock import Clock
from sync.engine.sources import Marks, ShopDocument
from sync.papers.entering import Happened
from sync.papers.watched_market import WatchedMarket, begins_at
from sync.reconciliation.causes import Cause, Clues, Paper
from sync.reconciliation.comparing import ComparedPage, Deviation, KnownEvents
from sync.store.document_events import DocumentEvent

_BACK, _LATEST = timedelta(days=3), timedelta(hours=1)
_MISSING = "the order is looked at now"


class PostedWithin(NamedTuple):
    """Which papers are compared.

    Attributes:
        since: The first day that they are dated.
        began_at: They were made from then on.
        before: And before then.
    """

    since: date
    began_at: datetime
    before: datetime


class PaperComparison:
    """A `sync.reconciliation.comparing.Comparison` of one kind of papers of one market.

    Args:
        kind: What it is called.
        market: Whose.
        posted: Reads the papers of a time; raises `UpstreamError`.
        named: Returns what people call a paper.
        events: Those of orders.
        marks: From when on papers are brought over.
        clock: Time.
    """

    def __init__(
        self,
        kind: str,
        market: WatchedMarket,
        *,
        posted: Callable[[PostedWithin], Awaitable[Sequence[Happened]]],
        named: Callable[[Happened], str],
        events: KnownEvents,
        marks: Marks,
        clock: Clock,
    ) -> None:
        self.kind = kind
        self.market = market.code
        self._its = market
        self._posted = posted
        self._named = named
        self._events = events
        self._marks = marks
        self._clock = clock
        # By what people call the orders.
        self.erp_numbers: dict[str, str] = {}

    async def pages(
        self, keys: Collection[str] | None = None
    ) -> AsyncGenerator[ComparedPage, None]:
        """Compare the last days' papers, or those of some orders; raises `UpstreamError`."""
        now = self._clock.utc()
        began_at = await begins_at(self._its, self._marks, self._clock)
        papers = [
            each
            for each in await self._posted(
                PostedWithin(now.date() - _BACK, began_at, now - _LATEST)
            )
            if keys is None or each.order.number in keys
        ]
        orders = {each.order.order_id for each in papers}
        events = await self._events.of(self._its.flow, self._its.code, orders)
        judged = (self._judged(each, events.get(each.order.order_id, ())) for each in papers)
        yield ComparedPage(len(papers), [each for each in judged if each is not None])

    def _judged(self, paper: Happened, events: Sequence[DocumentEvent]) -> Deviation | None:
        order = paper.order
        document = ShopDocument(self._its.flow, self._its.code, order.order_id, order.number)
        key = f"{document.key}/{paper.key}"
        event = next((each for each in events if each.what == key), None)
        if event is not None and not event.is_open:
            return None
        self.erp_numbers[order.number] = order.erp_number
        papers, advice = [], _MISSING
        if event is not None:
            name = f"event {event.id} is {event.state}"
            papers = [Paper(cause=Cause.NOT_POSTED, name=name, amount=Decimal(-1))]
            advice = f"see d365-sync show {event.id}"
        return Deviation(
            key=order.number,
            field=self._named(paper),
            evidence=Clues(erp="1", shop="0", papers=papers),
            is_fixed=event is not None,
            advice=advice,
        )
