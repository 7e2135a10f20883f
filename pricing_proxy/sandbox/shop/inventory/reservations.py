"""What is promised and has not left yet: rows of a stock and a SKU, which are only ever added.

An order adds a row below zero; whatever ends the promise adds one above. Rows are never
changed or taken away, and no REST route shows them.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pricing_proxy.shop_names import collated

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One row; an order that is just being placed has no id yet, only its number."""

    stock_id: int
    sku: str
    quantity: Decimal
    event: str
    order_id: str
    increment_id: str

    def body(self) -> dict[str, Any]:
        """Return it as a judge reads it, with the metadata that the table holds."""
        metadata = {
            "event_type": self.event,
            "object_type": "order",
            "object_id": self.order_id,
            "object_increment_id": self.increment_id,
        }
        return {"stock_id": self.stock_id, "quantity": self.quantity, "metadata": metadata}


class Reservations:
    """The table, summed up by stock and SKU."""

    def __init__(self) -> None:
        self._rows: dict[str, list[Reservation]] = {}
        self._sums: dict[tuple[int, str], Decimal] = {}

    def append(self, row: Reservation) -> None:
        """Add a row; one of nothing is left out."""
        if not row.quantity:
            return
        key = collated(row.sku)
        self._rows.setdefault(key, []).append(row)
        self._sums[row.stock_id, key] = self.of(row.sku, row.stock_id) + row.quantity

    def of(self, sku: str, stock_id: int) -> Decimal:
        """Return the sum, which is below zero while anything is promised."""
        return self._sums.get((stock_id, collated(sku)), _NOTHING)

    def rows(self, sku: str) -> list[Reservation]:
        """Return the rows of a SKU, the oldest first."""
        return list(self._rows.get(collated(sku), ()))
