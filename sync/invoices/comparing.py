"""Compare bills: what the ERP billed or credited more than an hour ago is in the shop."""

from collections.abc import Sequence

from pricing_proxy.clock import Clock
from sync.engine.sources import Marks
from sync.invoices.finding import BillFinder, Span
from sync.papers.comparing import PaperComparison, PostedWithin
from sync.papers.entering import Happened
from sync.papers.watched_market import WatchedMarket
from sync.reconciliation.comparing import KnownEvents

KIND = "invoices"


def bill_comparison(
    market: WatchedMarket,
    *,
    finder: BillFinder,
    events: KnownEvents,
    marks: Marks,
    clock: Clock,
) -> PaperComparison:
    """Return what compares one market's bills.

    Args:
        market: Whose.
        finder: Finds its bills.
        events: Those of orders.
        marks: From when on bills are brought over.
        clock: Time.
    """

    async def posted(within: PostedWithin) -> Sequence[Happened]:
        return await finder.dated(within.since, Span(within.began_at, within.before))

    return PaperComparison(
        KIND, market, posted=posted, named=_named, events=events, marks=marks, clock=clock
    )


def _named(bill: Happened) -> str:
    return f"{'credit note' if bill.lane else 'invoice'} {bill.fact.key}"
