"""What an order is asked to be, before anything is computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.stores import Store

BASE_CURRENCY = "EUR"
RATES: Mapping[str, Decimal] = {BASE_CURRENCY: Decimal(1), "USD": Decimal("1.1373")}
"""The currencies that can be paid in, and what one euro is in each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRequest:
    """One line of the cart.

    Attributes:
        sku: Of a simple product, a variant (its configurable is added), a bundle or a service.
        text: For a product with options: what to engrave.
        choice: For a product with options: the id of the drop-down's value.
        price: Another unit price than the list's.
    """

    sku: str
    quantity: Decimal = Decimal(1)
    text: str | None = None
    choice: int | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """A whole cart on its way to an order.

    Attributes:
        customer: None for a guest.
        address: Members of both addresses that differ from the usual one.
        shipping_address: Typed at checkout, to ship elsewhere; without company and tax number.
        discount_percent: By a coupon, on goods; on shipping too with `discounts_shipping`.
        includes_tax: Whether the shop's prices include tax.
        total_off_by: Added to the grand total, to make an order that does not add up.
        currency: What is paid in, of those in `RATES`; the shop's own by default.
        bare_taxes: Whether its lines name no taxes, as when a cart is made an order in one go.
        ext_order_id: Written by whoever placed it, such as a marketplace's own number.
    """

    store: Store
    lines: tuple[LineRequest, ...]
    customer: Mapping[str, Any] | None = None
    address: Mapping[str, Any] = field(default_factory=dict)
    shipping_address: Mapping[str, Any] | None = None
    payment_method: str = "checkmo"
    po_number: str | None = None
    shipping_method: str = "flatrate_flatrate"
    discount_percent: Decimal = Decimal(0)
    discounts_shipping: bool = False
    includes_tax: bool = False
    total_off_by: Decimal = Decimal(0)
    ext_order_id: str | None = None
    bare_taxes: bool = False
    currency: str = BASE_CURRENCY

    @property
    def rate(self) -> Decimal:
        """What one of the shop's currency is in the order's."""
        return RATES[self.currency]
