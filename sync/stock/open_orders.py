"""Follow what the shop has reserved: which lines are open, and what becomes of them.

The first look reads every open order; each later one what changed since: orders by their last
change, which a cancellation, an invoice, a refund and a first shipment move, and shipments,
since a further one moves nothing of its order. A credit memo moves its order, so its list is not
read. Every SKU of which less is reserved than before is wanted anew.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sync.engine.polling import Polling
from sync.magento.reserving_models import ReservingOrder, ShipmentHead
from sync.mirror.keys import folded
from sync.stock.layout import Layout
from sync.stock.ports import KeptLines, ReservingShop, ShopSkus, Want
from sync.stock.reservations import Refunds, Reservation, reservations
from sync.store.shop_line_records import ShopLine

ORDERS_SOURCE, SHIPMENTS_SOURCE = "stock orders", "stock shipments"
_CHANGED, _SHIPPED, _FILLED = "stock.orders", "stock.shipments", "stock.filled"
# A line that the shop has dropped stays in the ERP until a person has cancelled it there.
WATCH_DROPPED = timedelta(days=14)
_FORGET = timedelta(days=30)


class OpenOrders:
    """Keeps the lines of the shop's open orders.

    Args:
        shop: Its orders.
        skus: Its SKUs.
        lines: Where they are kept.
        polling: What sources are read with.
        want: Has SKUs written.
        layout: Whose store views are whose.
        expects: Whether we bring an order over.
    """

    def __init__(
        self,
        shop: ReservingShop,
        skus: ShopSkus,
        *,
        lines: KeptLines,
        polling: Polling,
        want: Want,
        layout: Layout,
        expects: Callable[[ReservingOrder], Awaitable[bool]],
    ) -> None:
        self._shop = shop
        self._skus = skus
        self._lines = lines
        self._polling = polling
        self._want = want
        self._layout = layout
        self._expects = expects

    async def look(self) -> None:
        """Take in what changed since the last look."""
        is_first = await self._polling.watermarks.get(_FILLED) is None
        await self._polling.read_changes(
            _CHANGED, self._shop.changed, self._take, source=ORDERS_SOURCE
        )
        await self._polling.read_changes(
            _SHIPPED, self._shop.shipped, self._take_shipped, source=SHIPMENTS_SOURCE
        )
        if is_first:
            await self._fill()

    async def watch(self) -> None:
        """Look, and have the SKUs of open and lately dropped lines read."""
        await self.look()
        now = self._polling.clock.utc()
        for stock in self._layout.stocks.values():
            watched = await self._lines.watched(
                self._layout.stores_that_matter(stock), dropped_since=now - WATCH_DROPPED
            )
            for is_forced in (True, False):
                skus = [sku for sku, is_due in watched if is_due is is_forced]
                if skus:
                    await self._want(stock.market, skus, is_forced=is_forced, reason="open orders")
        await self._lines.forget(_FORGET)

    async def _fill(self) -> None:
        odd = await self._polling.odd_rows.of(ORDERS_SOURCE)
        async with aclosing(self._shop.open()) as pages:
            async for page in pages:
                await odd.take(page)
                for order in page.rows:
                    await self._keep(order, is_known=True)
        await self._polling.watermarks.put(_FILLED, self._polling.clock.utc().isoformat())

    async def _take_shipped(self, shipment: ShipmentHead) -> bool:
        async with aclosing(self._shop.of([shipment.order_id])) as pages:
            async for page in pages:
                for order in page.rows:
                    await self._keep(order)
        return False

    async def _take(self, order: ReservingOrder) -> bool:
        """Keep an order's lines; it is no event, so nothing of it is new."""
        await self._keep(order)
        return False

    async def _keep(self, order: ReservingOrder, *, is_known: bool = False) -> None:
        """Keep an order's lines, and have what moved written again.

        Args:
            order: As the shop has it.
            is_known: Whether it is from before the first look: what happened to it is in what the
                shop holds, and in what is compared with that.
        """
        kept = {line.item_id: line for line in await self._lines.of_orders([order.entity_id])}
        known = {
            item: Refunds(refunded=line.refunded, unshipped=line.unshipped)
            for item, line in kept.items()
        }
        found = [each for each in reservations(order, known) if each.quantity or not is_known]
        names = await self._names([each for each in found if each.row.item_id not in kept])
        is_expected = await self._is_expected(order, kept)
        lines = [self._line(order, each, kept, names, is_expected=is_expected) for each in found]
        changed = [line for line in lines if line != kept.get(line.item_id)]
        # In this order: killed in between, the next look finds the change again.
        late = {
            each.row.item_id
            for each in found
            if each.row.item_id not in kept and each.quantity != each.row.qty_ordered
        }
        await self._want_again(changed, kept, set() if is_known else late)
        await self._lines.put(changed)

    async def _is_expected(self, order: ReservingOrder, kept: Mapping[int, ShopLine]) -> bool:
        for line in kept.values():
            return line.is_expected
        return await self._expects(order)

    async def _names(self, fresh: Sequence[Reservation]) -> Mapping[int, str]:
        # Options add to a line's SKU; what is reserved is the product's.
        ids = sorted({each.row.product_id for each in fresh if each.row.product_id is not None})
        return await self._skus.skus_by_id(ids) if ids else {}

    def _line(
        self,
        order: ReservingOrder,
        reservation: Reservation,
        kept: Mapping[int, ShopLine],
        names: Mapping[int, str],
        *,
        is_expected: bool,
    ) -> ShopLine:
        row, before = reservation.row, kept.get(reservation.row.item_id)
        sku = before.sku if before else names.get(row.product_id or 0, row.sku)
        line = before or ShopLine(
            item_id=row.item_id,
            parent_item_id=row.parent_item_id,
            order_id=order.entity_id,
            increment_id=order.increment_id,
            store_id=order.store_id,
            sku=sku,
            folded=folded(sku),
            reserved=reservation.quantity,
            cancelled=reservation.cancelled,
            is_expected=is_expected,
        )
        refunds = reservation.refunds
        left = min(line.reserved, reservation.quantity)
        # What is cancelled stays in its source; what is shipped or refunded unshipped left it.
        cancelled = max(Decimal(0), reservation.cancelled - line.cancelled)
        taken = max(Decimal(0), line.reserved - left - cancelled)
        is_dropped = left <= 0 and (reservation.cancelled > 0 or refunds.unshipped > 0)
        return replace(
            line,
            reserved=left,
            cancelled=reservation.cancelled,
            refunded=refunds.refunded,
            unshipped=refunds.unshipped,
            erp_number=order.ext_order_id or line.erp_number,
            inside=_inside(line, left, taken),
            dropped_at=line.dropped_at or (self._polling.clock.utc() if is_dropped else None),
        )

    async def _want_again(
        self,
        changed: Sequence[ShopLine],
        kept: Mapping[int, ShopLine],
        late: Collection[int],
    ) -> None:
        for line in changed:
            before = kept.get(line.item_id)
            # With its number, the ERP tells from where it is shipped.
            is_moved = line.item_id in late or (
                before is not None
                and (line.reserved < before.reserved or line.erp_number != before.erp_number)
            )
            for market in self._concerned(line, is_moved=is_moved):
                await self._want(
                    market, [line.sku], is_forced=True, reason=f"order {line.increment_id}"
                )

    def _concerned(self, line: ShopLine, *, is_moved: bool) -> Iterator[str]:
        """Yield the markets whose sources a change of a line concerns."""
        own = self._layout.stock_of(line.store_id)
        if own is None:
            return
        if is_moved:
            yield own.market
        for market, stock in self._layout.stocks.items():
            if (
                stock is not own
                and stock.company == own.company
                and (stock.shared_source(line, own) is not None)
            ):
                yield market


def _inside(line: ShopLine, left: Decimal, taken: Decimal) -> Decimal:
    """Return how much of a line is in its source now; below zero with what was ended twice."""
    inside = line.inside - taken
    return inside if line.counted and left < 0 else max(Decimal(0), inside)
