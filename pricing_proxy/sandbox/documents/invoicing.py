"""Invoices and credit notes: what is billed of orders and returns, and when.

Billed is what was delivered and is not billed yet, and all services; what is named beyond that is
delivered by the invoice itself, without any packing slip. Returned goods arrive, and are on a
packing slip below zero, when their return is credited. `on_invoice` is told of each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pricing_proxy.clock import Clock
from pricing_proxy.sandbox.book import ZERO
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.documents.amounts import line_amount
from pricing_proxy.sandbox.documents.invoice_rows import (
    Invoice,
    InvoiceLine,
    invoice_of,
    post_invoice,
)
from pricing_proxy.sandbox.documents.numbers import NumberSequence
from pricing_proxy.sandbox.documents.open_lines import OpenLines, Quantities
from pricing_proxy.sandbox.documents.posted import INVOICES, Posted
from pricing_proxy.sandbox.documents.rows import DocumentRow
from pricing_proxy.sandbox.stock.ledger import StockRefusedError

_FIRST_INVOICE = 701
_ORDER_ONLY = ("InvoiceCustomerAccountNumber", "CurrencyCode", "ArePricesIncludingSalesTax")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceTerms:
    """How an invoice is posted.

    Attributes:
        number: Its number; by default the next one.
        day: Its date; by default today.
    """

    number: str | None = None
    day: date | None = None


class Invoicing:
    """Posts invoices.

    Attributes:
        on_invoice: Told of each new invoice.
    """

    def __init__(self, lines: OpenLines, posted: Posted, dials: Dials, *, clock: Clock) -> None:
        self.on_invoice: Callable[[Invoice], None] = lambda _: None
        self._lines = lines
        self._posted = posted
        self._dials = dials
        self._clock = clock
        self._numbers = NumberSequence(_FIRST_INVOICE)

    def invoice(
        self, orders: Mapping[str, Quantities], terms: InvoiceTerms = InvoiceTerms()
    ) -> Invoice:
        """Post one invoice over orders.

        Args:
            orders: What to bill of each; nothing for what was delivered, and all services.
            terms: How.

        Raises:
            StockRefusedError: Nothing is left to bill, more is named than is left to deliver, or
                the orders are not for one account in one currency.
        """
        headers = [self._lines.header(order) for order in orders]
        for name in _ORDER_ONLY:
            if len({header[name] for header in headers}) > 1:
                raise StockRefusedError(f"The orders differ in {name}.")
        lines = [
            self._billed(order, lot, quantity)
            for order, quantities in orders.items()
            for lot, quantity in self._asked(order, quantities).items()
        ]
        if not lines:
            raise StockRefusedError("Nothing is left to invoice.")
        done = self.post(lines, headers[0], terms)
        for order in orders:
            self._lines.settle(order)
        return done

    def post(
        self, lines: list[InvoiceLine], header: DocumentRow, terms: InvoiceTerms, *, rma: str = ""
    ) -> Invoice:
        """Write an invoice of these lines, and tell of it.

        Raises:
            StockRefusedError: There is one of this number.
        """
        if terms.number and self._posted.having(INVOICES, "InvoiceNumber", terms.number):
            raise StockRefusedError(f"There is an invoice {terms.number} already.")
        invoice = invoice_of(
            lines,
            header,
            number=terms.number or f"CIV-{self._numbers.next()}",
            when=terms.day or self.today(),
            rounding=self._dials.tax_rounding,
            rma=rma,
        )
        post_invoice(self._posted, invoice, header)
        self.on_invoice(invoice)
        return invoice

    def today(self) -> date:
        """Return the day that postings have which name none."""
        return self._clock.utc().date()

    def _asked(self, order: str, quantities: Quantities) -> dict[str, Decimal]:
        asked = self._lines.chosen(order, quantities, only_stocked=False)
        usual = {lot: self._usual(lot) if one is None else one for lot, one in asked.items()}
        return {lot: quantity for lot, quantity in usual.items() if quantity}

    def _usual(self, lot: str) -> Decimal:
        done = self._lines.done(lot)
        billable = done.delivered - done.invoiced
        return billable if lot in self._lines.ledger.lines else billable + self._lines.left(lot)

    def _billed(self, order: str, lot: str, quantity: Decimal) -> InvoiceLine:
        row, done = self._lines.row(lot), self._lines.done(lot)
        is_stocked = lot in self._lines.ledger.lines
        beyond = quantity - (done.delivered - done.invoiced)
        missing = max(ZERO, beyond) if quantity > 0 else min(ZERO, beyond)
        is_backwards = quantity * row["OrderedSalesQuantity"] < 0
        if is_backwards or abs(missing) > abs(self._lines.left(lot)):
            raise StockRefusedError(f"So much of {lot} is neither delivered nor left to deliver.")
        if missing:
            if is_stocked:
                self._lines.ledger.ship(lot, self._lines.held(lot, missing))
            self._lines.book(lot, delivered=missing)
        self._lines.book(lot, invoiced=quantity)
        told: dict[str, Any] = {"OrderedSalesQuantity": quantity}
        if done.invoiced:
            # Charges of a whole line are billed once.
            told["FixedPriceCharges"] = ZERO
        part = row.changed(told)
        part["LineAmount"] = line_amount(part)
        return InvoiceLine(lot=lot, order=order, row=part, is_stocked=is_stocked)
