"""The one list of flows: whatever is derived from it is in this order."""

from typing import Any

from sync.customers.building import CUSTOMERS
from sync.description import Description
from sync.invoices.building import INVOICES
from sync.order_status.building import ORDER_STATUS
from sync.orders.building import ORDERS
from sync.products.building import PRODUCTS
from sync.returns.building import RETURNS
from sync.stock.building import STOCK

FLOWS: tuple[Description[Any], ...] = (
    ORDERS,
    CUSTOMERS,
    RETURNS,
    PRODUCTS,
    STOCK,
    ORDER_STATUS,
    INVOICES,
)
NAMES = tuple(flow.name for flow in FLOWS)


def is_undoable(name: str) -> bool:
    """Return whether a run of a mirror flow may be taken back."""
    return all(flow.is_undoable for flow in FLOWS if flow.name == name)
