"""An invoice of the ERP becomes an invoice of the shop, and both are compared."""

from collections.abc import Iterator

from sync.engine.flow import Work
from sync.engine.outcomes import Caution, Difference, Done, HeldError
from sync.engine.writes import Doubts
from sync.invoices.bills import Bill
from sync.invoices.invoicing import Invoiced, InvoiceWriter, ToInvoice
from sync.invoices.line_reader import AllBilled, BillLines
from sync.invoices.mapping import (
    BillDraft,
    is_all_invoiced,
    map_invoice,
)
from sync.invoices.own_documents import net_differences
from sync.invoices.rules import InvoiceRules
from sync.invoices.shop_order import BilledOrderReader
from sync.magento.billed_order_models import BilledOrder

_NOTHING = Invoiced(note="bills nothing that the shop invoices by itself")


class InvoiceCarrier:
    """Carries the invoices of one market.

    Args:
        lines: Reads the market's bills.
        orders: The shop's orders.
        writer: Invoices.
        rules: The market's.
    """

    def __init__(
        self,
        lines: BillLines,
        *,
        orders: BilledOrderReader,
        writer: InvoiceWriter,
        rules: InvoiceRules,
    ) -> None:
        self._lines = lines
        self._orders = orders
        self._writer = writer
        self._rules = rules

    async def carry(self, work: Work, bill: Bill) -> Done:
        """Invoice; raises the engine's outcomes and `UpstreamError`."""
        # Before anything is looked up: what may have arrived since then is still in doubt.
        doubts = await Doubts.of(work)
        order = await self._orders.of(work, bill.order_id)
        method = order.payment.method
        if self._rules.mode_of(method) == "no_invoice":
            return Done(f"{bill.name}: the shop gets no invoice of orders paid by {method}")
        own, billed = await self._lines.of(bill), await self._lines.all_of(bill)
        draft = map_invoice(own, own if billed is None else billed.lines, order)
        if draft.unknown and not draft.quantities:
            raise HeldError(
                field="InventTransId",
                text=f"no line of {bill.name} is a row of the shop's order: "
                f"{', '.join(draft.unknown)}",
                advice="invoice by hand in the shop what the customer got; then skip the event",
            )
        invoiced = _NOTHING
        if draft.quantities:
            wanted = ToInvoice(bill=bill, quantities=draft.quantities)
            invoiced = await self._writer.invoice(work, order, wanted, doubts)
        differences = [*self._differences(draft, invoiced)]
        if billed is not None and (billed.is_last or not is_all_invoiced(order)):
            now = await self._orders.of(work, bill.order_id)
            differences += self._of_whole(now, billed)
        return Done(f"{bill.name} {invoiced.note}", _caution(bill, draft, invoiced, differences))

    def _differences(self, draft: BillDraft, invoiced: Invoiced) -> Iterator[Difference]:
        if invoiced.invoice is not None:
            yield from net_differences(
                invoiced.invoice,
                draft.quantities,
                draft.nets,
                tolerance=self._rules.line_tolerance,
            )

    def _of_whole(self, order: BilledOrder, billed: AllBilled) -> list[Difference]:
        """Return what differs of freight and total, once all of the order is invoiced.

        Before, all of the shipping is in the shop's first invoice, and in whichever of the ERP's.
        """
        if not billed.is_whole or not is_all_invoiced(order):
            return []
        whole = map_invoice(billed.lines, billed.lines, order)
        shipping = order.shipping_invoiced
        if shipping:
            shipping -= order.shipping_discount_amount
            shipping += order.shipping_discount_tax_compensation_amount
        pairs = (
            ("freight net", whole.freight, shipping),
            ("total", whole.gross, order.total_invoiced),
        )
        return [
            (name, f"{expected:.2f}", f"{found:.2f}")
            for name, expected, found in pairs
            if abs(expected - found) > self._rules.tolerance
        ]


def _caution(
    bill: Bill, draft: BillDraft, invoiced: Invoiced, differences: list[Difference]
) -> Caution | None:
    diff = [*invoiced.missing, *differences]
    if invoiced.missing:
        return Caution(
            field="Qty",
            text=f"{bill.name} bills more than was left to invoice in the shop",
            advice="see what the customer owes, and settle it by hand",
            diff=diff,
        )
    if draft.unknown:
        return Caution(
            field="InventTransId",
            text=f"{bill.name} has lines that are no rows of the shop's order: "
            f"{', '.join(draft.unknown)}",
            advice="tell the customer by hand of what was added in the ERP",
            diff=diff,
        )
    if differences:
        return Caution(
            field="LineAmount",
            text=f"{bill.name} comes to something else in the shop",
            advice="see whether prices were changed in the ERP after the order, and settle the "
            "difference by hand",
            diff=diff,
        )
    return None
