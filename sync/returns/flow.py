"""Returns: what the shop refunds becomes a return order in the ERP, once.

A return is looked up by its reference before it is created, and its lines by the lot they
return; only what is missing is written. It waits for its order to be in the ERP. Which
documents of the ERP are the order's and the return's own, `own_documents` says.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Work
from sync.engine.outcomes import (
    Done,
    HeldError,
    IdentifiedError,
    SkippedError,
    WaitForError,
)
from sync.engine.refusals import named
from sync.engine.writes import Doubts, written
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.order_models import Order, OrderHead
from sync.returns.echo import differences, line_key
from sync.returns.mapping import ReturnDraft, map_return
from sync.returns.own_documents import OwnReturns, ReturnOf, SoldOrders
from sync.returns.ports import ErpReturns, ShopMemos, SoldInShop
from sync.returns.rules import FLOW, ReturnRules
from sync.sales.bill_marks import MEMO_LINK, mark_of
from sync.sales.quantities import is_nothing_left
from sync.sales.references import RETURN_LINK, References
from sync.sales.value_lines import Splitting

CREATE = "return header create"
ADD_LINE = "return line create"
_DELETE = "return header delete"
_ERP = "fo"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnMarket:
    """All that one market's returns need.

    Attributes:
        store_ids: Its store views.
        orders: Finds what the ERP sold.
        own: Finds the returns that are one credit memo's.
        references: How returns are called in the ERP.
        expects: Whether an order is one that is brought over; a return of another is not.
    """

    company: str
    store_ids: frozenset[int]
    rules: ReturnRules
    splitting: Splitting
    returns: ErpReturns
    orders: SoldOrders
    own: OwnReturns
    references: References
    expects: Callable[[OrderHead], Awaitable[bool]]


class ReturnFlow:
    """A `sync.engine.flow.Flow`.

    Args:
        memos: The shop's credit memos.
        orders: The shop's orders.
        markets: By code.
    """

    name = FLOW

    def __init__(
        self,
        memos: ShopMemos,
        *,
        orders: SoldInShop,
        markets: Mapping[str, ReturnMarket],
    ) -> None:
        self._memos = memos
        self._orders = orders
        self._markets = markets

    async def carry(self, work: Work) -> Done:
        """Bring one credit memo over; raises the engine's outcomes and `UpstreamError`."""
        market = self._markets[work.event.market]
        memo = await self._memo(work, market)
        await _check_is_of_shop(work, memo, market)
        order = await self._orders.order(memo.order_id)
        if order is None:
            raise SkippedError("the shop has no order of this credit memo any more")
        header, lines = await self._sold_as(memo, order, market)
        draft = map_return(
            memo,
            order,
            lines,
            reference=market.references.of(memo),
            account=header.OrderingCustomerAccountNumber,
            splitting=market.splitting,
            rules=market.rules,
        )
        # Before anything is looked up: what may have arrived since then is still in doubt.
        doubts = await Doubts.of(work)
        number = await self._one_header(work, ReturnOf(memo, lines, draft), market, doubts)
        # Before its first line: what is empty after a crash is known to be this one's.
        await work.links.remember(RETURN_LINK, str(memo.entity_id), number)
        await self._complete(work, number, draft, market, doubts)
        await self._check_echo(number, draft, lines, market)
        return Done(f"{draft.reference} is return order {number}")

    async def _memo(self, work: Work, market: ReturnMarket) -> CreditMemo:
        number, document_id = work.event.business_key, work.event.document_id
        entity_id = _entity_id(work)
        memo = await self._memos.credit_memo(entity_id)
        if memo is None:
            raise SkippedError("the shop has no such credit memo any more")
        if memo.increment_id != number or memo.store_id not in market.store_ids:
            raise HeldError(
                field="increment_id",
                text=f"credit memo #{entity_id} was {number} of {work.event.market} and is "
                f"{memo.increment_id} of store view {memo.store_id} now",
                advice="find out which one the shop means; enter it by hand and skip the event",
            )
        if document_id is None:
            raise IdentifiedError(str(entity_id))
        return memo

    async def _sold_as(
        self, memo: CreditMemo, order: Order, market: ReturnMarket
    ) -> tuple[SalesOrderHeaderRow, Sequence[SalesOrderLineRow]]:
        sold = await market.orders.find(order)
        if sold.released is not None:
            return sold.released
        if order.ext_order_id and not sold.is_under_way:
            raise HeldError(
                field="ext_order_id",
                text=f"{order.ext_order_id} does not stand under {order.increment_id} in the ERP",
                advice="enter the return by hand, then skip the event",
            )
        # Waiting for an order that is never sent would have no end.
        if not sold.is_under_way and _is_never_sent(order, market):
            raise SkippedError("its order was cancelled or refunded before it was sent")
        if not sold.is_under_way and not await market.expects(order):
            raise SkippedError(
                "its order is from before the start, and not in the ERP; for both: d365-sync "
                f"export {order.increment_id}, then d365-sync export-return {memo.increment_id}"
            )
        raise WaitForError(
            flow="orders",
            document_id=str(order.entity_id),
            business_key=order.increment_id,
            payload={"entity_id": order.entity_id, "task": "export"},
        )

    async def _one_header(
        self, work: Work, wanted: ReturnOf, market: ReturnMarket, doubts: Doubts
    ) -> str:
        draft = wanted.draft
        found = await market.own.find(wanted)
        for double in found[1:]:
            number = double.ReturnOrderNumber
            delete = partial(market.returns.delete_header, market.company, number)
            with named("delete a doubled return", {"ReturnOrderNumber": number}):
                await written(work, _ERP, _DELETE, {"ReturnOrderNumber": number}, delete)
        if found:
            return found[0].ReturnOrderNumber
        doubts.wait_out(CREATE)
        await market.own.check_is_first(wanted)
        sent = {**draft.header.members(), "CustomersOrderReference": draft.reference}

        async def create(*, guard: Guard) -> str:
            return await market.returns.create_header(
                market.company, draft.header, reference=draft.reference, guard=guard
            )

        with named("create the return's header", sent):
            return await written(work, _ERP, CREATE, sent, create)

    async def _complete(
        self, work: Work, number: str, draft: ReturnDraft, market: ReturnMarket, doubts: Doubts
    ) -> None:
        """Add the lines that are missing; hold when one is there twice."""
        lines = await market.returns.lines(market.company, number)
        counts = Counter(line_key(line.ItemNumber, line.ReturningInventoryLotId) for line in lines)
        doubled = [item for (item, _), count in counts.items() if count > 1]
        if doubled:
            raise HeldError(
                field="ReturningInventoryLotId",
                text=f"return order {number} takes {', '.join(doubled)} back twice",
                advice="delete the surplus line in the ERP, then replay",
            )
        for body in draft.lines:
            lot = body.ReturningInventoryLotId or ""
            if line_key(body.ItemNumber, lot) in counts:
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

    async def _check_echo(
        self,
        number: str,
        draft: ReturnDraft,
        sold: Sequence[SalesOrderLineRow],
        market: ReturnMarket,
    ) -> None:
        """Hold a return that gives something else back than what was sent."""
        with named("read the return's lines", {"ReturnOrderNumber": number}):
            rows = await market.returns.lines(market.company, number)
        decimals = market.splitting.amount_decimals
        found = tuple(differences(draft, rows, sold, rules=market.rules, decimals=decimals))
        if found:
            raise HeldError(
                field=found[0][0],
                text=f"return order {number} differs from what was sent",
                advice="correct it in the ERP, or delete it there and set returns.price_unit or "
                "returns.price_decimals to what the ERP does; then replay",
                diff=found,
            )


async def _check_is_of_shop(work: Work, memo: CreditMemo, market: ReturnMarket) -> None:
    """Return where the shop gave back by itself; a credit note of the ERP needs no return there."""
    mark, memo_id = mark_of(memo.comments, market.company), str(memo.entity_id)
    linked = await work.links.erp_key(MEMO_LINK, memo_id)
    is_return = linked is not None and await work.links.erp_key(RETURN_LINK, memo_id) is not None
    if mark or (linked is not None and not is_return):
        raise SkippedError(f"was made of the ERP's credit note {mark or linked}")


def _entity_id(work: Work) -> int:
    """Return the credit memo's id; an event of an older version has it in its payload."""
    told = str(work.event.document_id or work.event.payload.get("entity_id"))
    if not (told.isascii() and told.isdecimal()):
        raise HeldError(
            field="entity_id",
            text=f"the event does not say which credit memo {work.event.business_key} is",
            advice='write the shop\'s id of it into the payload, as {"entity_id": 7}, with: '
            f"d365-sync edit {work.event.id} FILE; then replay",
        )
    return int(told)


def _is_never_sent(order: Order, market: ReturnMarket) -> bool:
    return order.state == "canceled" or is_nothing_left(order, market.splitting)
