"""The customer map of a market: ERP accounts, and the groups by which they are priced."""

from dataclasses import dataclass

from pricing_proxy.shared_state.kept_map import MapKind


@dataclass(frozen=True, slots=True)
class Customer:
    """What pricing needs to know of one customer.

    Attributes:
        account: The ERP's CustomerAccount.
        currency: Currency of the customer's documents, ISO 4217.
        price_group: Code of the price group; empty without one. So are the discount groups.
        line_discount_group: Code of the line discount group.
        multiline_discount_group: Code of the multiline discount group.
        total_discount_group: Code of the total discount group.
    """

    account: str
    currency: str
    price_group: str
    line_discount_group: str
    multiline_discount_group: str
    total_discount_group: str


CUSTOMERS = MapKind(name="customers", row=Customer, version=1)
