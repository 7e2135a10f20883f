"""Returns: what the shop refunds becomes a return order in the ERP, once.

A return is looked up by its reference before it is created, and its lines by the lot they
return; only what is missing is written. It waits for its order to be in the ERP.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.d365.fo.return_models import (
    ReturnHeaderBody,
    ReturnHeaderRow,
    ReturnLineBody,
    ReturnLineRow,
)
from pricing_proxy.d365.fo.returns import CreatedReturn
from pricing_proxy.d365.transport import Guard
from sync.engine.flow import Work
from sync.engine.outcomes import Done, HeldError, SkippedError, WaitForError
from sync.engine.refusals import named
from sync.engine.writes import Doubts, written
from sync.magento.document_models import CreditMemo
from sync.magento.models import Order
from sync.returns.mapping import ReturnDraft, map_return, reference_of
from sync.returns.rules import ReturnRules
from sync.sales.value_lines import Splitting

FLOW = "returns"
CREATE = "return header create"
ADD_LINE = "return line create"
_DELETE = "return header delete"
_ERP = "fo"
_NEVER_SENT = ("closed", "canceled")


class ErpReturns(Protocol):
    """Return orders of the ERP; every method raises `UpstreamError`."""

    async def find(self, company: str, reference: str) -> list[ReturnHeaderRow]:
        """Return all with a reference, the lowest number first."""
        ...

    async def lines(self, company: str, number: str) -> list[ReturnLineRow]:
        """Return the lines of one."""
        ...

    async def create_header(
        self,
        company: str,
        body: ReturnHeaderBody,
        *,
        reference: str,
        guard: Guard | None = None,
    ) -> CreatedReturn:
        """Create one."""
        ...

    async def add_line(
        self, company: str, number: str, body: ReturnLineBody, *, guard: Guard | None = None
    ) -> str:
        """Add a line."""
        ...

    async def delete_header(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        """Delete one with its lines."""
        ...


class ErpOrders(Protocol):
    """Sales orders of the ERP, to be read."""

    async def find(self, company: str, reference: str) -> list[SalesOrderHeaderRow]:
        """Return all headers with a reference."""
        ...

    async def lines(self, company: str, number: str) -> list[SalesOrderLineRow]:
        """Return an order's lines."""
        ...


class ShopDocuments(Protocol):
    """Documents of the shop."""

    async def credit_memo(self, entity_id: int) -> CreditMemo | None:
        """Return a credit memo by its internal id."""
        ...

    async def order(self, entity_id: int) -> Order | None:
        """Return an order by its internal id."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnMarket:
    """All that one market's returns need.

    Attributes:
        expects: Whether an order is one that is brought over; a return of another is not.
    """

    company: str
    rules: ReturnRules
    splitting: Splitting
    returns: ErpReturns
    orders: ErpOrders
    expects: Callable[[Order], bool]


class ReturnFlow:
    """A `sync.engine.flow.Flow`.

    Args:
        shop: The shop's documents.
        markets: By code.
        erp_max_request: No request is finished later than this after it was sent.
    """

    name = FLOW

    def __init__(
        self,
        shop: ShopDocuments,
        *,
        markets: Mapping[str, ReturnMarket],
        erp_max_request: timedelta,
    ) -> None:
        self._shop = shop
        self._markets = markets
        self._erp_max_request = erp_max_request

    async def carry(self, work: Work) -> Done:
        """Bring one credit memo over; raises the engine's outcomes and `UpstreamError`."""
        market = self._markets[work.event.market]
        memo = await self._shop.credit_memo(int(work.event.payload["entity_id"]))
        if memo is None:
            raise SkippedError("the shop has no such credit memo any more")
        order = await self._shop.order(memo.order_id)
        if order is None:
            raise SkippedError("the shop has no order of this credit memo any more")
        header = await self._sold_as(order, market)
        draft = map_return(
            memo,
            order,
            await market.orders.lines(market.company, header.SalesOrderNumber),
            account=header.OrderingCustomerAccountNumber,
            splitting=market.splitting,
            rules=market.rules,
        )
        # Before anything is looked up: what may have arrived since then is still in doubt.
        doubts = await Doubts.of(work, longest=self._erp_max_request)
        number = await self._one_header(work, draft, market, doubts)
        await self._complete(work, number, draft, market, doubts)
        await work.links.remember("return", str(memo.entity_id), number)
        return Done(f"{reference_of(memo)} is return order {number}")

    async def _sold_as(self, order: Order, market: ReturnMarket) -> SalesOrderHeaderRow:
        headers = await market.orders.find(market.company, order.increment_id)
        released = [header for header in headers if not header.IsSalesProcessingStopped]
        if released:
            return released[0]
        if order.ext_order_id and not headers:
            raise HeldError(
                field="ext_order_id",
                text=f"{order.ext_order_id} does not stand under {order.increment_id} in the ERP",
                advice="enter the return by hand, then skip the event",
            )
        # Waiting for an order that is never sent would have no end.
        if not headers and order.state in _NEVER_SENT:
            raise SkippedError(f"its order was {order.state} before it was sent")
        if not headers and not market.expects(order):
            raise SkippedError("its order is from before the start, and not in the ERP")
        raise WaitForError(
            flow="orders",
            business_key=order.increment_id,
            payload={"entity_id": order.entity_id, "task": "export"},
        )

    async def _one_header(
        self, work: Work, draft: ReturnDraft, market: ReturnMarket, doubts: Doubts
    ) -> str:
        found = await market.returns.find(market.company, draft.reference)
        for double in found[1:]:
            number = double.ReturnOrderNumber
            delete = partial(market.returns.delete_header, market.company, number)
            with named("delete a doubled return", {"ReturnOrderNumber": number}):
                await written(work, _ERP, _DELETE, {"ReturnOrderNumber": number}, delete)
        if found:
            return found[0].ReturnOrderNumber
        doubts.wait_out(CREATE)
        sent = {**draft.header.members(), "CustomersOrderReference": draft.reference}

        async def create(*, guard: Guard) -> str:
            created = await market.returns.create_header(
                market.company, draft.header, reference=draft.reference, guard=guard
            )
            return created.number

        with named("create the return's header", sent):
            return await written(work, _ERP, CREATE, sent, create)

    async def _complete(
        self, work: Work, number: str, draft: ReturnDraft, market: ReturnMarket, doubts: Doubts
    ) -> None:
        """Add the lines that are missing; hold when one is there twice."""
        lines = await market.returns.lines(market.company, number)
        counts = Counter((line.ItemNumber, line.ReturningInventoryLotId) for line in lines)
        doubled = [item for (item, _), count in counts.items() if count > 1]
        if doubled:
            raise HeldError(
                field="ReturningInventoryLotId",
                text=f"return order {number} takes {', '.join(doubled)} back twice",
                advice="delete the surplus line in the ERP, then replay",
            )
        for body in draft.lines:
            lot = body.ReturningInventoryLotId or ""
            if (body.ItemNumber, lot) in counts:
                continue
            about = {
                "ReturnOrderNumber": number,
                "ItemNumber": body.ItemNumber,
                "ReturningInventoryLotId": lot,
            }
            doubts.wait_out(ADD_LINE, about)
            sent = {**body.members(), **about}
            add = partial(market.returns.add_line, market.company, number, body)
            with named(f"take {body.ItemNumber} back", sent):
                await written(work, _ERP, ADD_LINE, sent, add)
