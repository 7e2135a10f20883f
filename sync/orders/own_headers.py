"""Find the headers in the ERP that are one order's, and never another's.

A reference is a text that anybody can type and another store view's order can have. What a
header is beside it decides: its lines name the shop's rows, whose ids are unique in the
whole shop; the entity map knows what was written; the account is the customer's.

    a line of the order's own            the order's; with another account a person must look
    linked to a document of the shop     that one's
    lines, and none of its own           another's
    empty, with another's account        another's
    empty, and no other order of the shop has the reference    the order's
    empty, and one has                   the order's, where it is what is being sent and the
                                         order is the first of them; else unclear

What becomes of another's says `sales.own_documents`. What is unclear is looked at again, as it
mostly is being written just now; a person must look when that has no end.

The order's own lines under another account are never passed over: its customer was given
another account while it was sent, or a guest registered; sent once more, it would be there twice.
"""

from collections.abc import Sequence

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.names import is_same_name, same_name_key
from sync.engine.outcomes import HeldError, RetryLaterError
from sync.engine.refusals import named
from sync.magento.order_models import Order
from sync.orders.draft import OrderDraft
from sync.orders.echo import header_differences
from sync.orders.ports import ErpOrders
from sync.sales.own_documents import OwnDocuments, is_first, perhaps
from sync.sales.owners import DocumentOwners
from sync.sales.references import References
from sync.sales.value_lines import own_line_references
from sync.store.order_writes import ORDER_LINK

LINK = ORDER_LINK
_ACCOUNT = "OrderingCustomerAccountNumber"


class OwnHeaders:
    """The headers of one market's orders.

    Args:
        erp: The ERP's sales orders.
        company: The market's.
        market: Its code.
        field: The header field that holds references.
        references: What they may be.
        owners: What was written before.
    """

    def __init__(
        self,
        erp: ErpOrders,
        *,
        company: str,
        market: str,
        field: str,
        references: References,
        owners: DocumentOwners,
    ) -> None:
        self._erp = erp
        self._own = OwnDocuments(
            noun="order",
            kind="order",
            company=company,
            market=market,
            field=field,
            references=references,
            owners=owners,
        )

    async def find(
        self, order: Order, draft: OrderDraft | None = None, *, known: str = ""
    ) -> list[SalesOrderHeaderRow]:
        """Return the order's headers, the lowest number first.

        Args:
            order: The shop's.
            draft: What is being sent, where something is.
            known: Number of a header that is known to be the order's.

        Raises:
            HeldError: Another's header has its reference, or its own is on another account.
            RetryLaterError: Nobody can tell yet whose a header is.
        """

        async def why_not(header: SalesOrderHeaderRow, reference: str) -> str:
            return await self._why_not(order, header, reference, draft)

        return await self._own.find(
            order, self._with, why_not, number=lambda row: row.SalesOrderNumber, known=known
        )

    async def is_own(self, order: Order, number: str) -> bool:
        """Return whether the company has an order of this number with a line of the order's."""
        return _has_own_line(order, await self._lines(number))

    async def check_is_first(self, order: Order) -> None:
        """Return when no order of the shop has its reference before it; raises `HeldError`."""
        await self._own.check_is_first(order)

    async def _with(self, reference: str) -> list[SalesOrderHeaderRow]:
        with named("find the order by its reference", {self._own.field: reference}):
            return await self._erp.find(self._own.company, reference)

    async def _lines(self, number: str) -> list[SalesOrderLineRow]:
        with named("read the order's lines", {"SalesOrderNumber": number}):
            return await self._erp.lines(self._own.company, number)

    async def _why_not(
        self, order: Order, header: SalesOrderHeaderRow, reference: str, draft: OrderDraft | None
    ) -> str:
        """Return why a header is not the order's, empty where it is."""
        number = header.SalesOrderNumber
        lines = await self._lines(number)
        is_own, has_account = _has_own_line(order, lines), _has_account(header, draft)
        if is_own and has_account:
            return ""
        is_linked, whose = await self._own.link(order, number)
        if whose:
            return whose
        if is_own:
            # The customer's account was changed, or another shop sends to this company.
            raise self._on_other_account(order, header, reference)
        if is_linked and not lines:
            return ""
        rivals = await self._own.references.rivals(order, reference)
        if lines:
            return f"its lines are not this order's{perhaps(rivals)}"
        if not has_account:
            # Empty, it may also be left behind; under the present form it would be looked at again.
            if not rivals and reference == self._own.references.of(order):
                raise self._on_other_account(order, header, reference)
            return f"its account is {header.OrderingCustomerAccountNumber}{perhaps(rivals)}"
        # Only the first of them is ever sent, so an equal header is that one's.
        is_what_is_sent = draft is not None and not header_differences(draft, header)
        if not rivals or (is_first(order, rivals) and is_what_is_sent):
            return ""
        # Whoever writes it just now will have given it a line by then.
        why = f"it has no line yet{perhaps(rivals)}"
        raise RetryLaterError(self._own.told(order, number, reference, why))

    def _on_other_account(
        self, order: Order, header: SalesOrderHeaderRow, reference: str
    ) -> HeldError:
        account = header.OrderingCustomerAccountNumber
        why = f"its account is {account}"
        return HeldError(
            field=_ACCOUNT,
            text=self._own.told(order, header.SalesOrderNumber, reference, why),
            advice=f'if it is this order: add "account": "{account}" to the payload with d365-sync '
            "edit and replay, to leave it there; or delete it in the ERP and replay, to have it on "
            "the account of now. If another shop sent it, enter this order by hand and skip the "
            "event",
        )


def _has_own_line(order: Order, lines: Sequence[SalesOrderLineRow]) -> bool:
    own = own_line_references(order)
    return any(same_name_key(line.OrderLineReference) in own for line in lines)


def _has_account(header: SalesOrderHeaderRow, draft: OrderDraft | None) -> bool:
    """Return whether a header has the account of what is sent, as far as something is."""
    return draft is None or is_same_name(
        draft.header.OrderingCustomerAccountNumber, header.OrderingCustomerAccountNumber
    )
