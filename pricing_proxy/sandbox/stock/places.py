"""The warehouses, what they hold at the beginning, and the balance of an item in one. Pure.

on hand    = physically there, less what is picked
available  = on hand - reserved on hand
on order   = wanted by lines, less what is reserved, picked or shipped
"""

import zlib
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.sandbox.book import ZERO

Place = tuple[str, str]
"""An item or variant, folded, and a warehouse."""

_LAMP = "lamp-"
_LAMPS_HELD = {"13": 120, "14": 40, "24": 15}
# Released, but never received anywhere.
_NEVER_HELD = "new-"
_MOST_HELD = 240


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A warehouse.

    Attributes:
        site: The site it belongs to.
        kind: A member of `InventLocationType`.
    """

    id: str
    name: str
    site: str
    kind: str = "Standard"


WAREHOUSES = {
    each.id: each
    for each in (
        Warehouse("13", "Central warehouse", "1"),
        Warehouse("14", "Showroom", "1"),
        Warehouse("19", "Quarantine", "1", "Quarantine"),
        Warehouse("24", "South", "2"),
    )
}
HELD_IN = ("13", "14", "24")
"""Where every item is held."""

DEFAULT_WAREHOUSE = "13"
"""Where lines are shipped from that do not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What `WarehousesOnHandV2` says of a place, in the inventory unit."""

    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    ordered: Decimal = ZERO
    reserved_ordered: Decimal = ZERO
    on_order: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """What is there, and kept for nobody."""
        return self.on_hand - self.reserved

    @property
    def available_ordered(self) -> Decimal:
        """What is on its way, and kept for nobody."""
        return self.ordered - self.reserved_ordered


def opening(sku: str, warehouse: str) -> Decimal | None:
    """Return what a warehouse holds of a folded SKU at the beginning; None for no row at all."""
    if warehouse not in HELD_IN or sku.startswith(_NEVER_HELD):
        return None
    if sku.startswith(_LAMP):
        return Decimal(_LAMPS_HELD[warehouse])
    return Decimal(zlib.crc32(f"{sku}/{warehouse}".encode()) % _MOST_HELD)
