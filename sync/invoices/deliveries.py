"""Have a credit note wait until the shop has shipped what the ERP delivered of its lines.

Goods come back that had left. Refunded before their shipment, which is slower at times, pieces are
unshipped ones to Magento: of a bundle it would ship none any more, and of all else end what is
reserved for them twice, so that more is sold than there is. What was never delivered, such as an
allowance, waits for nothing.
"""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from pricing_proxy.d365.fo.slip_models import PackingSlipLineRow
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.names import same_name_key
from sync.engine.outcomes import RetryLaterError
from sync.invoices.bills import Bill
from sync.magento.odd_rows import RowPage
from sync.magento.reserving_models import ReservingLine, ReservingOrder
from sync.sales.order_rows import NamedRows, whole_bundles

# The shipment's own event goes before; past all attempts a person must look.
_UNSHIPPED = timedelta(minutes=1)
_NOTHING = Decimal(0)


class ErpDeliveries(Protocol):
    """What was delivered; see `pricing_proxy.d365.fo.fulfilment`."""

    async def slips_of(self, company: str, orders: Sequence[str]) -> list[PackingSlipLineRow]:
        """Return the lines of all slips of orders."""
        ...

    async def lines_of(self, company: str, order: str) -> list[DemandLineRow]:
        """Return an order's own lines."""
        ...


class ShippedOrders(Protocol):
    """The shop's orders with what was shipped of them."""

    def of(self, ids: Collection[int]) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        """Yield the orders of these ids."""
        ...


class Deliveries:
    """Compares deliveries of the ERP with the shop's shipments.

    Args:
        erp: The market's.
        shop: Its orders.
    """

    def __init__(self, erp: ErpDeliveries, shop: ShippedOrders) -> None:
        self._erp = erp
        self._shop = shop

    async def check_shipped(self, bill: Bill, items: Iterable[int]) -> None:
        """Return where what was delivered of some rows is shipped; raises `RetryLaterError`."""
        company, number = bill.paper.company, bill.paper.order
        slips = await self._erp.slips_of(company, [number])
        if not slips:
            return
        references = {
            same_name_key(line.InventoryLotId): line.OrderLineReference
            for line in await self._erp.lines_of(company, number)
        }
        async with aclosing(self._shop.of([bill.order_id])) as pages:
            orders = [order async for page in pages for order in page.rows]
        for order in orders:
            if _is_behind(order, [*items], _delivered(order, slips, references)):
                raise RetryLaterError(
                    "what came back is not shipped in the shop yet", after=_UNSHIPPED
                )


def _delivered(
    order: ReservingOrder, slips: Iterable[PackingSlipLineRow], references: Mapping[str, str]
) -> dict[int, Decimal]:
    """Return how much of each row that the ERP's lines name was delivered."""
    rows, found = NamedRows(order.increment_id, order.items), dict[int, Decimal]()
    for slip in slips:
        row = rows.named(references.get(same_name_key(slip.InventTransId), ""))
        if row is not None:
            found[row.item_id] = found.get(row.item_id, _NOTHING) + slip.Qty.value
    return found


def _is_behind(
    order: ReservingOrder, items: Iterable[int], delivered: Mapping[int, Decimal]
) -> bool:
    """Return whether less of some rows is shipped than was delivered and can be shipped."""
    by_id = {row.item_id: row for row in order.items}
    for item in items:
        row = by_id[item]
        bundle = _bundle_of(row, by_id)
        if row.is_virtual:
            continue
        if bundle is None:
            wanted, shipped, ships = delivered.get(item, _NOTHING), row.qty_shipped, row
        else:
            parts = [each for each in order.items if each.parent_item_id == bundle.item_id]
            left = {part.item_id: part.qty_shipped for part in parts}
            wanted = max(delivered.get(bundle.item_id, _NOTHING), _whole(bundle, parts, delivered))
            shipped, ships = max(bundle.qty_shipped, _whole(bundle, parts, left)), bundle
        if shipped < min(wanted, ships.qty_ordered - ships.qty_canceled):
            return True
    return False


def _bundle_of(row: ReservingLine, by_id: Mapping[int, ReservingLine]) -> ReservingLine | None:
    parent = by_id.get(row.parent_item_id or 0)
    return next((each for each in (row, parent) if each and each.product_type == "bundle"), None)


def _whole(
    bundle: ReservingLine, parts: Sequence[ReservingLine], done: Mapping[int, Decimal]
) -> Decimal:
    return whole_bundles(bundle, [part for part in parts if part.qty_ordered > 0], done)
