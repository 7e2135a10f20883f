"""Find the papers of the shop that moved goods which the ERP does not know of.

    a shipment of an order that the ERP does not have    the source holds less, and nobody wants it
    a credit memo whose pieces went back into stock      the source holds more than the ERP has

Whether a memo's pieces went back the shop tells nobody: it may explain a source that holds more,
and never proves it. Pieces go back to the source that they were shipped from.
"""

import logging
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from decimal import Decimal

from pricing_proxy.clock import Clock
from sync.engine.windows import ClockReading, Window
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.reserving_models import ReservingLine, ReservingOrder
from sync.magento.shipment_models import Shipment
from sync.mirror.keys import folded
from sync.reconciliation.causes import Cause, Paper
from sync.stock.ports import KeptLines, MemosToPost, OrderTraces, ReservingShop, ShipmentsToPost
from sync.stock.presence import present_since
from sync.stock.reservations import COMPOSED, shipping_line
from sync.stock.sending import SourceKey
from sync.store.shop_line_records import ShopLine

# Each memo is a call or two of the shop; between two nights there are fewer.
_MOST = 2000
# What differed for longer was told of before, and papers are not searched for ever.
_BACK = timedelta(days=14)
# A shop's clock may be in another zone, and no further.
_CLOCKS_DIFFER = timedelta(days=1)
# The state of a memo that was cancelled.
_CANCELLED = 3
_Moved = tuple[SourceKey, Paper, datetime]
_log = logging.getLogger(__name__)


class UnpostedPapers:
    """Finds them for the sources of one stock.

    Args:
        orders: The shop's orders and shipments, as stock follows them.
        memos: Its credit memos.
        shipments: Its shipments with their sources.
        lines: What is kept of orders' lines.
        traces: What the journal says of orders.
        stores: The store views that sell from the stock.
        clock: Time.
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
        clock: Clock,
    ) -> None:
        self._orders = orders
        self._memos = memos
        self._shipments = shipments
        self._lines = lines
        self._traces = traces
        self._stores = stores
        self._clock = clock

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
        since = max(min(written_at.values()), self._clock.utc() - _BACK)
        found: dict[SourceKey, list[Paper]] = {}
        # By the shop's clock, which each page tells.
        window = Window(since=since - _CLOCKS_DIFFER)
        for place, paper, at in [
            *[each async for each in self._of_memos(window, since)],
            *[each async for each in self._of_shipments(window, written_at.keys())],
        ]:
            its = written_at.get(place.folded)
            # The shop tells whole seconds.
            if its is not None and at >= its.replace(microsecond=0):
                found.setdefault(place, []).append(paper)
        return found

    async def _of_memos(self, window: Window, since: datetime) -> AsyncIterator[_Moved]:
        left = _MOST
        async with aclosing(self._memos.credit_memos_changed(window)) as pages:
            async for page in pages:
                ours = [
                    row
                    for row in page.rows
                    if row.store_id in self._stores
                    and row.state != _CANCELLED
                    and _by_our_clock(row.updated_at, page.reading) >= since.replace(microsecond=0)
                ]
                for head in ours:
                    left -= 1
                    if left < 0:
                        _log.warning("more than %d credit memos: the rest explains nothing", _MOST)
                        return
                    memo = await self._memos.credit_memo(head.entity_id)
                    if memo is not None and memo.created_at is not None:
                        for moved in await self._memo(memo):
                            yield *moved, _by_our_clock(memo.created_at, page.reading)

    async def _memo(self, memo: CreditMemo) -> Sequence[tuple[SourceKey, Paper]]:
        lines = await self._lines.of_orders([memo.order_id])
        names = {line.item_id: line.folded for line in lines}
        return [
            moved
            async for order, shipments in self._with_shipments([memo.order_id])
            for moved in _of_memo(memo, order, shipments, names)
        ]

    async def _of_shipments(self, window: Window, keys: Collection[str]) -> AsyncIterator[_Moved]:
        shipped: dict[int, dict[int, datetime]] = {}
        async with aclosing(self._orders.shipped(window)) as pages:
            async for page in pages:
                for head in page.rows:
                    at = _by_our_clock(head.updated_at, page.reading)
                    shipped.setdefault(head.order_id, {})[head.entity_id] = at
        unknown = await self._unknown(shipped, keys)
        async for order, shipments in self._with_shipments({line.order_id for line in unknown}):
            names = {line.item_id: line.folded for line in unknown}
            for shipment in shipments:
                if made_at := shipped[order.entity_id].get(shipment.entity_id):
                    for moved in _of_shipment(order, shipment, names):
                        yield *moved, made_at

    async def _with_shipments(
        self, ids: Collection[int]
    ) -> AsyncIterator[tuple[ReservingOrder, Sequence[Shipment]]]:
        async with aclosing(self._orders.of(ids)) as pages:
            async for page in pages:
                for order in page.rows:
                    if order.store_id in self._stores:
                        yield order, await self._shipments.shipments_of(order.entity_id)

    async def _unknown(self, orders: Collection[int], keys: Collection[str]) -> Sequence[ShopLine]:
        """Return the lines of some orders and SKUs that the ERP never had."""
        lines = await self._lines.of_orders(orders)
        traces = await self._traces.of(orders)
        return [
            line
            for line in lines
            if line.folded in keys
            and not line.counted
            and present_since(line, traces.get(line.order_id)) is None
        ]


def _by_our_clock(at: datetime, reading: ClockReading | None) -> datetime:
    """Return an instant of the shop by the clock of this machine."""
    return at if reading is None else at - (reading.least - reading.at)


def _of_memo(
    memo: CreditMemo,
    order: ReservingOrder,
    shipments: Sequence[Shipment],
    names: Mapping[int, str],
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
            yield SourceKey(names.get(row.item_id, folded(row.sku)), source), paper


def _of_shipment(
    order: ReservingOrder, shipment: Shipment, names: Mapping[int, str]
) -> Iterator[tuple[SourceKey, Paper]]:
    by_id = {row.item_id: row for row in order.items}
    quantities = {line.order_item_id: line.qty for line in shipment.items}
    for row in order.items:
        shipped = quantities.get(shipping_line(row, by_id).item_id, Decimal(0))
        if row.item_id in names and shipped:
            name = f"shipment {shipment.increment_id} of order {order.increment_id}"
            paper = Paper(cause=Cause.NOT_POSTED, name=name, amount=-shipped)
            yield SourceKey(names[row.item_id], shipment.source), paper


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
