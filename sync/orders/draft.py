"""A sales order as it is going to be in the ERP: its bodies, and what they come to."""

from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderBody, SalesOrderLineBody
from sync.orders.line_tax import Rate
from sync.sales.amounts import Taxed


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """One line.

    Attributes:
        source: The shop's row, for messages.
        body: What is sent; its `OrderLineReference` is how it is found again.
        net: What the ERP makes of it.
        rate: What the shop charges on it.
        cut: Which of its texts were cut.
    """

    source: str
    body: SalesOrderLineBody
    net: Decimal
    rate: Rate
    cut: tuple[str, ...] = ()

    def taxed(self, amount: Decimal) -> Taxed:
        """Return an amount of the line with what is charged on it."""
        return Taxed(self.rate.code, amount, self.rate.percent)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """A whole order.

    Attributes:
        reference: The shop's number, with the store view's prefix.
        header: What is sent of the header, without the reference field and the stop.
        lines: In the shop's order; shipping and fees last.
        net: What the shop's order comes to without tax, what automatic charges add included.
        tax: The shop's tax.
        charges: Net of what the ERP's automatic charges are to add; zero when a line does.
        charges_tax: Tax expected on it.
        notes: What a person may want to know of it.
    """

    reference: str
    header: SalesOrderHeaderBody
    lines: tuple[DraftLine, ...]
    net: Decimal
    tax: Decimal
    charges: Decimal
    charges_tax: Decimal
    notes: tuple[str, ...] = ()

    @property
    def by_reference(self) -> dict[str, DraftLine]:
        """The lines by their `OrderLineReference`."""
        return {line.body.OrderLineReference: line for line in self.lines}

    @property
    def erp_net(self) -> Decimal:
        """What the ERP's document comes to without tax."""
        return sum((line.net for line in self.lines), self.charges)

    @property
    def gross(self) -> Decimal:
        """What the shop's order comes to with tax, before credits."""
        return self.net + self.tax
