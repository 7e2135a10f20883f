"""Bring to the ERP's order what became of the shop's after it was sent.

    put on hold in the shop      stopped in the ERP, and released when the hold is taken off;
                                 held where the ERP has delivered already
    a part of it cancelled       held, each line and quantity named; or the ERP's lines are
                                 reduced, where the market's rules say so
    another delivery address     held, with the fields that differ

What the ERP has already, because a person or an earlier attempt saw to it, is fine. A hold
that a person of the ERP has set is theirs: it is not taken off.
"""

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow
from pricing_proxy.names import is_same_name
from sync.engine.flow import Work
from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.addresses import DELIVERY_FIELDS, delivery_digest, is_delivered_to, moved
from sync.orders.echo import field_differences
from sync.orders.header import destination
from sync.orders.own_headers import LINK
from sync.orders.reducing import OPEN, Reducer
from sync.orders.rules import OrderRules
from sync.orders.source import STOPPED, is_held_back
from sync.orders.writer import OrderWriter


class LateChanges:
    """Carries the changes of one market's orders.

    Args:
        writer: Finds its orders in the ERP, stops and releases them.
        reducer: Sees to lines that were cancelled.
        market: Its code.
        rules: Its rules.
    """

    def __init__(
        self, writer: OrderWriter, *, reducer: Reducer, market: str, rules: OrderRules
    ) -> None:
        self._writer = writer
        self._reducer = reducer
        self._market = market
        self._rules = rules

    async def carry(self, work: Work, order: Order, number: str) -> str:
        """Make the ERP's order what the shop's is now, and return what was done.

        Raises:
            HeldError: A person must see to it in the ERP.
            UpstreamError: A call failed.
        """
        header = await self._header(order, number)
        notes = [await self._stopped(work, order, header)]
        notes.append(await self._reducer.reduce(work, order, header))
        await self._check_address(work, order, header)
        notes.append(await self._released(work, order, header))
        return "; ".join(note for note in notes if note) or "nothing is to be changed in it"

    async def _header(self, order: Order, number: str) -> SalesOrderHeaderRow:
        for header in await self._writer.find(order):
            if is_same_name(header.SalesOrderNumber, number):
                return header
        raise HeldError(
            field=self._rules.reference_field,
            text=f"{number}, as which the order was sent, does not stand under "
            f"{self._rules.reference_of(order)} in the ERP any more",
            advice="give it its reference back in the ERP and replay; or see to the change of the "
            "shop's order by hand and skip the event",
        )

    async def _stopped(self, work: Work, order: Order, header: SalesOrderHeaderRow) -> str:
        if not is_held_back(order, self._rules):
            return ""
        number = header.SalesOrderNumber
        if header.SalesOrderStatus != OPEN:
            raise HeldError(
                field="state",
                text=f"the shop holds it ({order.state}), and {number} is "
                f"{header.SalesOrderStatus} in the ERP already",
                advice="see what can still be kept back, and skip the event",
            )
        if not header.IsSalesProcessingStopped:
            # Before the stop: whoever finds it stopped must know whose stop that is.
            await work.links.remember(STOPPED, str(order.entity_id), number)
            await self._writer.stop(work, number)
        return f"{number} is stopped while the shop holds it ({order.state})"

    async def _released(self, work: Work, order: Order, header: SalesOrderHeaderRow) -> str:
        document, number = str(order.entity_id), header.SalesOrderNumber
        if is_held_back(order, self._rules) or not await work.links.erp_key(STOPPED, document):
            return ""
        if header.IsSalesProcessingStopped and header.SalesOrderStatus == OPEN:
            await self._writer.release(work, number)
        await work.links.remember(STOPPED, document, "")
        return f"{number} is released as the shop holds it no longer"

    async def _check_address(self, work: Work, order: Order, header: SalesOrderHeaderRow) -> None:
        document, number = str(order.entity_id), header.SalesOrderNumber
        sent, now = await work.links.content_hash(LINK, document) or "", delivery_digest(order)
        # What was corrected in the ERP alone is the ERP's business.
        if is_delivered_to(sent, now):
            return
        fields = destination(order, self._rules, market=self._market).fields
        # What the new address has not must not be left over from the old one.
        expected = {**dict.fromkeys(DELIVERY_FIELDS, ""), **fields} if fields else {}
        if found := field_differences(expected, header):
            raise HeldError(
                field=found[0][0],
                text=f"the delivery address was changed in the shop after the order was sent; "
                f"{number} has another one",
                advice="change it in the ERP, or back in the shop, then replay; or skip to leave "
                "it as it is",
                diff=tuple(found),
            )
        await work.links.remember(LINK, document, number, moved(sent, now))
