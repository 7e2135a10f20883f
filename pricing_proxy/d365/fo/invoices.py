"""Invoices and credit notes of one environment: found by their dates, with whose lines they bill.

Sets that not every environment has answer None where they are missing. Reads that find bills leave
odd rows out and tell them; of one bill an odd row raises. Raises `UpstreamError`.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import TypeVar

from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.invoice_models import (
    InvoicedSlipRow,
    InvoiceLineRow,
    InvoiceRow,
    LotInvoiceLineRow,
    ReturnedLotRow,
    ReturnReferenceRow,
    SlipLotRow,
)
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.row_reading import OddRows
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.d365.odata import Filter, at_least, dated, equals, fitting, is_one_of
from pricing_proxy.resilience.errors import UpstreamRejectedError

# IIS takes 2,048 characters of query; the names of the widest set take 500 of them.
_FILTER_LENGTH = 1_300

R = TypeVar("R", bound=Row)


class InvoiceReads:
    """Reads what the ERP billed and credited."""

    def __init__(self, calls: DocumentCalls) -> None:
        self._calls = calls

    async def lines_changed(
        self, company: str, since: datetime, odd: OddRows
    ) -> list[LotInvoiceLineRow] | None:
        """Return the lines, with their lots, that were posted or changed since an instant."""
        return await self._if_there(
            LotInvoiceLineRow, at_least("SysModifiedDateTime", since), company, odd
        )

    async def lines_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[LotInvoiceLineRow] | None:
        """Return the lines, with their lots, of invoices of a day or later, until the last day."""
        where = dated("InvoiceDate", since, last)
        return await self._if_there(LotInvoiceLineRow, where, company, odd)

    async def lots_of(self, company: str, invoice: str) -> list[LotInvoiceLineRow] | None:
        """Return the lines of the invoices of a number, with their lots."""
        return await self._if_there(LotInvoiceLineRow, equals("InvoiceId", invoice), company)

    async def billed_of(self, company: str, order: str) -> list[LotInvoiceLineRow] | None:
        """Return the lines of all invoices of one order, or of one return."""
        filed = await self._if_there(LotInvoiceLineRow, equals("SalesId", order), company)
        if filed is None:
            return None
        own = await self._if_there(LotInvoiceLineRow, equals("OrigSalesId", order), company) or []
        key = ("InvoiceId", "InvoiceDate", "LineCreationSequenceNumber")
        rows = {tuple(str(getattr(row, name)) for name in key): row for row in (*filed, *own)}
        return list(rows.values())

    async def heads_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[InvoiceRow]:
        """Return the invoices that are dated a day or later, until the last day."""
        where = dated("InvoiceDate", since, last)
        return await self._calls.rows(InvoiceRow, where, company=company, odd=odd)

    async def plain_lines_of(self, company: str, invoice: str) -> list[InvoiceLineRow]:
        """Return the lines of the invoices of a number, which name products alone."""
        where = equals("InvoiceNumber", invoice)
        return await self._calls.rows(InvoiceLineRow, where, company=company)

    async def slips_of(self, company: str, invoice: str) -> list[InvoicedSlipRow] | None:
        """Return the lines of packing slips that the invoices of a number bill."""
        return await self._if_there(InvoicedSlipRow, equals("InvoiceId", invoice), company)

    async def slip_lots(self, company: str, slips: Iterable[str]) -> list[SlipLotRow]:
        """Return the lines of packing slips of these numbers, with their lots."""
        return await self._in_groups(SlipLotRow, "PackingSlipId", slips, company)

    async def lines_of(self, company: str, order: str) -> list[DemandLineRow]:
        """Return an order's own lines."""
        where = equals("SalesOrderNumber", order)
        return await self._calls.rows(DemandLineRow, where, company=company)

    async def orders_of_lots(
        self, company: str, lots: Iterable[str], odd: OddRows
    ) -> list[DemandLineRow]:
        """Return the orders' lines that have these lots."""
        return await self._in_groups(DemandLineRow, "InventoryLotId", lots, company, odd)

    async def returned(
        self, company: str, returns: Iterable[str], odd: OddRows | None = None
    ) -> list[ReturnedLotRow]:
        """Return the lines of return orders; none of what is no return."""
        return await self._in_groups(ReturnedLotRow, "ReturnOrderNumber", returns, company, odd)

    async def reference_of(self, company: str, number: str) -> str:
        """Return the reference of a return order; empty where it has none."""
        where = equals("ReturnOrderNumber", number)
        rows = await self._calls.rows(ReturnReferenceRow, where, company=company)
        return next((row.CustomersOrderReference for row in rows), "")

    async def _in_groups(
        self,
        row: type[R],
        field: str,
        texts: Iterable[str],
        company: str,
        odd: OddRows | None = None,
    ) -> list[R]:
        plain = sorted({each for each in texts if each and "*" not in each})
        groups: Iterable[Sequence[str]] = fitting(field, plain, longest=_FILTER_LENGTH)
        found: list[R] = []
        for group in groups:
            found += await self._calls.rows(row, is_one_of(field, group), company=company, odd=odd)
        return found

    async def _if_there(
        self, row: type[R], where: Filter, company: str, odd: OddRows | None = None
    ) -> list[R] | None:
        try:
            return await self._calls.rows(row, where, company=company, odd=odd)
        except UpstreamRejectedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
