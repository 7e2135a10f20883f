"""A cart as it is asked for, and the discounts that are for carts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pricing_proxy.agreements.fo.discount_search import DiscountRows
from pricing_proxy.agreements.fo.net import LineTerms
from pricing_proxy.agreements.fo.rows import Party, PricedCustomer, PricedItem
from pricing_proxy.names import same_name_key


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCartLine:
    """A line of a cart, with what `PriceList.quote` said for its quantity."""

    item: PricedItem
    unit: str
    quantity: Decimal
    terms: LineTerms

    @property
    def group(self) -> str:
        """The item's multiline discount group, folded; empty for none."""
        return same_name_key(self.item.multiline_discount_group)


@dataclass(frozen=True, slots=True)
class CartRows:
    """The discounts of carts.

    Attributes:
        multiline: Those for each group of items, and under `EVERYBODY` those for all items.
        total: None where there are none.
    """

    multiline: Mapping[Party, DiscountRows] = field(default_factory=dict)
    total: DiscountRows | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCart:
    """For whom, when and in which currency lines are priced."""

    lines: tuple[LocalCartLine, ...]
    customer: PricedCustomer
    currency: str
    on: date
