"""What invoices need of the two systems and of what is kept; calls raise `UpstreamError`."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from pricing_proxy.d365.fo.invoice_models import (
    InvoicedSlipRow,
    InvoiceLineRow,
    InvoiceRow,
    LotInvoiceLineRow,
    ReturnedLotRow,
    SlipLotRow,
)
from pricing_proxy.d365.fo.row_reading import OddRows
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.http_exchange import Guard
from sync.magento.billed_order_models import BilledOrder, ShopInvoice
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.invoices import Refund
from sync.store.watched_order_record import WatchedRecord


class ErpBills(Protocol):
    """What was billed lately, odd rows left out; see `pricing_proxy.d365.fo.invoices`."""

    async def lines_changed(
        self, company: str, since: datetime, odd: OddRows
    ) -> list[LotInvoiceLineRow] | None:
        """Return lines by when they were posted; None where nothing tells their lots."""
        ...

    async def lines_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[LotInvoiceLineRow] | None:
        """Return lines by the date of their invoice; likewise."""
        ...

    async def heads_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[InvoiceRow]:
        """Return invoices by their date."""
        ...

    async def slips_of(self, company: str, invoice: str) -> list[InvoicedSlipRow] | None:
        """Return what of packing slips was billed; None where nothing tells that."""
        ...

    async def returned(
        self, company: str, returns: Iterable[str], odd: OddRows
    ) -> list[ReturnedLotRow]:
        """Return the lines of return orders."""
        ...

    async def orders_of_lots(
        self, company: str, lots: Iterable[str], odd: OddRows
    ) -> list[DemandLineRow]:
        """Return the orders' lines that have these lots."""
        ...


class ErpBillLines(Protocol):
    """What one bill says; likewise."""

    async def lots_of(self, company: str, invoice: str) -> list[LotInvoiceLineRow] | None:
        """Return the lines of a number; None where nothing tells their lots."""
        ...

    async def billed_of(self, company: str, order: str) -> list[LotInvoiceLineRow] | None:
        """Return all that was billed of an order; likewise."""
        ...

    async def plain_lines_of(self, company: str, invoice: str) -> list[InvoiceLineRow]:
        """Return the lines of a number by their products."""
        ...

    async def slips_of(self, company: str, invoice: str) -> list[InvoicedSlipRow] | None:
        """Return what of packing slips was billed; None where nothing tells that."""
        ...

    async def slip_lots(self, company: str, slips: Iterable[str]) -> list[SlipLotRow]:
        """Return the lots of packing slips' lines."""
        ...

    async def lines_of(self, company: str, order: str) -> list[DemandLineRow]:
        """Return an order's own lines."""
        ...

    async def returned(self, company: str, returns: Iterable[str]) -> list[ReturnedLotRow]:
        """Return the lines of return orders."""
        ...

    async def reference_of(self, company: str, number: str) -> str:
        """Return the reference of a return order."""
        ...


class BillsInShop(Protocol):
    """The shop's orders with their invoices and credit memos."""

    async def order(self, entity_id: int) -> BilledOrder | None:
        """Return an order."""
        ...

    async def invoices_of(self, order_id: int) -> list[ShopInvoice]:
        """Return an order's invoices, the oldest first."""
        ...

    async def memos_of(self, order_id: int) -> list[CreditMemo]:
        """Return an order's credit memos, the oldest first."""
        ...

    async def invoice(
        self,
        order_id: int,
        quantities: Mapping[int, Decimal],
        *,
        mark: str,
        capture: bool,
        guard: Guard | None = None,
    ) -> str:
        """Invoice lines, and return the invoice's id."""
        ...

    async def refund(
        self, order_id: int, refund: Refund, *, mark: str, guard: Guard | None = None
    ) -> str:
        """Refund, and return the credit memo's id."""
        ...


class BilledWatch(Protocol):
    """The watched orders; see `sync.store.watched_orders`."""

    async def numbered(self, market: str, numbers: Collection[str]) -> Mapping[str, WatchedRecord]:
        """Return the orders that the ERP calls so, by what all spellings of a number share."""
        ...
