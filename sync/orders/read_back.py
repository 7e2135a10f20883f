"""Compare an order in the ERP with what was sent: its fields, its lines, and its total.

What is found wrong holds the order. A total that is cents off lacks the rounding line, which
is for the writer to add; where a line of that name is there and the total is off all the same,
it does not fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.names import same_name_key
from sync.engine.outcomes import Caution, HeldError
from sync.engine.refusals import named
from sync.magento.order_models import Order
from sync.orders.draft import DraftLine, OrderDraft
from sync.orders.echo import differences
from sync.orders.erp_total import ErpTotals, OrderTotal, judged
from sync.orders.ports import ErpOrders
from sync.orders.rules import OrderRules
from sync.orders.service_lines import rounding_line, rounding_reference


@dataclass(frozen=True, slots=True)
class Compared:
    """An order that is as it was sent, but perhaps for cents.

    Attributes:
        lacks: The line that closes its total.
        misfit: Why the line that should have closed it did not.
        caution: What somebody should hear of it.
        is_closed: Whether such a line is there.
    """

    lacks: DraftLine | None = None
    misfit: HeldError | None = None
    caution: Caution | None = None
    is_closed: bool = False


class ReadBack:
    """Reads one market's orders back.

    Args:
        erp: The ERP's sales orders.
        company: The market's.
        rules: The market's.
    """

    def __init__(self, erp: ErpOrders, *, company: str, rules: OrderRules) -> None:
        self._erp = erp
        self._company = company
        self._rules = rules
        self._totals = ErpTotals(erp, company=company, rules=rules)

    async def lines(self, number: str) -> Sequence[SalesOrderLineRow]:
        """Return an order's lines."""
        with named("read the order's lines", {"SalesOrderNumber": number}):
            return await self._erp.lines(self._company, number)

    async def compare(
        self, order: Order, draft: OrderDraft, header: SalesOrderHeaderRow, *, market: str
    ) -> Compared:
        """Return how the ERP's order compares.

        Args:
            order: The shop's.
            draft: What was sent.
            header: The ERP's header.
            market: Code of the market, for messages.

        Raises:
            HeldError: It differs from what was sent.
        """
        number = header.SalesOrderNumber
        lines = await self.lines(number)
        closing = self._closing(order, lines)
        self._check_echo(header, draft, [line for line in lines if line not in closing])
        total = await self._totals.of(number, draft, lines)
        # A released order is not changed any more.
        if header.IsSalesProcessingStopped:
            gap = draft.gross - total.amount
            if closing and self._rules.is_off(gap):
                return Compared(misfit=_misfit(draft, total))
            lacks = rounding_line(order.increment_id, gap, rules=self._rules, market=market)
            if lacks is not None:
                return Compared(lacks=lacks)
        return Compared(caution=judged(draft, total, self._rules), is_closed=bool(closing))

    def _closing(self, order: Order, lines: Sequence[SalesOrderLineRow]) -> list[SalesOrderLineRow]:
        """Return the lines that may have been added to close the total."""
        rule, own = self._rules.rounding, same_name_key(rounding_reference(order.increment_id))
        if rule is None:
            return []
        named_so = [line for line in lines if same_name_key(line.OrderLineReference) == own]
        return [line for line in named_so if abs(line.LineAmount.value) <= rule.limit]

    def _check_echo(
        self, header: SalesOrderHeaderRow, draft: OrderDraft, lines: Sequence[SalesOrderLineRow]
    ) -> None:
        found = differences(draft, header, lines, line_tolerance=self._rules.line_tolerance)
        if found:
            state = "stopped" if header.IsSalesProcessingStopped else "released"
            raise HeldError(
                field=found[0][0],
                text=f"the {state} order {header.SalesOrderNumber} differs from what was sent",
                advice="correct the ERP or the mapping; then delete the stopped order and replay",
                diff=tuple(found),
            )


def _misfit(draft: OrderDraft, total: OrderTotal) -> HeldError:
    return HeldError(
        field="OrderTotalAmount",
        text=f"the total is {draft.gross} in the shop and {total.amount} in the ERP, though a "
        "rounding line was added",
        advice="see that the item of orders.rounding and its groups (orders.tax.none) bear no tax "
        "and no charges in the ERP; then delete the stopped order and replay",
        diff=(("OrderTotalAmount", str(draft.gross), str(total.amount)),),
    )
