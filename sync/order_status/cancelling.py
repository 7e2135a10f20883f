"""An order that the ERP cancelled is cancelled in the shop, once what is shipped is invoiced there.

    the shop has nothing left of it      done: it was cancelled there, by us or by somebody
    the shop holds the order             waits
    a shipped piece is not invoiced      a comment says that it is to be cancelled, and it waits:
                                         a cancelled order takes no more invoices
    else                                 cancelled, and read back: `false` with 200 is no success
    a paid piece is left                 held: it is refunded by a credit memo, by a person

What we cancel comes back as a change of the shop's order, and is known by its link.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial

from sync.engine.flow import Work
from sync.engine.outcomes import Done, HeldError, RetryLaterError
from sync.engine.writes import Doubts, written
from sync.magento.order_turns import turn_of
from sync.magento.reserving_models import ReservingOrder
from sync.magento.stock_ports import LocksOfSkus
from sync.mirror.keys import folded
from sync.order_status.notes import OrderNotes
from sync.order_status.ports import ShopOrderNotes
from sync.order_status.remainders import is_shipped_uninvoiced, paid_left, to_cancel
from sync.order_status.rules import Notice
from sync.order_status.shop_order import ShopOrderReader
from sync.order_status.sources import Sources
from sync.order_status.steps import Step
from sync.papers.refused import held_if_refused
from sync.papers.shop_states import check_not_held
from sync.papers.stock_wanted import WantStock
from sync.store.order_writes import CANCEL_LINK

CANCEL = "cancel an order"
_SHOP = "magento"
_REFUSED_ADVICE = "cancel it in the shop and replay, or skip to leave it"
# Invoices come by themselves; nothing tells of the last one sooner than the next look.
_UNINVOICED = timedelta(minutes=15)
_TO_CANCEL = Notice(
    comment="The ERP cancelled the order. It is to be cancelled here as soon as every shipped "
    "piece is invoiced."
)


class Canceller:
    """Cancels orders of one market.

    Args:
        shop: Cancels.
        orders: The shop's orders.
        notes: Writes on them.
        sources: What leaves which source.
        locks: One at a time for each SKU.
        want: Has stock written again.
    """

    def __init__(
        self,
        shop: ShopOrderNotes,
        *,
        orders: ShopOrderReader,
        notes: OrderNotes,
        sources: Sources,
        locks: LocksOfSkus,
        want: WantStock | None,
    ) -> None:
        self._shop = shop
        self._orders = orders
        self._notes = notes
        self._sources = sources
        self._locks = locks
        self._want = want

    async def carry(self, work: Work, doubts: Doubts, step: Step, notice: Notice) -> Done:
        """Cancel what is left of an order; raises the engine's outcomes and `UpstreamError`."""
        order, document = await self._orders.of(work, step.order_id), str(step.order_id)
        tell = partial(self._notes.write, work, doubts, order_id=step.order_id, order=step.order)
        if left := to_cancel(order):
            check_not_held(order.state)
            if is_shipped_uninvoiced(order):
                await tell(_TO_CANCEL, part="a")
                raise RetryLaterError(
                    "to cancel, as soon as every shipped piece is invoiced in the shop",
                    after=_UNINVOICED,
                    is_charged=False,
                )
            # Before the write: whoever sees its end must know whose it was.
            await work.links.remember(CANCEL_LINK, document, step.order)
            order = await self._cancel(work, order, left)
        is_ours = await work.links.erp_key(CANCEL_LINK, document) is not None
        _check_not_paid(order)
        if not is_ours:
            return Done("is cancelled on both sides")
        if notice.comment or notice.status:
            # The order's status is the cancellation's.
            await tell(notice.model_copy(update={"status": ""}), part="b")
        return Done("is cancelled in the shop too")

    async def _cancel(
        self, work: Work, order: ReservingOrder, left: Mapping[int, Decimal]
    ) -> ReservingOrder:
        skus = await self._sources.skus_of(order, left)
        async with self._locks.hold([turn_of(order.entity_id), *map(folded, skus)]):
            cancel = partial(self._shop.cancel, order.entity_id)
            request = {"order_id": order.entity_id}
            with held_if_refused(work, "state", "cancel the order", advice=_REFUSED_ADVICE):
                answer = await written(work, _SHOP, CANCEL, request, cancel)
            after = await self._orders.of(work, order.entity_id)
        if self._want is not None and skus:
            await self._want(sorted(skus), reason=f"cancellation of order {order.increment_id}")
        if to_cancel(after):
            raise HeldError(
                field="state",
                text=f"the ERP cancelled the order; the shop answered {answer} to that, and has "
                f"it as {after.state}",
                advice=_REFUSED_ADVICE,
            )
        return after


def _check_not_paid(order: ReservingOrder) -> None:
    if left := paid_left(order):
        raise HeldError(
            field="qty_invoiced",
            text="the ERP cancelled the order, and pieces of it are paid in the shop that are "
            "neither shipped nor refunded; what was not invoiced is cancelled",
            advice="refund them by a credit memo in the shop and replay, or skip to leave them",
            diff=[(f"row {item}", "0", f"{each:f}") for item, each in sorted(left.items())],
        )
