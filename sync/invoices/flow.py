"""What the ERP bills and credits comes into the shop: one event for each paper and order.

Invoices of an order have one lock, and its credit notes another: a note that waits for its
invoice never stands before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.invoices.bills import bill_of
from sync.invoices.credit_carrier import CreditCarrier
from sync.invoices.invoice_carrier import InvoiceCarrier
from sync.invoices.rules import FLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceMarket:
    """What carries one market's bills."""

    invoices: InvoiceCarrier
    credits: CreditCarrier


class InvoiceFlow:
    """A `sync.engine.flow.Flow`.

    Args:
        markets: By code.
    """

    name = FLOW

    def __init__(self, markets: Mapping[str, InvoiceMarket]) -> None:
        self._markets = markets

    async def carry(self, work: Work) -> Done:
        """Bring one bill over; raises the engine's outcomes and `UpstreamError`."""
        market, bill = self._markets[work.event.market], bill_of(work.event)
        if bill.is_credit:
            return await market.credits.carry(work, bill)
        return await market.invoices.carry(work, bill)
