"""Read what a bill says of the lines of its order: by lots where the ERP tells them.

`CustInvoiceTransBiEntities`                  each line with its lot
`BusinessDocumentStockedPackingSlipLinesV3`   what of which packing slip was billed, whose lines
                                              have lots; of several orders only this is known
neither                                       products, where one order alone can be meant
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from pricing_proxy.d365.fo.invoice_models import (
    InvoicedSlipRow,
    InvoiceLineRow,
    LotInvoiceLineRow,
    ReturnedLotRow,
)
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.names import is_same_name, same_name_key
from sync.engine.outcomes import HeldError, RetryLaterError
from sync.engine.refusals import named
from sync.invoices.bills import Bill
from sync.invoices.mapping import BilledLine
from sync.invoices.ports import ErpBillLines

_MISSING = (
    "make CustInvoiceTransBiEntities public in F&O, or BusinessDocumentStockedPackingSlipLinesV3, "
    "then replay; or enter it in the shop by hand, then skip the event"
)
_DIMENSIONS = (
    "ProductColorId",
    "ProductConfigurationId",
    "ProductSizeId",
    "ProductStyleId",
    "ProductVersionId",
)
_Product = tuple[str, ...]
_BILLED = frozenset({"Invoiced", "Canceled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AllBilled:
    """All that was invoiced of an order.

    Attributes:
        lines: Of all its invoices.
        is_whole: Whether nothing of the order is left to bill.
        is_last: Whether no invoice was posted after the one that is meant.
    """

    lines: list[BilledLine]
    is_whole: bool
    is_last: bool


class BillLines:
    """Reads the lines of one market's bills.

    Args:
        erp: The market's.
    """

    def __init__(self, erp: ErpBillLines) -> None:
        self._erp = erp

    async def of(self, bill: Bill) -> list[BilledLine]:
        """Return a bill's own lines; raises `HeldError` and `RetryLaterError`."""
        paper = bill.paper
        references = _references(await self._erp.lines_of(paper.company, paper.order))
        returned = await self._returned(bill)
        with named("read the invoice's lines", {"InvoiceId": paper.number}):
            rows = await self._erp.lots_of(paper.company, paper.number)
        if rows is None:
            return await self._without_lots(bill, references, returned)
        own = [
            _line(row, references, returned)
            for row in rows
            if row.InvoiceDate == paper.day and is_same_name(row.order, bill.filed_under)
        ]
        if not own:
            raise RetryLaterError(f"the ERP shows no line of {bill.name} yet")
        return own

    async def all_of(self, bill: Bill) -> AllBilled | None:
        """Return all that was invoiced of a bill's order, credit notes left out.

        None where nothing tells the lots of lines.
        """
        paper = bill.paper
        rows = await self._erp.billed_of(paper.company, paper.order)
        if rows is None:
            return None
        sold = await self._erp.lines_of(paper.company, paper.order)
        papers: dict[tuple[str, date | None], list[LotInvoiceLineRow]] = {}
        for row in rows:
            if is_same_name(row.order, paper.order):
                papers.setdefault((row.InvoiceId, row.InvoiceDate), []).append(row)
        invoices = {key: its for key, its in papers.items() if not is_credit(its)}
        last = max(invoices, key=lambda key: (_made_at(invoices[key]), key[0]), default=None)
        return AllBilled(
            lines=[_line(row, _references(sold), {}) for its in invoices.values() for row in its],
            is_whole=all(row.SalesOrderLineStatus in _BILLED for row in sold),
            is_last=last is not None
            and is_same_name(last[0], paper.number)
            and last[1] == paper.day,
        )

    async def credited(self, bill: Bill) -> Decimal | None:
        """Return what a credit note gives back, tax included; None where its lines do not tell."""
        paper = bill.paper
        rows = await self._erp.lots_of(paper.company, paper.number)
        own = [
            row
            for row in rows or ()
            if row.InvoiceDate == paper.day and is_same_name(row.order, bill.filed_under)
        ]
        if not own:
            return None
        return -sum((row.net + row.TaxAmount.value for row in own), Decimal(0))

    async def is_of_shop(self, bill: Bill, *, mark: str) -> bool:
        """Return whether the return of a credit note was made of a memo of the shop.

        Args:
            bill: The credit note.
            mark: Stands before the references of such returns.
        """
        if not bill.return_number:
            return False
        told = await self._erp.reference_of(bill.paper.company, bill.return_number)
        return same_name_key(told).startswith(same_name_key(mark))

    async def _returned(self, bill: Bill) -> Mapping[str, str]:
        """Return the order's lot that each lot of the return takes back."""
        if not bill.return_number:
            return {}
        rows = await self._erp.returned(bill.paper.company, [bill.return_number])
        return {
            same_name_key(row.ReturnInventoryLotId): row.ReturningInventoryLotId for row in rows
        }

    async def _without_lots(
        self, bill: Bill, references: Mapping[str, str], returned: Mapping[str, str]
    ) -> list[BilledLine]:
        paper = bill.paper
        slips = await self._erp.slips_of(paper.company, paper.number) or []
        orders = {same_name_key(row.order) for row in slips}
        if len(orders) > 1:
            mine = [row for row in slips if is_same_name(row.order, paper.order)]
            return await self._of_slips(bill, mine, references)
        plain = await self._erp.plain_lines_of(paper.company, paper.number)
        return _by_product(
            bill,
            [row for row in plain if row.InvoiceDate == paper.day],
            await self._candidates(bill),
            {
                **references,
                **{lot: references.get(same_name_key(of), "") for lot, of in returned.items()},
            },
        )

    async def _of_slips(
        self, bill: Bill, slips: Sequence[InvoicedSlipRow], references: Mapping[str, str]
    ) -> list[BilledLine]:
        rows = await self._erp.slip_lots(bill.paper.company, {row.PackingSlipId for row in slips})
        lots = {
            (row.SalesId, row.PackingSlipId, row.DeliveryDate, row.LineNum.value): row.InventTransId
            for row in rows
        }
        found: list[BilledLine] = []
        for slip in slips:
            key = (slip.SalesId, slip.PackingSlipId, slip.DeliveryDate, slip.LineNum.value)
            if (lot := lots.get(key)) is None:
                raise RetryLaterError(f"the ERP shows no line of slip {slip.PackingSlipId} yet")
            found.append(
                BilledLine(
                    lot=lot,
                    reference=references.get(same_name_key(lot), ""),
                    quantity=slip.Quantity.value,
                    net=None,
                    tax=Decimal(0),
                )
            )
        return found

    async def _candidates(self, bill: Bill) -> Sequence[DemandLineRow | ReturnedLotRow]:
        company = bill.paper.company
        if bill.return_number:
            return await self._erp.returned(company, [bill.return_number])
        return await self._erp.lines_of(company, bill.paper.order)


def is_credit(rows: Sequence[LotInvoiceLineRow]) -> bool:
    """Return whether what a paper bills of one order is below zero."""
    net = sum((row.net for row in rows), Decimal(0))
    return net < 0 or (net == 0 and any(row.Qty.value < 0 for row in rows))


def _made_at(rows: Sequence[LotInvoiceLineRow]) -> datetime:
    never = datetime.min.replace(tzinfo=UTC)
    return min((row.CreatedOn or never for row in rows), default=never)


def _references(sold: Sequence[DemandLineRow]) -> Mapping[str, str]:
    """Return what each lot of an order says of the shop's row."""
    return {same_name_key(row.InventoryLotId): row.OrderLineReference for row in sold}


def _line(
    row: LotInvoiceLineRow, references: Mapping[str, str], returned: Mapping[str, str]
) -> BilledLine:
    lot = returned.get(same_name_key(row.InventTransId)) or row.InventTransId
    return BilledLine(
        lot=lot,
        reference=references.get(same_name_key(lot), ""),
        quantity=row.Qty.value,
        net=row.net,
        tax=row.TaxAmount.value,
    )


def _by_product(
    bill: Bill,
    lines: Sequence[InvoiceLineRow],
    candidates: Sequence[DemandLineRow | ReturnedLotRow],
    references: Mapping[str, str],
) -> list[BilledLine]:
    """Return lines by their products; raises `HeldError` where one may be another order's."""
    products = Counter(_product(row) for row in lines)
    by_product: dict[_Product, list[DemandLineRow | ReturnedLotRow]] = {}
    for each in candidates:
        by_product.setdefault(_product(each), []).append(each)
    found: list[BilledLine] = []
    for row in lines:
        fitting = by_product.get(_product(row), [])
        if len(fitting) != 1 or products[_product(row)] != 1 or _is_more(row, fitting[0]):
            raise HeldError(
                field="InventTransId",
                text=f"nothing tells which line of which order {bill.name} bills with "
                f"{row.ProductNumber}: it may be over several orders",
                advice=_MISSING,
            )
        lot = _lot(fitting[0])
        found.append(
            BilledLine(
                lot=lot,
                reference=references.get(same_name_key(lot), ""),
                quantity=row.InvoicedQuantity.value,
                net=row.LineAmount.value,
                tax=row.LineTotalTaxAmount.value,
            )
        )
    return found


def _product(row: InvoiceLineRow | DemandLineRow | ReturnedLotRow) -> _Product:
    number = row.ProductNumber if isinstance(row, InvoiceLineRow) else row.ItemNumber
    return tuple(same_name_key(each) for each in (number, *(getattr(row, d) for d in _DIMENSIONS)))


def _is_more(line: InvoiceLineRow, of: DemandLineRow | ReturnedLotRow) -> bool:
    ordered = of.OrderedSalesQuantity if isinstance(of, DemandLineRow) else of.ReturnSalesQuantity
    return abs(line.InvoicedQuantity.value) > abs(ordered.value)


def _lot(row: DemandLineRow | ReturnedLotRow) -> str:
    return row.InventoryLotId if isinstance(row, DemandLineRow) else row.ReturnInventoryLotId
