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

Another's under the present reference holds the order, naming both, since whoever looks by it
would find both; under an earlier form it is passed over. What is unclear is looked at again,
as it mostly is being written just now; a person must look when that has no end. None of them
is ever touched.

The order's own lines under another account are never passed over: its customer was given
another account while it was sent, or a guest registered; sent once more, it would be there twice.
"""

from collections.abc import Sequence
from enum import Enum, auto

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.names import is_same_name, same_name_key
from sync.engine.outcomes import HeldError, RetryLaterError
from sync.engine.refusals import named
from sync.magento.order_models import Order
from sync.orders.draft import OrderDraft
from sync.orders.echo import header_differences
from sync.orders.ports import ErpOrders
from sync.sales.owners import Owner, Owners
from sync.sales.references import Numbered, References
from sync.sales.references import named as name_of
from sync.sales.value_lines import own_line_references

LINK = "order"
_ACCOUNT = "OrderingCustomerAccountNumber"


class Claim(Enum):
    """Whose a header is."""

    OWN = auto()
    ANOTHERS = auto()
    ON_OTHER_ACCOUNT = auto()
    UNCLEAR = auto()


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
        owners: Owners,
    ) -> None:
        self._erp = erp
        self._company = company
        self._market = market
        self._field = field
        self._references = references
        self._owners = owners

    async def find(
        self, order: Order, draft: OrderDraft | None = None, *, known: str = ""
    ) -> list[SalesOrderHeaderRow]:
        """Return the order's headers, the lowest number first.

        Args:
            order: The shop's.
            draft: What is being sent, where something is.
            known: Number of a header that is known to be the order's.

        Raises:
            HeldError: Another's header has its reference.
            RetryLaterError: Nobody can tell yet whose a header is.
        """
        present, *earlier = await self._references.every(order)
        found: dict[str, SalesOrderHeaderRow] = {}
        for reference in (present, *earlier):
            for header in await self._with(reference):
                number = header.SalesOrderNumber
                claim, why = Claim.OWN, ""
                if number not in {known, *found}:
                    claim, why = await self._judge(order, header, reference, draft)
                if claim is Claim.OWN:
                    found[number] = header
                elif claim is Claim.UNCLEAR:
                    # Whoever writes it just now will have given it a line by then.
                    raise RetryLaterError(self._told(order, header, reference, why))
                elif claim is Claim.ON_OTHER_ACCOUNT:
                    text = self._told(order, header, reference, why)
                    raise HeldError(field=_ACCOUNT, text=text, advice=_keep_or_delete(header))
                elif reference == present:
                    text = self._told(order, header, reference, why)
                    raise HeldError(
                        field=self._field, text=text, advice=self._references.advice(order, "order")
                    )
        return sorted(
            found.values(), key=lambda row: (len(row.SalesOrderNumber), row.SalesOrderNumber)
        )

    async def is_own(self, order: Order, number: str) -> bool:
        """Return whether the company has an order of this number with a line of the order's."""
        with named("read the order's lines", {"SalesOrderNumber": number}):
            lines = await self._erp.lines(self._company, number)
        return _has_own_line(order, lines)

    async def check_is_first(self, order: Order) -> None:
        """Return when no order of the shop has the order's reference before it.

        Raises:
            HeldError: One has; two documents under one reference could not be told apart.
        """
        first = await self._references.before(order)
        if first is not None:
            raise HeldError(
                field="increment_id",
                text=f"orders {name_of(order)} and {name_of(first)} would both be "
                f"{self._references.of(order)} in {self._company}",
                advice=self._references.advice(order, "order"),
            )

    async def _with(self, reference: str) -> list[SalesOrderHeaderRow]:
        with named("find the order by its reference", {self._field: reference}):
            return await self._erp.find(self._company, reference)

    async def _judge(
        self, order: Order, header: SalesOrderHeaderRow, reference: str, draft: OrderDraft | None
    ) -> tuple[Claim, str]:
        """Return whose a header is, and where it is not the order's, why."""
        number = header.SalesOrderNumber
        with named("read the order's lines", {"SalesOrderNumber": number}):
            lines = await self._erp.lines(self._company, number)
        is_own = _has_own_line(order, lines)
        if is_own and _has_account(header, draft):
            return Claim.OWN, ""
        asker = Owner(self._market, str(order.entity_id))
        owner = await self._owners.of(number, asked_by=asker)
        if is_own and owner in (None, asker):
            # The customer's account was changed, or another shop sends to this company.
            return Claim.ON_OTHER_ACCOUNT, f"its account is {header.OrderingCustomerAccountNumber}"
        if owner is not None and owner != asker:
            return Claim.ANOTHERS, f"it is order #{owner.document_id} of {owner.market}"
        if lines:
            rivals = await self._references.rivals(order, reference)
            return Claim.ANOTHERS, f"its lines are not this order's{_perhaps(rivals)}"
        if owner == asker:
            return Claim.OWN, ""
        return await self._judge_empty(order, header, reference, draft)

    async def _judge_empty(
        self, order: Order, header: SalesOrderHeaderRow, reference: str, draft: OrderDraft | None
    ) -> tuple[Claim, str]:
        """Return whose a header without lines and without a link is."""
        rivals = await self._references.rivals(order, reference)
        if not _has_account(header, draft):
            account = header.OrderingCustomerAccountNumber
            # Empty, it may also be left behind; under the present form it would be looked at again.
            may_be_own = not rivals and reference == self._references.of(order)
            claim = Claim.ON_OTHER_ACCOUNT if may_be_own else Claim.ANOTHERS
            return claim, f"its account is {account}{_perhaps(rivals)}"
        # Only the first of them is ever sent, so an equal header is that one's.
        is_first = all(order.entity_id < other.entity_id for other in rivals)
        is_what_is_sent = draft is not None and not header_differences(draft, header)
        if not rivals or (is_first and is_what_is_sent):
            return Claim.OWN, ""
        return Claim.UNCLEAR, f"it has no line yet{_perhaps(rivals)}"

    def _told(self, order: Order, header: SalesOrderHeaderRow, reference: str, why: str) -> str:
        return (
            f"{header.SalesOrderNumber} in {self._company} has the reference {reference} of "
            f"order {name_of(order)}, but {why}; it was not touched"
        )


def _has_own_line(order: Order, lines: Sequence[SalesOrderLineRow]) -> bool:
    own = own_line_references(order)
    return any(same_name_key(line.OrderLineReference) in own for line in lines)


def _has_account(header: SalesOrderHeaderRow, draft: OrderDraft | None) -> bool:
    """Return whether a header has the account of what is sent, as far as something is."""
    return draft is None or is_same_name(
        draft.header.OrderingCustomerAccountNumber, header.OrderingCustomerAccountNumber
    )


def _keep_or_delete(header: SalesOrderHeaderRow) -> str:
    account = header.OrderingCustomerAccountNumber
    return (
        f'if it is this order: add "account": "{account}" to the payload with d365-sync edit and '
        "replay, to leave it there; or delete it in the ERP and replay, to have it on the account "
        "of now. If another shop sent it, enter this order by hand and skip the event"
    )


def _perhaps(rivals: Sequence[Numbered]) -> str:
    """Return whose it may be, as the end of a sentence."""
    return f": it may be that of {', '.join(map(name_of, rivals))}" if rivals else ""
