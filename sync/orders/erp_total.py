"""What a whole order comes to in the ERP, before it is released, and how far off that is.

The ERP computes total and tax itself when they are read. Where that costs too much, or where
it says that it has not computed them, they are foretold from the amounts of its own lines, by
the market's way to round tax. Either is compared with the shop's: a gap of cents is closed by
the rounding line, anything else holds the order or is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.d365.fo.order_models import SalesOrderLineRow, SalesOrderTotalsRow
from pricing_proxy.names import same_name_key
from sync.engine.outcomes import Caution, Difference, HeldError, RetryLaterError
from sync.engine.refusals import named
from sync.orders.draft import OrderDraft
from sync.orders.ports import ErpOrders
from sync.orders.rules import OrderRules
from sync.sales.amounts import document_tax

_AMOUNT, _TAX = "OrderTotalAmount", "OrderTotalTaxAmount"
_WORDS = {_AMOUNT: "total", _TAX: "tax"}
_ADVICE = "correct the ERP's tax groups, the map orders.tax or the tolerance; then replay"
_TOLD_ADVICE = (
    "compare both sides with d365-sync order; then correct the ERP's tax groups, the map "
    "orders.tax or the market's tolerance"
)


@dataclass(frozen=True, slots=True)
class OrderTotal:
    """What an order comes to.

    Attributes:
        amount: With tax and charges.
        tax: Of that.
        is_read: Whether the ERP said so; else it is foretold.
    """

    amount: Decimal
    tax: Decimal
    is_read: bool


class ErpTotals:
    """The totals of one market's orders.

    Args:
        erp: The ERP's sales orders.
        company: The market's.
        rules: The market's.
    """

    def __init__(self, erp: ErpOrders, *, company: str, rules: OrderRules) -> None:
        self._erp = erp
        self._company = company
        self._rules = rules

    async def of(
        self, number: str, draft: OrderDraft, lines: Sequence[SalesOrderLineRow]
    ) -> OrderTotal:
        """Return an order's total.

        Args:
            number: The ERP's.
            draft: What was sent.
            lines: All that the ERP has, as they were just read.

        Raises:
            RetryLaterError: The ERP does not find the order just now.
        """
        if self._rules.reads_tax:
            with named("read the order's totals", {"SalesOrderNumber": number}):
                row = await self._erp.totals(self._company, number)
            if row is None:
                raise RetryLaterError(f"the ERP has no totals of {number} just now")
            if _is_computed(row):
                amount, tax = row.OrderTotalAmount.value, row.OrderTotalTaxAmount.value
                return OrderTotal(amount, tax, is_read=True)
        return foretold(draft, lines, self._rules)


def foretold(
    draft: OrderDraft, lines: Sequence[SalesOrderLineRow], rules: OrderRules
) -> OrderTotal:
    """Return what the ERP's lines come to, its automatic charges as the shop has them."""
    sent = {same_name_key(reference): line for reference, line in draft.by_reference.items()}
    amounts = {same_name_key(line.OrderLineReference): line.LineAmount.value for line in lines}
    # What was not sent, as the rounding line, bears no tax.
    taxed = [sent[key].taxed(amount) for key, amount in amounts.items() if key in sent]
    tax = draft.charges_tax + document_tax(
        taxed, rounding=rules.tax_rounding, decimals=rules.amount_decimals
    )
    return OrderTotal(sum(amounts.values(), draft.charges) + tax, tax, is_read=False)


def judged(draft: OrderDraft, total: OrderTotal, rules: OrderRules) -> Caution | None:
    """Return what somebody should hear of an order that is not going to be changed any more.

    Raises:
        HeldError: It differs by more than the market allows, which holds there.
    """
    found = _differences(draft, total, rules)
    if not found:
        return None
    about = "" if total.is_read else "about "
    told = (
        f"{_WORDS[name]}: {ours} in the shop, {about}{erp} in the ERP" for name, ours, erp in found
    )
    field, text = found[0][0], "; ".join(told)
    if rules.tax_difference == "hold":
        raise HeldError(field=field, text=text, advice=_ADVICE, diff=found)
    return Caution(field=field, text=text, advice=_TOLD_ADVICE, diff=tuple(found))


def _differences(draft: OrderDraft, total: OrderTotal, rules: OrderRules) -> list[Difference]:
    found = []
    if abs(total.tax - draft.tax) > rules.tax_limit(len(draft.lines)):
        found.append((_TAX, str(draft.tax), str(total.tax)))
    # Without a rounding line, cents of tax and of fractional quantities stay open.
    if rules.rounding is not None and rules.is_off(draft.gross - total.amount):
        found.append((_AMOUNT, str(draft.gross), str(total.amount)))
    return found


def _is_computed(row: SalesOrderTotalsRow) -> bool:
    """Return whether totals mean anything: zero is what they are before they are computed."""
    return row.AreTotalsCalculated or row.OrderTotalAmount.value != 0
