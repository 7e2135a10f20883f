"""A sales order as it is going to be in the ERP, under the ERP's field names."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

Value = str | int | Decimal
"""What a field is sent as; money and quantities are decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """One line.

    Attributes:
        reference: Its `OrderLineReference`, by which it is found again.
        source: The shop's row, for messages.
        fields: What is sent.
        net: What the ERP makes of it.
        tax: What the ERP is expected to compute on it.
    """

    reference: str
    source: str
    fields: Mapping[str, Value]
    net: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDraft:
    """A whole order.

    Attributes:
        reference: The shop's number.
        header: What is sent of the header, without the stop.
        lines: In the shop's order; shipping, fees and rounding last.
        net: What the shop's order comes to without tax, what automatic charges add included.
        tax: The shop's tax.
        charges: Net of what the ERP's automatic charges are to add; zero when a line does.
        charges_tax: Tax expected on it.
        warnings: What differs without holding the order.
    """

    reference: str
    header: Mapping[str, Value]
    lines: tuple[DraftLine, ...]
    net: Decimal
    tax: Decimal
    charges: Decimal
    charges_tax: Decimal
    warnings: tuple[str, ...]

    @property
    def erp_net(self) -> Decimal:
        """What the ERP's document comes to without tax."""
        return sum((line.net for line in self.lines), self.charges)

    @property
    def erp_tax(self) -> Decimal:
        """The tax it is expected to have."""
        return sum((line.tax for line in self.lines), self.charges_tax)
