"""Write one order to the ERP so that exactly one released document comes of it.

Headers are looked up by reference before any is created, and created stopped; those of
others that have the same reference are left alone (`own_headers`). Lines are
added one by one, only the missing ones. Before releasing, the reference is looked up
again: of several headers the lowest number stays and the other, stopped ones are deleted.
What is going to be released is read back and compared first, so that a wrong document
stays stopped; where the ERP's total is cents off, a rounding line is added, and all is read
and compared again. A stopped duplicate harms nobody; a released one must not exist.

Every step may end in the middle: the next attempt starts from what the ERP holds, not
from what was remembered.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.names import same_name_key
from pricing_proxy.resilience.errors import UpstreamRejectedError
from sync.engine.blame import Blame, blame_of
from sync.engine.flow import Work
from sync.engine.outcomes import Caution, HeldError, RetryLaterError
from sync.engine.refusals import named
from sync.engine.writes import Doubts, written
from sync.magento.order_models import Order
from sync.magento.orders import EXT_ORDER_ID_LENGTH
from sync.orders.draft import DraftLine, OrderDraft
from sync.orders.own_headers import OwnHeaders
from sync.orders.ports import ErpOrders
from sync.orders.read_back import Compared, ReadBack
from sync.orders.rules import OrderRules
from sync.orders.service_lines import rounding_reference
from sync.store.order_writes import ADD_LINE, DELETE_ORDER, NUMBER, REFERENCE

SYSTEM = "fo"
CREATE = "order header create"
RELEASE = "order release"
STOP = "order stop"


@dataclass(frozen=True, slots=True)
class Written:
    """The released order, and what somebody should hear of it."""

    number: str
    caution: Caution | None


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
        self._read_back = ReadBack(erp, company=company, rules=rules)

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
                lines = await self._read_back.lines(number)
                await self._complete(work, number, lines, draft, doubts)
        header, caution = await self._closed(work, order, draft, number, doubts)
        if header.IsSalesProcessingStopped:
            await self.release(work, number)
        return Written(number, caution)

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
            {NUMBER: number},
            partial(self._erp.stop, self._company, number),
        )

    async def release(self, work: Work, number: str) -> None:
        """Let a stopped order be processed."""
        await written(
            work,
            SYSTEM,
            RELEASE,
            {"SalesOrderNumber": number},
            partial(self._erp.release, self._company, number),
        )

    async def delete(self, work: Work, number: str) -> None:
        """Delete a stopped header with its lines; one that is gone already is fine."""
        delete = partial(self._erp.delete_header, self._company, number)
        try:
            await written(work, SYSTEM, DELETE_ORDER, {NUMBER: number}, delete)
        except UpstreamRejectedError as error:
            # Something before the ERP knows no more of what is gone than we.
            if error.status != HTTPStatus.NOT_FOUND or blame_of(error) is not Blame.DOCUMENT:
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
            if same_name_key(reference) not in counts:
                await self._add_line(work, number, line, doubts)

    async def _add_line(self, work: Work, number: str, line: DraftLine, doubts: Doubts) -> None:
        about = {NUMBER: number, REFERENCE: line.body.OrderLineReference}
        doubts.wait_out(ADD_LINE, about)
        sent = {**line.body.members(), **about}
        add = partial(self._erp.add_line, self._company, number, line.body)
        with named(f"add {line.source}", sent):
            await written(work, SYSTEM, ADD_LINE, sent, add)

    async def _closed(
        self, work: Work, order: Order, draft: OrderDraft, number: str, doubts: Doubts
    ) -> tuple[SalesOrderHeaderRow, Caution | None]:
        """Return the order as it is going to be released, with the rounding line that it needs."""
        header, compared = await self._compared(work, order, draft, number)
        if compared.misfit is not None:
            # Of an earlier attempt, which knew other amounts: nothing is released yet.
            await self.delete(work, number)
            raise RetryLaterError("a rounding line did not fit; the stopped order was deleted")
        if compared.lacks is not None:
            await self._add_line(work, number, compared.lacks, doubts)
            header, compared = await self._compared(work, order, draft, number)
            if compared.misfit is not None:
                raise compared.misfit
        elif not compared.is_closed:
            reference = rounding_reference(order.increment_id)
            doubts.wait_out(ADD_LINE, {NUMBER: number, REFERENCE: reference})
        return header, compared.caution

    async def _compared(
        self, work: Work, order: Order, draft: OrderDraft, number: str
    ) -> tuple[SalesOrderHeaderRow, Compared]:
        """Return the order as it is now, and how it compares."""
        # The second look: somebody else may have created a header meanwhile.
        header = await self._one_header(work, await self._own.find(order, draft, known=number))
        if header is None or header.SalesOrderNumber != number:
            raise RetryLaterError("another header with this reference has come first")
        market = work.event.market
        return header, await self._read_back.compare(order, draft, header, market=market)
