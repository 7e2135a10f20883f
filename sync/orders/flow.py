"""Orders: shop to ERP, each exactly once.

`carry` reads the order from the shop, whatever the event said, maps it (`mapping`), has it
written (`writer`) and gives the ERP's number back to the shop. It may be called again
after any failure. An order cancelled before it was sent is skipped; cancelled afterwards,
it is stopped in the ERP, and held until a person has cancelled it there. What else becomes
of it once it was sent, `late_changes` carries.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from pricing_proxy.names import is_same_name
from sync.engine.flow import Work
from sync.engine.outcomes import (
    Done,
    HeldError,
    RetryLaterError,
    SkippedError,
)
from sync.engine.writes import written
from sync.magento.order_models import Order
from sync.magento.order_turns import turn_of
from sync.magento.stock_ports import LocksOfSkus
from sync.orders import mapping
from sync.orders.account import account_of
from sync.orders.addresses import delivery_digest
from sync.orders.edited_orders import check_replaced, replaced_by
from sync.orders.identity import order_of
from sync.orders.late_changes import LateChanges
from sync.orders.late_doubles import TIDY
from sync.orders.named_items import MEMBER, BadItemsError, named_items
from sync.orders.own_headers import LINK
from sync.orders.ports import ShopOrders, SoldItems
from sync.orders.rules import FLOW, OrderRules
from sync.orders.selling import Selling
from sync.orders.source import CHANGE, is_canceled, is_held_back
from sync.orders.starts import Side, Starts
from sync.orders.writer import CREATE, OrderWriter
from sync.sales.quantities import is_nothing_left, kept_lines

# Its state is looked at again by the poll too, as soon as the shop moves it.
_UNPAID_WAIT = timedelta(minutes=5)
_CANCELED = "Canceled"
_SHOP = "magento"
_WRITE_BACK = "ext_order_id"
_WHY_NOT = {
    Side.BEFORE: "is from before the start",
    Side.UNDECIDED: "has a number that cannot be compared with the start",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderMarket:
    """All that one market's orders need.

    Attributes:
        store_ids: Its store views.
        sold: Finds its items.
        writer: Writes its orders.
        changes: Carries what becomes of them later.
    """

    selling: Selling
    rules: OrderRules
    store_ids: frozenset[int]
    sold: SoldItems
    writer: OrderWriter
    changes: LateChanges


class OrderFlow:
    """A `sync.engine.flow.Flow`.

    Args:
        shop: The shop's orders.
        markets: By code.
        starts: Says which orders are history.
        locks: One write at a time for each order of the shop.
    """

    name = FLOW

    def __init__(
        self,
        shop: ShopOrders,
        *,
        markets: Mapping[str, OrderMarket],
        starts: Starts,
        locks: LocksOfSkus,
    ) -> None:
        self._shop = shop
        self._locks = locks
        self._markets = markets
        self._starts = starts

    async def carry(self, work: Work) -> Done:
        """Bring one order over; raises the engine's outcomes and `UpstreamError`."""
        market = self._markets[work.event.market]
        order = await order_of(work, self._shop, stores=market.store_ids)
        if work.event.payload.get("task") == TIDY:
            deleted = await market.writer.tidy(work, order)
            return Done(f"{deleted} stopped doubles deleted")
        if is_canceled(order):
            return await self._cancel(work, order, market)
        if order.ext_order_id:
            return await self._numbered(work, order, market)
        await self._check_turn(work, order, market.rules)
        await check_replaced(work, order, self._shop, market.writer, stores=market.store_ids)
        account = await account_of(work, order, market.rules)
        named = _named(work)
        draft = mapping.map_order(
            order,
            account=account,
            products=await market.sold.find(mapping.products_of(order, market.rules, named)),
            selling=market.selling,
            rules=market.rules,
            named=named,
        )
        sold = await market.writer.write(work, order, draft)
        # Before the shop has the number, so that it is never taken for somebody else's.
        delivered_to = delivery_digest(order)
        await work.links.remember(LINK, str(order.entity_id), sold.number, delivered_to)
        await self._write_back(work, order, sold.number)
        caution = (sold.caution.text,) if sold.caution else ()
        note = "; ".join((f"is in the ERP as {sold.number}", *caution, *draft.notes))
        return Done(note, sold.caution)

    async def _numbered(self, work: Work, order: Order, market: OrderMarket) -> Done:
        """End an order that has an ERP number, if that is a number of ours."""
        number = order.ext_order_id
        linked = await work.links.erp_key(LINK, str(order.entity_id))
        if linked is None and await market.writer.has(order, number):
            await work.links.remember(LINK, str(order.entity_id), number)
            linked = number
        if linked is not None and is_same_name(linked, number):
            done = f"is in the ERP as {number}"
            if work.event.payload.get("task") == CHANGE:
                done += f"; {await market.changes.carry(work, order, linked)}"
            return Done(done)
        known = "was not sent from here" if linked is None else f"was sent as {linked}"
        raise HeldError(
            field="ext_order_id",
            text=f"the shop has {number} on it, which is no order of the ERP with its lines; "
            f"it {known}",
            advice="empty ext_order_id in the shop and replay, to have it sent or told of; "
            "or skip the event when it belongs to somebody else",
        )

    async def _check_turn(self, work: Work, order: Order, rules: OrderRules) -> None:
        is_forced = bool(work.event.payload.get("is_forced"))
        side = await self._starts.side_of(order, work.event.market)
        if side is not Side.AFTER and not is_forced:
            number = f"{order.increment_id} --entity-id {order.entity_id}"
            raise SkippedError(f"{_WHY_NOT[side]}; d365-sync export {number}")
        if is_held_back(order, rules):
            raise RetryLaterError(f"the shop holds it: {order.state}", after=_UNPAID_WAIT)
        if is_nothing_left(order, rules.splitting):
            raise SkippedError("was cancelled or refunded in full before it was sent")
        if order.state == "closed" and order.total_refunded and not is_forced:
            raise HeldError(
                field="total_refunded",
                text=f"closed in the shop with {order.total_refunded} refunded, though not every "
                "piece went back; it was not sent",
                advice='to send it, add "is_forced": true to the payload with d365-sync edit and '
                "replay; or skip the event",
            )

    async def _cancel(self, work: Work, order: Order, market: OrderMarket) -> Done:
        doubts = await market.writer.doubts(work)
        headers = await market.writer.find(order)
        if not headers:
            doubts.wait_out(CREATE)
            for line in kept_lines(order, market.rules.splitting):
                raise HeldError(
                    field=f"items[{line.index}].qty_invoiced",
                    text="cancelled in the shop after a part was invoiced, and never sent",
                    advice="enter what was invoiced by hand, then skip the event",
                )
            raise SkippedError(f"was cancelled before it was sent{replaced_by(order)}")
        left = [header for header in headers if header.SalesOrderStatus != _CANCELED]
        for header in left:
            if not header.IsSalesProcessingStopped:
                await market.writer.stop(work, header.SalesOrderNumber)
        if not left:
            return Done("is cancelled on both sides")
        numbers = ", ".join(header.SalesOrderNumber for header in left)
        raise HeldError(
            field="state",
            text=f"cancelled in the shop after it was sent{replaced_by(order)}; {numbers} is "
            "stopped in the ERP",
            advice="cancel the order in the ERP, then replay; or skip to leave it stopped",
        )

    async def _write_back(self, work: Work, order: Order, number: str) -> None:
        request = {"entity_id": order.entity_id, "ext_order_id": number}
        send = partial(self._shop.set_ext_order_id, order.entity_id, number)
        async with self._locks.hold([turn_of(order.entity_id)]):
            await written(work, _SHOP, _WRITE_BACK, request, send)


def _named(work: Work) -> dict[int, str]:
    try:
        return named_items(work.event.payload)
    except BadItemsError as error:
        raise HeldError(
            field=MEMBER, text=str(error), advice="correct it with d365-sync edit, then replay"
        ) from error
