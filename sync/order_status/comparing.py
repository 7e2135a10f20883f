"""Compare deliveries: what the ERP delivered more than an hour ago is in the shop.

    the slip's event     it is
    done, skipped        right: whoever carried it read the shipment back, or a reason is told
    open                 told, with the event: the shipment is not posted yet
    none                 told, without a cause; the order is looked at now

Slips that cannot be read are records of their own; corrected ones count as what they are now.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import timedelta
from decimal import Decimal

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.slip_models import PackingSlipLineRow
from pricing_proxy.names import same_name_key
from sync.engine.sources import Marks, ShopDocument
from sync.order_status.facts import Fact
from sync.order_status.papers import by_slip, made_at, version_of
from sync.order_status.ports import ErpProgress, KeptWatch
from sync.order_status.rules import FLOW
from sync.order_status.slips import SlipKey
from sync.papers.entering import Happened
from sync.papers.odd_papers import OddPapers
from sync.papers.watched_market import WatchedMarket, begins_at
from sync.reconciliation.causes import Cause, Clues, Paper
from sync.reconciliation.comparing import ComparedPage, Deviation, KnownEvents
from sync.store.document_events import DocumentEvent
from sync.store.watched_order_record import WatchedRecord

KIND = "status"
_BACK, _LATEST = timedelta(days=3), timedelta(hours=1)
_MISSING = "the order is looked at now"


class StatusComparison:
    """A `sync.reconciliation.comparing.Comparison` of one market's deliveries.

    Args:
        market: Whose.
        erp: Its ERP.
        watch: The orders that are ours.
        events: Those of orders.
        marks: From when on deliveries are brought over.
        clock: Time.
    """

    kind = KIND

    def __init__(
        self,
        market: WatchedMarket,
        *,
        erp: ErpProgress,
        watch: KeptWatch,
        events: KnownEvents,
        marks: Marks,
        clock: Clock,
    ) -> None:
        self.market = market.code
        self._its = market
        self._erp = erp
        self._watch = watch
        self._events = events
        self._marks = marks
        self._clock = clock
        # By what people call the orders.
        self.erp_numbers: dict[str, str] = {}

    async def pages(
        self, keys: Collection[str] | None = None
    ) -> AsyncGenerator[ComparedPage, None]:
        """Compare the last days' deliveries, or those of some orders; raises `UpstreamError`."""
        now = self._clock.utc()
        since = await begins_at(self._its, self._marks, self._clock)
        rows = await self._erp.slips_dated(self._its.company, now.date() - _BACK, OddPapers())
        slips = {
            slip: its
            for slip, its in by_slip(self._its.company, rows).items()
            if since <= made_at(its) <= now - _LATEST
        }
        orders = await self._watch.numbered(self._its.code, {slip.order for slip in slips})
        watched = {
            slip: order
            for slip in slips
            if (order := orders.get(same_name_key(slip.order))) is not None
            and (keys is None or order.number in keys)
        }
        events = await self._events.of(
            FLOW, self._its.code, {order.order_id for order in watched.values()}
        )
        found = [
            difference
            for slip, order in watched.items()
            if (
                difference := self._judged(slip, order, slips[slip], events.get(order.order_id, ()))
            )
        ]
        yield ComparedPage(len(watched), found)

    def _judged(
        self,
        slip: SlipKey,
        order: WatchedRecord,
        lines: Sequence[PackingSlipLineRow],
        events: Sequence[DocumentEvent],
    ) -> Deviation | None:
        quantity = sum((row.Qty.value for row in lines), Decimal(0))
        key = self._source_key(slip, order, lines)
        event = next((each for each in events if each.what == key), None)
        if quantity <= 0 or (event is not None and not event.is_open):
            return None
        self.erp_numbers[order.number] = order.erp_number
        papers, advice = [], _MISSING
        if event is not None:
            name = f"event {event.id} is {event.state}"
            papers = [Paper(cause=Cause.NOT_POSTED, name=name, amount=-quantity)]
            advice = f"see d365-sync show {event.id}"
        return Deviation(
            key=order.number,
            field=f"slip {slip.number} of {slip.order}, {slip.day.isoformat()}",
            evidence=Clues(erp=f"{quantity.normalize():f}", shop="0", papers=papers),
            is_fixed=event is not None,
            advice=advice,
        )

    def _source_key(
        self, slip: SlipKey, order: WatchedRecord, lines: Sequence[PackingSlipLineRow]
    ) -> str:
        """Return what the event of a slip is known by, as it is now."""
        fact = Fact(slip=slip, order_id=order.order_id)
        document = ShopDocument(FLOW, self._its.code, order.order_id, order.number)
        return f"{document.key}/{Happened(order, fact, version_of(lines)).key}"
