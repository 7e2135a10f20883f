"""Write one order to the ERP so that exactly one released document comes of it.

Headers are looked up by reference before any is created, and created stopped; those of
others that have the same reference are left alone (`own_headers`). Lines are
added one by one, only the missing ones. Before releasing, the reference is looked up
again: of several headers the lowest number stays and the other, stopped ones are deleted.
What is going to be released is read back and compared first, so that a wrong document
stays stopped. A stopped duplicate harms nobody; a released one must not exist.

Every step may end in the middle: the next attempt starts from what the ERP holds, not
from what was remembered.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from http import HTTPStatus

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.names import same_name_key
from pricing_proxy.resilience.errors import UpstreamRejectedError
from sync.engine.flow import Work
from sync.engine.outcomes import HeldError, RetryLaterError
from sync.engine.refusals import named
from sync.engine.writes import Doubts, written
from sync.magento.order_models import Order
from sync.magento.orders import EXT_ORDER_ID_LENGTH
from sync.orders.draft import OrderDraft
from sync.orders.echo import differences
from sync.orders.own_headers import OwnHeaders
from sync.orders.ports import ErpOrders
from sync.orders.rules import OrderRules

SYSTEM = "fo"
CREATE = "order header create"
ADD_LINE = "order line create"
RELEASE = "order release"
STOP = "order stop"
DELETE = "order header delete"


@dataclass(frozen=True, slots=True)
class Written:
    """The released order, and what differs without holding it."""

    number: str
    warnings: tuple[str, ...]


class OrderWriter:
    """Writes the orders of one market.

    Args:
        erp: The ERP's sales orders.
        own: Finds an order's headers among them.
        company: The market's.
        rules: The market's.
    """

    def __init__(
        self,
        erp: ErpOrders,
        *,
        own: OwnHeaders,
        company: str,
        rules: OrderRules,
    ) -> None:
        self._erp = erp
        self._own = own
        self._company = company
        self._rules = rules

    async def write(self, work: Work, order: Order, draft: OrderDraft) -> Written:
        """Return the one released order; safe to call again after any failure.

        Raises:
            HeldError: The ERP refused it, or holds something else than what was sent; or
                another order has its reference.
            RetryLaterError: An earlier write may still arrive.
            UpstreamError: A call failed.
        """
        # Before anything is looked up: what may have arrived since then is still in doubt.
        doubts = await self.doubts(work)
        header = await self._one_header(work, await self._own.find(order, draft))
        if header is None:
            doubts.wait_out(CREATE)
            await self._own.check_is_first(order)
            number = await self._create(work, draft)
            await self._complete(work, number, (), draft, doubts)
        else:
            number = header.SalesOrderNumber
            if header.IsSalesProcessingStopped:
                await self._complete(work, number, await self._lines(number), draft, doubts)
        # The second look: somebody else may have created a header meanwhile.
        again = await self._one_header(work, await self._own.find(order, draft, known=number))
        if again is None or again.SalesOrderNumber != number:
            raise RetryLaterError("another header with this reference has come first")
        warnings = await self._check_echo(again, draft)
        if again.IsSalesProcessingStopped:
            await written(
                work,
                SYSTEM,
                RELEASE,
                {"SalesOrderNumber": number},
                partial(self._erp.release, self._company, number),
            )
        return Written(number, (*draft.warnings, *warnings))

    async def tidy(self, work: Work, order: Order) -> int:
        """Delete the stopped doubles of a released order, and return how many there were."""
        headers = await self._own.find(order)
        if all(header.IsSalesProcessingStopped for header in headers):
            return 0
        await self._one_header(work, headers)
        return len(headers) - 1

    async def find(self, order: Order) -> list[SalesOrderHeaderRow]:
        """Return all headers of an order, the lowest number first."""
        return await self._own.find(order)

    async def has(self, order: Order, number: str) -> bool:
        """Return whether the ERP's order of this number is the shop's order."""
        return await self._own.is_own(order, number)

    async def stop(self, work: Work, number: str) -> None:
        """Keep a released order from being processed."""
        await written(
            work,
            SYSTEM,
            STOP,
            {"SalesOrderNumber": number},
            partial(self._erp.stop, self._company, number),
        )

    async def delete(self, work: Work, number: str) -> None:
        """Delete a stopped header with its lines; one that is gone already is fine."""
        delete = partial(self._erp.delete_header, self._company, number)
        try:
            await written(work, SYSTEM, DELETE, {"SalesOrderNumber": number}, delete)
        except UpstreamRejectedError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def doubts(self, work: Work) -> Doubts:
        """Return what is in doubt now; to be asked before a look-up that is to settle it."""
        return await Doubts.of(work)

    async def _one_header(
        self, work: Work, headers: Sequence[SalesOrderHeaderRow]
    ) -> SalesOrderHeaderRow | None:
        """Return the header that stays, after deleting its stopped doubles."""
        if not headers:
            return None
        released = [header for header in headers if not header.IsSalesProcessingStopped]
        if len(released) > 1:
            numbers = ", ".join(header.SalesOrderNumber for header in released)
            raise HeldError(
                field=self._rules.reference_field,
                text=f"{work.event.business_key} has several released orders in the ERP: {numbers}",
                advice="cancel all but one in the ERP, then replay",
            )
        kept = released[0] if released else headers[0]
        for header in headers:
            if header.SalesOrderNumber != kept.SalesOrderNumber:
                await self.delete(work, header.SalesOrderNumber)
        return kept

    async def _create(self, work: Work, draft: OrderDraft) -> str:
        sent = {**draft.header.members(), self._rules.reference_field: draft.reference}
        with named("create the order's header", sent):
            return await written(
                work,
                SYSTEM,
                CREATE,
                sent,
                partial(
                    self._erp.create_header,
                    self._company,
                    draft.header,
                    reference=draft.reference,
                ),
            )

    async def _complete(
        self,
        work: Work,
        number: str,
        lines: Sequence[SalesOrderLineRow],
        draft: OrderDraft,
        doubts: Doubts,
    ) -> None:
        """Add the lines that are missing beside those that are there."""
        if len(number) > EXT_ORDER_ID_LENGTH:
            raise HeldError(
                field="SalesOrderNumber",
                text=f"{number} has {len(number)} characters; the shop keeps {EXT_ORDER_ID_LENGTH}",
                advice="shorten the ERP's number sequence for sales orders",
            )
        counts = Counter(same_name_key(line.OrderLineReference) for line in lines)
        if any(count > 1 for count in counts.values()):
            # A line that arrived late: nothing is released yet, so the whole is written anew.
            await self.delete(work, number)
            raise RetryLaterError("a line was in the ERP twice; the stopped order was deleted")
        for reference, line in draft.by_reference.items():
            if same_name_key(reference) in counts:
                continue
            about = {"SalesOrderNumber": number, "OrderLineReference": reference}
            doubts.wait_out(ADD_LINE, about)
            sent = {**line.body.members(), **about}
            add = partial(self._erp.add_line, self._company, number, line.body)
            with named(f"add {line.source}", sent):
                await written(work, SYSTEM, ADD_LINE, sent, add)

    async def _lines(self, number: str) -> Sequence[SalesOrderLineRow]:
        with named("read the order's lines", {"SalesOrderNumber": number}):
            return await self._erp.lines(self._company, number)

    async def _check_echo(self, header: SalesOrderHeaderRow, draft: OrderDraft) -> tuple[str, ...]:
        """Return what differs without holding the order."""
        lines = await self._lines(header.SalesOrderNumber)
        found = differences(draft, header, lines, line_tolerance=self._rules.line_tolerance)
        if found:
            state = "stopped" if header.IsSalesProcessingStopped else "released"
            raise HeldError(
                field=found[0][0],
                text=f"the {state} order {header.SalesOrderNumber} differs from what was sent",
                advice="correct the ERP or the mapping; then delete the stopped order and replay",
                diff=tuple(found),
            )
        return (
            await self._tax_apart(header.SalesOrderNumber, draft) if self._rules.reads_tax else ()
        )

    async def _tax_apart(self, number: str, draft: OrderDraft) -> tuple[str, ...]:
        """Return a warning where the ERP computed another tax, or hold the order."""
        with named("read the order's totals", {"SalesOrderNumber": number}):
            totals = await self._erp.totals(self._company, number)
        tax = Decimal(0) if totals is None else totals.OrderTotalTaxAmount.value
        if abs(tax - draft.tax) <= self._rules.tax_tolerance:
            return ()
        if self._rules.tax_difference == "hold":
            raise HeldError(
                field="OrderTotalTaxAmount",
                text=f"the tax is {draft.tax} in the shop and {tax} in the ERP",
                advice="correct the ERP's tax groups or the map orders.tax, then replay",
                diff=(("OrderTotalTaxAmount", str(draft.tax), str(tax)),),
            )
        return (f"tax: {draft.tax} in the shop, {tax} in the ERP",)
