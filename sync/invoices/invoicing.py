"""Invoice in the shop what the ERP billed: once, and never without its mark.

    the mark stands on an invoice        it is done, whoever lost the answer
    one by hand has equal lines          it is taken for this one
    nothing is left to invoice           it was invoiced before, by people or a gateway
    none of these                        it is invoiced, and read back, as the shop may cut it

By an invoice that is "online" the gateway takes money, and the shop may forget that it did: where
the end of one is unclear, and no invoice appears, a person must ask the gateway.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Work
from sync.engine.outcomes import Difference, HeldError, RetryLaterError
from sync.engine.writes import Doubts, written
from sync.invoices.bills import Bill
from sync.invoices.mapping import Quantities, capped, left_to_invoice
from sync.invoices.own_documents import (
    by_hand,
    has_equal_lines,
    made_of,
    missing_from,
    quantities_of,
)
from sync.invoices.ports import BillsInShop
from sync.invoices.rules import FLOW, InvoiceRules, has_gateway
from sync.invoices.shop_order import BilledOrderReader
from sync.magento.billed_order_models import BilledOrder, ShopInvoice
from sync.magento.order_turns import turn_of
from sync.magento.stock_ports import LocksOfSkus
from sync.mirror.keys import folded
from sync.papers.refused import held_if_refused
from sync.papers.shop_states import check_goes_on
from sync.papers.stock_wanted import WantStock
from sync.sales.bill_marks import INVOICE_LINK

INVOICE, CAPTURE = "invoice", "invoice and capture"
CAPTURE_AGAIN = "capture_again"
"""Member of a payload: a person has seen that the gateway took nothing."""
_SHOP = "magento"
_BY_HAND = "invoice it in the shop by hand with the same lines and replay, which adopts it"
_ENDED_ADVICE = (
    "see what the customer owes; the shop invoices nothing of it any more. Then skip the event"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoiced:
    """What came of it.

    Attributes:
        note: For the event's story.
        invoice: The shop's; None where all was invoiced before.
        missing: What the bill has and the shop has not invoiced, by row.
    """

    note: str
    invoice: ShopInvoice | None = None
    missing: Sequence[Difference] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToInvoice:
    """What is to be invoiced.

    Attributes:
        bill: Of which bill.
        quantities: How much of which row.
    """

    bill: Bill
    quantities: Quantities

    @property
    def mark(self) -> str:
        """What stands on its invoice."""
        return self.bill.paper.mark


class InvoiceWriter:
    """Invoices for one market.

    Args:
        shop: The shop's.
        orders: Its orders.
        rules: The market's.
        locks: One at a time for each SKU.
        want: Has stock written again.
        market: Its code.
    """

    def __init__(
        self,
        shop: BillsInShop,
        *,
        orders: BilledOrderReader,
        rules: InvoiceRules,
        locks: LocksOfSkus,
        want: WantStock | None,
        market: str,
    ) -> None:
        self._shop = shop
        self._orders = orders
        self._rules = rules
        self._locks = locks
        self._want = want
        self._market = market

    async def invoice(
        self, work: Work, order: BilledOrder, wanted: ToInvoice, doubts: Doubts
    ) -> Invoiced:
        """Invoice, or find that it is invoiced; raises outcomes and `UpstreamError`."""
        # What is never shipped leaves the stock when it is invoiced.
        virtual = {row.item_id for row in order.items if row.is_virtual}
        skus = await self._orders.skus_of(order, wanted.quantities.keys() & virtual)
        async with self._locks.hold([turn_of(wanted.bill.order_id), *map(folded, skus)]):
            done = await self._found(work, wanted)
            if done is None:
                self._wait_out(work, wanted, doubts)
                done = await self._written(work, wanted)
        if self._want is not None and skus:
            await self._want(skus, reason=f"invoice of order {order.increment_id}")
        return done

    async def _found(self, work: Work, wanted: ToInvoice) -> Invoiced | None:
        invoices = await self._shop.invoices_of(wanted.bill.order_id)
        found = await made_of(work, invoices, INVOICE_LINK, wanted.mark)
        if found is None:
            return None
        await work.links.remember(INVOICE_LINK, str(found.entity_id), wanted.mark)
        return Invoiced(
            note=f"is invoice {found.increment_id}",
            invoice=found,
            missing=missing_from(found, wanted.quantities),
        )

    def _wait_out(self, work: Work, wanted: ToInvoice, doubts: Doubts) -> None:
        """Return when no invoice can still arrive; raises `HeldError` where money may be taken."""
        for operation in (INVOICE, CAPTURE):
            doubts.wait_out(operation, {"mark": wanted.mark})
        if doubts.has(CAPTURE) and work.event.payload.get(CAPTURE_AGAIN) is not True:
            raise HeldError(
                field="capture",
                text=f"the shop was told to have the money of {wanted.bill.name} taken, did not "
                "answer, and shows no invoice: the gateway may have taken it",
                advice="look at the gateway. If it took the money, invoice the lines in the shop "
                f'offline and replay; if not, add "{CAPTURE_AGAIN}": true to the payload with '
                "d365-sync edit, and replay",
            )

    async def _written(self, work: Work, wanted: ToInvoice) -> Invoiced:
        # Anew, as under the locks nobody else of ours moves it.
        order = await self._orders.of(work, wanted.bill.order_id)
        others = await self._by_hand(work, wanted)
        for invoice in others:
            if has_equal_lines(invoice, wanted.quantities):
                await work.links.remember(INVOICE_LINK, str(invoice.entity_id), wanted.mark)
                note = f"was invoiced by hand as {invoice.increment_id}"
                return Invoiced(note=note, invoice=invoice)
        left = capped(wanted.quantities, order, left_to_invoice)
        if not left and others:
            names = ", ".join(each.increment_id for each in others)
            missing = _uncovered(others, wanted.quantities)
            return Invoiced(note=f"was invoiced before, as {names}", missing=missing)
        check_goes_on(order.state, done="billed", advice=_ENDED_ADVICE)
        if not left:
            missing = [(f"row {item}", str(each), "0") for item, each in wanted.quantities.items()]
            return Invoiced(note="nothing of it is left to invoice in the shop", missing=missing)
        number = await self._send(work, wanted, left, is_captured=self._is_captured(order))
        await work.links.remember(INVOICE_LINK, number, wanted.mark)
        return await self._read_back(wanted)

    async def _by_hand(self, work: Work, wanted: ToInvoice) -> list[ShopInvoice]:
        invoices = await self._shop.invoices_of(wanted.bill.order_id)
        return await by_hand(work, invoices, [INVOICE_LINK], wanted.bill.paper.company)

    def _is_captured(self, order: BilledOrder) -> bool:
        """Return whether the gateway takes the money; raises `HeldError` where nobody would."""
        method = order.payment.method
        if not has_gateway(method):
            return False
        if self._rules.mode_of(method) == "online":
            return True
        if not self._rules.offline_gateways:
            where = f"sync.markets.{self._market}.{FLOW}"
            raise HeldError(
                field="payment.method",
                text=f"an offline invoice would say that {method} is paid, and nobody would take "
                "the money",
                advice=f'set {where}.payments = {{ {method} = "online" }} or "no_invoice", or '
                f"{where}.offline_gateways = true where the money is taken otherwise; then replay",
            )
        return False

    async def _send(
        self, work: Work, wanted: ToInvoice, quantities: Quantities, *, is_captured: bool
    ) -> str:
        request = {
            "order_id": wanted.bill.order_id,
            "mark": wanted.mark,
            "items": {str(row): str(quantity) for row, quantity in sorted(quantities.items())},
        }

        async def send(*, guard: Guard) -> str:
            return await self._shop.invoice(
                wanted.bill.order_id,
                quantities,
                mark=wanted.mark,
                capture=is_captured,
                guard=guard,
            )

        operation = CAPTURE if is_captured else INVOICE
        with held_if_refused(work, "items", f"invoice {wanted.bill.name}", advice=_BY_HAND):
            return await written(work, _SHOP, operation, request, send)

    async def _read_back(self, wanted: ToInvoice) -> Invoiced:
        for invoice in await self._shop.invoices_of(wanted.bill.order_id):
            if any(each.comment == wanted.mark for each in invoice.comments):
                missing = missing_from(invoice, wanted.quantities)
                note = f"is invoice {invoice.increment_id}"
                return Invoiced(note=note, invoice=invoice, missing=missing)
        raise RetryLaterError("the shop does not show the invoice that it made")


def _uncovered(invoices: Sequence[ShopInvoice], wanted: Quantities) -> list[Difference]:
    """Return what of a bill others' invoices do not have either."""
    covered: dict[int, Decimal] = {}
    for invoice in invoices:
        for item, quantity in quantities_of(invoice).items():
            covered[item] = covered.get(item, Decimal(0)) + quantity
    return [
        (f"row {item}", str(each), str(covered.get(item, Decimal(0))))
        for item, each in sorted(wanted.items())
        if covered.get(item, Decimal(0)) < each
    ]
