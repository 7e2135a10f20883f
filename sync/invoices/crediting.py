"""Give back in the shop what the ERP credited: once, and never without its mark.

    the mark stands on a credit memo     it is done, whoever lost the answer
    one by hand has rows of it too       it waits until that is a return in the ERP; where returns
                                         are not brought over, equal lines are taken for it, and
                                         others are a person's affair
    none of these                        it is refunded, and read back

All of it under the locks of the SKUs, as what is refunded unshipped is reserved no longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Work
from sync.engine.outcomes import Difference, HeldError, RetryLaterError
from sync.engine.writes import Doubts, written
from sync.invoices.bills import Bill
from sync.invoices.mapping import BillDraft
from sync.invoices.own_documents import (
    by_hand,
    has_equal_lines,
    made_of,
    missing_from,
    quantities_of,
)
from sync.invoices.ports import BillsInShop
from sync.invoices.refunding import refund_of
from sync.invoices.shop_order import BilledOrderReader
from sync.magento.billed_order_models import BilledOrder
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.invoices import Refund
from sync.magento.order_turns import turn_of
from sync.magento.stock_ports import LocksOfSkus
from sync.mirror.keys import folded
from sync.papers.refused import held_if_refused
from sync.papers.shop_states import check_goes_on
from sync.papers.stock_wanted import WantStock
from sync.sales.bill_marks import MEMO_LINK
from sync.sales.references import RETURN_LINK

REFUND = "refund"
OTHERS = "other_memos"
"""Member of a payload: credit memos by hand that are none of this note, by the shop's ids."""
_SHOP = "magento"
_UNRETURNED = timedelta(minutes=5)
_REFUSED_ADVICE = (
    "see what was paid and what went back; refund the rest in the shop by hand, then skip the event"
)
_ENDED_ADVICE = (
    "see what the customer gets back; the shop refunds nothing more. Then skip the event"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credited:
    """What came of it.

    Attributes:
        note: For the event's story.
        memo: The shop's; None where nothing is left to give back.
        missing: What the note has and the shop has not refunded, by row.
    """

    note: str
    memo: CreditMemo | None = None
    missing: Sequence[Difference] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCredit:
    """What is to be given back.

    Attributes:
        bill: Of which credit note.
        draft: What it means.
    """

    bill: Bill
    draft: BillDraft

    @property
    def mark(self) -> str:
        """What stands on its credit memo."""
        return self.bill.paper.mark


class MemoWriter:
    """Refunds for one market.

    Args:
        shop: The shop's.
        orders: Its orders.
        locks: One at a time for each SKU.
        want: Has stock written again.
        has_returns: Whether credit memos of the shop become returns in the ERP.
    """

    def __init__(
        self,
        shop: BillsInShop,
        *,
        orders: BilledOrderReader,
        locks: LocksOfSkus,
        want: WantStock | None,
        has_returns: bool,
    ) -> None:
        self._shop = shop
        self._orders = orders
        self._locks = locks
        self._want = want
        self._has_returns = has_returns

    async def memo(self, order_id: int, memo_id: str) -> CreditMemo | None:
        """Return a credit memo of an order; None where the shop has none of this id."""
        memos = await self._shop.memos_of(order_id)
        return next((each for each in memos if str(each.entity_id) == memo_id), None)

    async def credit(
        self, work: Work, order: BilledOrder, wanted: ToCredit, doubts: Doubts
    ) -> Credited:
        """Refund, or find that it is refunded; raises outcomes and `UpstreamError`."""
        skus = await self._orders.skus_of(order, wanted.draft.quantities)
        async with self._locks.hold([turn_of(wanted.bill.order_id), *map(folded, skus)]):
            done = await self._found(work, wanted)
            if done is None:
                doubts.wait_out(REFUND, {"mark": wanted.mark})
                done = await self._adopted(work, wanted) or await self._written(work, wanted)
        if self._want is not None and skus:
            await self._want(skus, reason=f"credit memo of order {order.increment_id}")
        return done

    async def _found(self, work: Work, wanted: ToCredit) -> Credited | None:
        memos = await self._shop.memos_of(wanted.bill.order_id)
        found = await made_of(work, memos, MEMO_LINK, wanted.mark)
        if found is None:
            return None
        await work.links.remember(MEMO_LINK, str(found.entity_id), wanted.mark)
        return _compared(found, wanted, f"is credit memo {found.increment_id}")

    async def _adopted(self, work: Work, wanted: ToCredit) -> Credited | None:
        """Take a credit memo by hand for this one's; raises what says that it is unclear."""
        ids = work.event.payload.get(OTHERS)
        others = {str(each) for each in ids} if isinstance(ids, list) else set()
        memos = await self._shop.memos_of(wanted.bill.order_id)
        kinds, company = [MEMO_LINK, RETURN_LINK], wanted.bill.paper.company
        for memo in await by_hand(work, memos, kinds, company):
            shared = sorted(wanted.draft.quantities.keys() & quantities_of(memo).keys())
            if not shared or str(memo.entity_id) in others:
                continue
            if self._has_returns:
                raise RetryLaterError(
                    f"credit memo {memo.increment_id} was made by hand, and is no return in the "
                    "ERP yet",
                    after=_UNRETURNED,
                )
            if has_equal_lines(memo, wanted.draft.quantities):
                await work.links.remember(MEMO_LINK, str(memo.entity_id), wanted.mark)
                return Credited(note=f"was refunded by hand as {memo.increment_id}", memo=memo)
            raise _unclear(memo, wanted, shared)
        return None

    async def _written(self, work: Work, wanted: ToCredit) -> Credited:
        # Anew, as under the locks nobody else of ours moves it.
        order = await self._orders.of(work, wanted.bill.order_id)
        check_goes_on(order.state, done="credited", advice=_ENDED_ADVICE)
        refund = refund_of(wanted.draft, order)
        if refund is None:
            raise HeldError(
                field="qty_refunded",
                text=f"nothing that {wanted.bill.name} gives back is left to refund in the shop",
                advice=_REFUSED_ADVICE,
            )
        number = await self._send(work, wanted, refund)
        await work.links.remember(MEMO_LINK, number, wanted.mark)
        for memo in await self._shop.memos_of(wanted.bill.order_id):
            if any(each.comment == wanted.mark for each in memo.comments):
                return _compared(memo, wanted, f"is credit memo {memo.increment_id}")
        raise RetryLaterError("the shop does not show the credit memo that it made")

    async def _send(self, work: Work, wanted: ToCredit, refund: Refund) -> str:
        request = {
            "order_id": wanted.bill.order_id,
            "mark": wanted.mark,
            "items": {str(row): str(each) for row, each in sorted(refund.quantities.items())},
            "shipping_amount": str(refund.shipping),
            "adjustment_positive": str(refund.given),
            "adjustment_negative": str(refund.kept),
        }

        async def send(*, guard: Guard) -> str:
            return await self._shop.refund(
                wanted.bill.order_id, refund, mark=wanted.mark, guard=guard
            )

        what = f"give back {wanted.bill.name}"
        with held_if_refused(work, "items", what, advice=_REFUSED_ADVICE):
            return await written(work, _SHOP, REFUND, request, send)


def _compared(memo: CreditMemo, wanted: ToCredit, note: str) -> Credited:
    missing = missing_from(memo, wanted.draft.quantities)
    return Credited(note=note, memo=memo, missing=missing)


def _unclear(memo: CreditMemo, wanted: ToCredit, shared: Sequence[int]) -> HeldError:
    found, expected = quantities_of(memo), wanted.draft.quantities
    return HeldError(
        field="items",
        text=f"credit memo {memo.increment_id} (#{memo.entity_id}) was made by hand and has rows "
        f"of {wanted.bill.name} too, with other quantities: {', '.join(map(str, shared))}",
        advice=f'if it is this one, skip the event; if not, add "{OTHERS}": [{memo.entity_id}] to '
        "the payload with d365-sync edit, and replay",
        diff=[(f"row {row}", str(expected[row]), str(found[row])) for row in shared],
    )
