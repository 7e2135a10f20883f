"""What is left of an order by its quantities: states of the shop say less than these do.

`closed` is said of an order that went back in full, and of a free one that was only invoiced
and shipped; `canceled` also of one that was partly invoiced and refunded. Pure.
"""

from collections.abc import Iterator
from decimal import Decimal

from sync.magento.order_models import Order
from sync.sales.value_lines import Splitting, ValueLine, value_lines


def is_nothing_left(order: Order, splitting: Splitting) -> bool:
    """Return whether every piece was cancelled or went back; raises `HeldError`."""
    rows = [value.row for value in value_lines(order.items, splitting)]
    return all(0 < row.qty_ordered <= row.qty_canceled + row.qty_refunded for row in rows)


def kept_lines(order: Order, splitting: Splitting) -> Iterator[ValueLine]:
    """Yield the lines of which something was invoiced and did not go back; raises `HeldError`."""
    for value in value_lines(order.items, splitting):
        if value.row.qty_invoiced > value.row.qty_refunded:
            yield value


def uncancelled(value: ValueLine) -> Decimal:
    """Return how much of a line is not cancelled; what is shared out of a row is so in part."""
    row = value.row
    if not row.qty_canceled:
        return value.quantity
    return value.quantity * (row.qty_ordered - row.qty_canceled) / row.qty_ordered
