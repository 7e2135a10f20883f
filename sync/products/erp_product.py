"""One item of the ERP as the shop may sell it: a distinct product, a master, or a variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Literal, TypeAlias

from sync.products.rules import Dimension

Part: TypeAlias = Literal["orders", "names", "attributes", "barcode", "variants"]
"""What further sets say of an item: "orders" is how it is ordered, and whether it is blocked."""


class ProductKind(StrEnum):
    """What it is in the shop, by the shop's own names."""

    SIMPLE = "simple"
    VIRTUAL = "virtual"
    CONFIGURABLE = "configurable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpProduct:
    """What the ERP says of one SKU.

    Attributes:
        names: By language in small letters.
        own_name: In no language in particular; for where there is none in the wanted one.
        price: For `price_quantity` of `unit`; None where nobody may say which it is.
        price_quantity: Never 0.
        unit: In which it is sold and priced.
        inventory_unit: In which its weight and order quantities are.
        state: `ProductLifecycleStateId`.
        begins_on: The first day on which it is sold.
        ends_on: The last one.
        is_stopped: Whether it is blocked for sales.
        minimum: Of an order; 0 for none, as the other two.
        multiple: What an order's quantity is a multiple of.
        dimensions: Of a variant; without empty ones.
        attributes: By the ERP's name; without empty ones.
        variants: Of a master: the SKUs of its variants.
        axes: Of a master: the dimensions in which these differ.
        is_variant: Whether it is one.
        unread: Why something that belongs to it could not be read, by what that is.
    """

    sku: str
    kind: ProductKind = ProductKind.SIMPLE
    names: Mapping[str, str] = field(default_factory=dict)
    own_name: str = ""
    price: Decimal | None = None
    price_quantity: Decimal = Decimal(1)
    unit: str = ""
    inventory_unit: str = ""
    tax_group: str = ""
    net_weight: Decimal = Decimal(0)
    tare_weight: Decimal = Decimal(0)
    state: str = ""
    begins_on: date | None = None
    ends_on: date | None = None
    is_stopped: bool = False
    minimum: Decimal = Decimal(0)
    maximum: Decimal = Decimal(0)
    multiple: Decimal = Decimal(0)
    dimensions: Mapping[Dimension, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    barcode: str = ""
    variants: Sequence[str] = ()
    axes: Sequence[Dimension] = ()
    is_variant: bool = False
    unread: Mapping[Part, str] = field(default_factory=dict)
