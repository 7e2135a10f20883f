"""What a market's configuration says about invoices and credit notes."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field

from pricing_proxy.configuration.environments import MODEL

FLOW = "invoices"
Mode = Literal["offline", "online", "no_invoice"]
_POSTED = "SalesInvoicePostedBusinessEvent"
# Magento's own: no gateway stands behind them, so an invoice takes no money.
_WITHOUT_GATEWAY = frozenset({"banktransfer", "cashondelivery", "checkmo", "free", "purchaseorder"})


class InvoiceRules(BaseModel):
    """How what the ERP bills and credits comes back into the shop.

    The shop's interface marks every invoice as paid. Credit memos are made outside of any gateway:
    whoever pays money back does so there.

    Attributes:
        start_at: Invoices that were posted earlier are not brought over; by default those from
            before the flow's first look.
        mode: What becomes of an invoice: "offline", an invoice of the shop that takes no money;
            "online", one by which the payment's gateway takes it; "no_invoice", none.
        payments: What becomes of it by the payment method's code, where that is something else.
        offline_gateways: Whether an invoice may be "offline" though a gateway stands behind the
            payment: the shop then says that it is paid, and nobody takes the money.
        events: Business events of the ERP that say that something was billed, by their names, with
            the contract's member that holds the order's number.
        reads_a_minute: Requests to the ERP for what is new; once they are spent, business events
            wait for the next look by the clock.
        line_tolerance: How far the net amount of a line may differ between the two systems.
        tolerance: How far freight and the total may, which are compared when all is invoiced.
    """

    model_config = MODEL

    start_at: AwareDatetime | None = None
    mode: Mode = "offline"
    payments: dict[str, Mode] = {}
    offline_gateways: bool = False
    events: dict[str, str] = {_POSTED: "SalesOrderId"}
    reads_a_minute: Annotated[int, Field(ge=5, le=6000)] = 30
    line_tolerance: Annotated[Decimal, Field(ge=0, le=10)] = Decimal("0.02")
    tolerance: Annotated[Decimal, Field(ge=0, le=10)] = Decimal("0.05")

    def mode_of(self, method: str) -> Mode:
        """Return what becomes of invoices of orders that are paid so."""
        return self.payments.get(method, self.mode)


def has_gateway(method: str) -> bool:
    """Return whether somebody else than the shop moves the money of a payment method."""
    return method not in _WITHOUT_GATEWAY
