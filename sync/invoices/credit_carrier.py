"""A credit note of the ERP becomes a credit memo of the shop, unless one of the shop caused it.

its return was made of a credit memo     the two are linked: the money went back already
all else                                 goods by the lots that the return takes back, freight
                                         as shipping, everything else beside the goods
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from sync.engine.flow import Work
from sync.engine.outcomes import Caution, Difference, Done, RetryLaterError
from sync.engine.writes import Doubts
from sync.invoices.bills import Bill
from sync.invoices.crediting import Credited, MemoWriter, ToCredit
from sync.invoices.deliveries import Deliveries
from sync.invoices.line_reader import BillLines
from sync.invoices.mapping import BillDraft, billed_quantities, map_credit
from sync.invoices.own_documents import net_differences
from sync.invoices.rules import InvoiceRules
from sync.invoices.shop_order import BilledOrderReader
from sync.magento.billed_order_models import BilledOrder
from sync.sales.bill_marks import MEMO_LINK
from sync.sales.references import RETURN_LINK, RETURN_MARK

# The invoice's own event goes before; past all attempts a person must look.
_UNINVOICED = timedelta(minutes=5)


class CreditCarrier:
    """Carries the credit notes of one market.

    Args:
        lines: Reads the market's bills.
        orders: The shop's orders.
        writer: Refunds.
        rules: The market's.
        deliveries: Of the market; None where nobody brings its shipments over.
    """

    def __init__(
        self,
        lines: BillLines,
        *,
        orders: BilledOrderReader,
        writer: MemoWriter,
        rules: InvoiceRules,
        deliveries: Deliveries | None = None,
    ) -> None:
        self._lines = lines
        self._orders = orders
        self._writer = writer
        self._rules = rules
        self._deliveries = deliveries

    async def carry(self, work: Work, bill: Bill) -> Done:
        """Refund; raises the engine's outcomes and `UpstreamError`."""
        # Before anything is looked up: what may have arrived since then is still in doubt.
        doubts = await Doubts.of(work)
        if (memo := await self._own_memo(work, bill)) is not None:
            return await self._linked(work, bill, memo)
        order = await self._orders.of(work, bill.order_id)
        draft = map_credit(await self._lines.of(bill), order)
        await self._check_invoiced(bill, draft, order)
        if self._deliveries is not None and draft.quantities:
            await self._deliveries.check_shipped(bill, draft.quantities)
        credited = await self._writer.credit(work, order, ToCredit(bill=bill, draft=draft), doubts)
        differences = [*credited.missing, *self._differences(draft, credited)]
        beside = f", {draft.beside:.2f} of it beside the goods" if draft.beside else ""
        return Done(
            f"{bill.name} {credited.note}{beside}",
            _caution(bill, draft.gross, differences) or _of_unknown(bill, draft),
        )

    async def _own_memo(self, work: Work, bill: Bill) -> str | None:
        """Return the memo that a note's return was made of; None where it was made of none."""
        if not bill.return_number:
            return None
        memo = await work.links.magento_id(RETURN_LINK, bill.return_number)
        if memo is None and await self._lines.is_of_shop(bill, mark=RETURN_MARK):
            # Whoever made it was stopped before they could remember.
            raise RetryLaterError(
                f"return {bill.return_number} is of a credit memo, and nobody knows of which yet",
                after=_UNINVOICED,
            )
        return memo

    async def _linked(self, work: Work, bill: Bill, memo_id: str) -> Done:
        """Link a note to the memo that went before it; the money went back already."""
        await work.links.remember(MEMO_LINK, memo_id, bill.paper.mark)
        note = f"{bill.name} is for return {bill.return_number} of credit memo #{memo_id}"
        memo = await self._writer.memo(bill.order_id, memo_id)
        credited = await self._lines.credited(bill)
        if memo is None or credited is None:
            return Done(note)
        differences = list(self._of_total(credited, memo.grand_total))
        return Done(note, _caution(bill, credited, differences))

    async def _check_invoiced(self, bill: Bill, draft: BillDraft, order: BilledOrder) -> None:
        """Return where the shop has the invoices that the note gives back of."""
        if self._rules.mode_of(order.payment.method) == "no_invoice":
            return
        billed = await self._lines.all_of(bill)
        rows = {row.item_id: row for row in order.items}
        expected = {} if billed is None else billed_quantities(billed.lines, order)
        is_behind = any(
            min(expected.get(item, Decimal(0)), rows[item].qty_ordered - rows[item].qty_canceled)
            > rows[item].qty_invoiced
            for item in draft.quantities
        )
        if is_behind or not order.total_invoiced:
            raise RetryLaterError(
                "what was billed is not invoiced in the shop yet", after=_UNINVOICED
            )

    def _differences(self, draft: BillDraft, credited: Credited) -> Iterator[Difference]:
        memo = credited.memo
        if memo is None:
            return
        yield from net_differences(
            memo, draft.quantities, draft.nets, tolerance=self._rules.line_tolerance
        )
        yield from self._of_total(draft.gross, memo.grand_total)

    def _of_total(self, expected: Decimal, found: Decimal) -> Iterator[Difference]:
        if abs(found - expected) > self._rules.tolerance:
            yield "total", f"{expected:.2f}", f"{found:.2f}"


def _caution(bill: Bill, credited: Decimal, differences: list[Difference]) -> Caution | None:
    if not differences:
        return None
    return Caution(
        field="TotalInvoiceAmount",
        text=f"{bill.name} gives back {credited:.2f}, and the shop something else",
        advice="see what the customer got back, and settle the difference by hand",
        diff=differences,
    )


def _of_unknown(bill: Bill, draft: BillDraft) -> Caution | None:
    """Return what is told of goods that came back and that the shop never sold."""
    if not bill.return_number or not draft.unknown:
        return None
    return Caution(
        field="InventTransId",
        text=f"return {bill.return_number} takes back lines that are no rows of the shop's order: "
        f"{', '.join(draft.unknown)}; their amount went back beside the goods",
        advice="see whether they were added to this order in the ERP",
    )
