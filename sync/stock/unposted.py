"""Find the papers of the shop that moved goods which the ERP does not know of.

    a shipment of an order that the ERP does not have    the source holds less, and nobody wants it
    a credit memo whose pieces went back into stock      the source holds more than the ERP has

Whether a memo's pieces went back the shop tells nobody: it may explain a source that holds more,
and never proves it. Pieces go back to the source that they were shipped from.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from decimal import Decimal

from sync.engine.windows import Window
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.reserving_models import ReservingLine, ReservingOrder
from sync.magento.shipment_models import Shipment
from sync.mirror.keys import folded
from sync.reconciliation.causes import Cause, Paper
from sync.stock.ports import KeptLines, MemosToPost, OrderTraces, ReservingShop, ShipmentsToPost
from sync.stock.presence import present_since
from sync.stock.reservations import COMPOSED, shipping_line
from sync.stock.sending import SourceKey

# Each is a call or two of the shop; a night's drift has fewer.
_MOST = 500
# The state of a memo that was cancelled.
_CANCELLED = 3


class UnpostedPapers:
    """Finds them for the sources of one stock.

    Args:
        orders: The shop's orders and shipments, as stock follows them.
        memos: Its credit memos.
        shipments: Its shipments with their sources.
        lines: What is kept of orders' lines.
        traces: What the journal says of orders.
        stores: The store views that sell from the stock.
    """

    def __init__(
        self,
        orders: ReservingShop,
        *,
        memos: MemosToPost,
        shipments: ShipmentsToPost,
        lines: KeptLines,
        traces: OrderTraces,
        stores: Collection[int],
    ) -> None:
        self._orders = orders
        self._memos = memos
        self._shipments = shipments
        self._lines = lines
        self._traces = traces
        self._stores = stores

    async def since(
        self, written_at: Mapping[str, datetime]
    ) -> Mapping[SourceKey, Sequence[Paper]]:
        """Return the papers that moved some SKUs after they were written.

        Args:
            written_at: By what all spellings of a SKU share.

        Raises:
            UpstreamError: The shop does not answer.
        """
        if not written_at:
            return {}
        found: dict[SourceKey, list[Paper]] = {}
        window = Window(since=min(written_at.values()))
        async for memo in self._memos_of(window):
            async for order, shipments in self._with_shipments([memo.order_id]):
                for place, paper in _of_memo(memo, order, shipments):
                    if _is_after(memo.created_at, written_at.get(place.folded)):
                        found.setdefault(place, []).append(paper)
        for order_id, ids in (await self._shipped(window)).items():
            async for order, shipments in self._with_shipments([order_id]):
                unknown = await self._unknown(order)
                fresh = [each for each in shipments if each.entity_id in ids]
                for place, paper in _of_shipments(order, fresh, unknown):
                    if place.folded in written_at:
                        found.setdefault(place, []).append(paper)
        return found

    async def _memos_of(self, window: Window) -> AsyncIterator[CreditMemo]:
        left = _MOST
        async with aclosing(self._memos.credit_memos_changed(window)) as pages:
            async for page in pages:
                for head in page.rows:
                    is_ours = head.store_id in self._stores and head.state != _CANCELLED
                    if is_ours and left > 0:
                        left -= 1
                        memo = await self._memos.credit_memo(head.entity_id)
                        if memo is not None:
                            yield memo

    async def _shipped(self, window: Window) -> Mapping[int, set[int]]:
        """Return the shipments of a time by their orders."""
        found: dict[int, set[int]] = {}
        async with aclosing(self._orders.shipped(window)) as pages:
            async for page in pages:
                for head in page.rows:
                    if len(found) < _MOST or head.order_id in found:
                        found.setdefault(head.order_id, set()).add(head.entity_id)
        return found

    async def _with_shipments(
        self, ids: Collection[int]
    ) -> AsyncIterator[tuple[ReservingOrder, Sequence[Shipment]]]:
        async with aclosing(self._orders.of(ids)) as pages:
            async for page in pages:
                for order in page.rows:
                    if order.store_id in self._stores:
                        yield order, await self._shipments.shipments_of(order.entity_id)

    async def _unknown(self, order: ReservingOrder) -> Collection[int]:
        """Return the lines of an order that the ERP never had."""
        lines = await self._lines.of_orders([order.entity_id])
        trace = (await self._traces.of([order.entity_id])).get(order.entity_id)
        return {
            line.item_id
            for line in lines
            if present_since(line, trace) is None and not line.counted
        }


def _is_after(at: datetime | None, written_at: datetime | None) -> bool:
    return at is not None and written_at is not None and at >= written_at.replace(microsecond=0)


def _of_memo(
    memo: CreditMemo, order: ReservingOrder, shipments: Sequence[Shipment]
) -> Iterator[tuple[SourceKey, Paper]]:
    by_id = {row.item_id: row for row in order.items}
    for line in memo.items:
        row = by_id.get(line.order_item_id)
        if row is None or row.product_type in COMPOSED or not line.qty:
            continue
        source = _source_of(row, by_id, shipments)
        if source:
            name = f"credit memo {memo.increment_id} of order {order.increment_id}"
            paper = Paper(cause=Cause.NOT_POSTED, name=name, amount=line.qty)
            yield SourceKey(folded(row.sku), source), paper


def _of_shipments(
    order: ReservingOrder, shipments: Sequence[Shipment], unknown: Collection[int]
) -> Iterator[tuple[SourceKey, Paper]]:
    by_id = {row.item_id: row for row in order.items}
    for shipment in shipments:
        quantities = {line.order_item_id: line.qty for line in shipment.items}
        for row in order.items:
            shipped = quantities.get(shipping_line(row, by_id).item_id, Decimal(0))
            if row.item_id in unknown and row.product_type not in COMPOSED and shipped:
                name = f"shipment {shipment.increment_id} of order {order.increment_id}"
                paper = Paper(cause=Cause.NOT_POSTED, name=name, amount=-shipped)
                yield SourceKey(folded(row.sku), shipment.source), paper


def _source_of(
    row: ReservingLine, by_id: Mapping[int, ReservingLine], shipments: Sequence[Shipment]
) -> str:
    """Return the source that a line was shipped from; empty where it was from none."""
    ships = shipping_line(row, by_id).item_id
    return next(
        (
            shipment.source
            for shipment in shipments
            if any(line.order_item_id == ships for line in shipment.items)
        ),
        "",
    )
