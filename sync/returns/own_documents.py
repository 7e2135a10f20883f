"""Find what is one credit memo's in the ERP: the order that it returns, and its return.

References are texts that another store view's documents can share. The order is known by its
lines, which name the shop's rows; the return by the lots it takes back, which are the
order's, by the entity map, and by its account. What belongs to another is never touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.d365.fo.return_models import ReturnHeaderRow
from pricing_proxy.names import is_same_name, same_name_key
from sync.engine.outcomes import RetryLaterError
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.order_models import Order
from sync.returns.mapping import ReturnDraft
from sync.returns.ports import ErpReturns, ErpSales
from sync.sales.own_documents import OwnDocuments, is_first, perhaps
from sync.sales.owners import DocumentOwners
from sync.sales.references import References
from sync.sales.value_lines import own_line_references


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldOrder:
    """What the ERP has of an order.

    Attributes:
        released: The order with its lines, where it is there as a whole.
        is_under_way: Whether anything is there.
    """

    released: tuple[SalesOrderHeaderRow, Sequence[SalesOrderLineRow]] | None
    is_under_way: bool


class SoldOrders:
    """The ERP's orders of one market's credit memos.

    Args:
        erp: The ERP's sales orders.
        company: The market's.
        references: What the orders' may be.
    """

    def __init__(self, erp: ErpSales, *, company: str, references: References) -> None:
        self._erp = erp
        self._company = company
        self._references = references

    async def find(self, order: Order) -> SoldOrder:
        """Return what the ERP has of an order of the shop."""
        own, is_under_way = own_line_references(order), False
        for reference in await self._references.every(order):
            for header in await self._erp.find(self._company, reference):
                lines = await self._erp.lines(self._company, header.SalesOrderNumber)
                is_own = any(same_name_key(line.OrderLineReference) in own for line in lines)
                if is_own and not header.IsSalesProcessingStopped:
                    return SoldOrder(released=(header, lines), is_under_way=True)
                # Nobody can tell of an empty one whose it is; waiting harms nobody.
                is_under_way = is_under_way or is_own or not lines
        return SoldOrder(released=None, is_under_way=is_under_way)


@dataclass(frozen=True, slots=True)
class ReturnOf:
    """A credit memo, the lines that the ERP sold, and the return they make."""

    memo: CreditMemo
    sold: Sequence[SalesOrderLineRow]
    draft: ReturnDraft


class OwnReturns:
    """The return orders of one market's credit memos.

    Args:
        erp: The ERP's return orders.
        company: The market's.
        market: Its code.
        references: What they may be.
        owners: What was written before.
    """

    def __init__(
        self,
        erp: ErpReturns,
        *,
        company: str,
        market: str,
        references: References,
        owners: DocumentOwners,
    ) -> None:
        self._erp = erp
        self._own = OwnDocuments(
            noun="credit memo",
            kind="return",
            title="return ",
            company=company,
            market=market,
            field="CustomersOrderReference",
            references=references,
            owners=owners,
        )

    async def find(self, wanted: ReturnOf) -> list[ReturnHeaderRow]:
        """Return the credit memo's returns, the lowest number first.

        Raises:
            HeldError: Another's return has its reference.
            RetryLaterError: Nobody can tell yet whose a return is.
        """

        async def rows(reference: str) -> list[ReturnHeaderRow]:
            return await self._erp.find(self._own.company, reference)

        async def why_not(header: ReturnHeaderRow, reference: str) -> str:
            return await self._why_not(wanted, header, reference)

        return await self._own.find(
            wanted.memo, rows, why_not, number=lambda row: row.ReturnOrderNumber
        )

    async def check_is_first(self, wanted: ReturnOf) -> None:
        """Return when no credit memo has its reference before it; raises `HeldError`."""
        await self._own.check_is_first(wanted.memo)

    async def _why_not(self, wanted: ReturnOf, header: ReturnHeaderRow, reference: str) -> str:
        """Return why a return is not the credit memo's, empty where it is."""
        number, memo = header.ReturnOrderNumber, wanted.memo
        lines = await self._erp.lines(self._own.company, number)
        lots = {line.ReturningInventoryLotId for line in lines} - {""}
        if lots & {line.InventoryLotId for line in wanted.sold}:
            return ""
        is_linked, whose = await self._own.link(memo, number)
        if whose or (is_linked and not lots):
            return whose
        rivals = await self._own.references.rivals(memo, reference)
        if lots:
            return f"it takes back what another order sold{perhaps(rivals)}"
        sent = wanted.draft.header
        if not is_same_name(header.CustomerAccountNumber, sent.CustomerAccountNumber):
            return f"its account is {header.CustomerAccountNumber}{perhaps(rivals)}"
        # Only the first of them is ever sent, so one for the same order is that one's.
        is_for_the_order = header.CustomerRequisitionNumber == sent.CustomerRequisitionNumber
        if rivals and not (is_first(memo, rivals) and is_for_the_order):
            # Whoever writes it just now will have linked it by then.
            why = f"it has no line yet{perhaps(rivals)}"
            raise RetryLaterError(self._own.told(memo, number, reference, why))
        return ""
