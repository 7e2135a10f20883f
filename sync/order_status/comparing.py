"""Compare deliveries: what the ERP delivered more than an hour ago is in the shop.

Slips that cannot be read are records of their own; corrected ones count as what they are now.
"""

from collections.abc import Sequence
from decimal import Decimal

from pricing_proxy.clock import Clock
from pricing_proxy.names import same_name_key
from sync.engine.sources import Marks
from sync.order_status.facts import Fact
from sync.order_status.papers import by_slip, made_at, version_of
from sync.order_status.ports import ErpProgress, KeptWatch
from sync.papers.comparing import PaperComparison, PostedWithin
from sync.papers.entering import Happened
from sync.papers.odd_papers import OddPapers
from sync.papers.watched_market import WatchedMarket
from sync.reconciliation.comparing import KnownEvents

KIND = "status"


def delivery_comparison(
    market: WatchedMarket,
    *,
    erp: ErpProgress,
    watch: KeptWatch,
    events: KnownEvents,
    marks: Marks,
    clock: Clock,
) -> PaperComparison:
    """Return what compares one market's deliveries.

    Args:
        market: Whose.
        erp: Its ERP.
        watch: The orders that are ours.
        events: Those of orders.
        marks: From when on deliveries are brought over.
        clock: Time.
    """

    async def posted(within: PostedWithin) -> Sequence[Happened]:
        rows = await erp.slips_dated(market.company, within.since, OddPapers())
        slips = {
            slip: its
            for slip, its in by_slip(market.company, rows).items()
            if within.began_at <= made_at(its) <= within.before
            # Of one that was taken back whole, nothing is left to ship.
            and sum((row.Qty.value for row in its), Decimal(0)) > 0
        }
        orders = await watch.numbered(market.code, {slip.order for slip in slips})
        return [
            Happened(order, Fact(slip=slip, order_id=order.order_id), version_of(its))
            for slip, its in slips.items()
            if (order := orders.get(same_name_key(slip.order))) is not None
        ]

    return PaperComparison(
        KIND, market, posted=posted, named=_named, events=events, marks=marks, clock=clock
    )


def _named(paper: Happened) -> str:
    return f"slip {paper.fact.key}"
