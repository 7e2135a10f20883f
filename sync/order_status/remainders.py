"""What is left of an order of the shop, by its quantities: to cancel, to invoice, to refund. Pure.

A configurable is its own row; of a bundle each row is asked, as which of them carry its quantities
is a matter of its kind, and the least invoiced one decides.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from sync.magento.reserving_models import ReservingLine, ReservingOrder

_NOTHING = Decimal(0)


def to_cancel(order: ReservingOrder) -> dict[int, Decimal]:
    """Return how much of each row the shop would cancel, as far as anything is."""
    if order.state in ("canceled", "closed", "complete"):
        return {}
    left = {
        row.item_id: min(_uninvoiced(row), _undelivered(row))
        for family in _families(order)
        for row in family
        if not _is_only_summed(row, family)
    }
    return {item: each for item, each in left.items() if each > 0}


def is_shipped_uninvoiced(order: ReservingOrder) -> bool:
    """Return whether a shipped piece is not invoiced yet."""
    return any(
        _most_shipped(family) > min(_share(row, row.qty_invoiced) for row in family)
        for family in _families(order)
    )


def paid_left(order: ReservingOrder) -> dict[int, Decimal]:
    """Return how much of each row is invoiced, and neither shipped nor refunded."""
    left: dict[int, Decimal] = {}
    for family in _families(order):
        shipped = _most_shipped(family)
        for row in family:
            gone = max(shipped * row.qty_ordered, row.qty_refunded)
            # The shop counts parts of a bundle beyond what was ordered.
            paid = min(row.qty_invoiced, row.qty_ordered) - gone
            if paid > 0:
                left[row.item_id] = paid
    return left


def _families(order: ReservingOrder) -> Iterator[Sequence[ReservingLine]]:
    """Yield rows that are one thing sold: a bundle with its parts, any other row alone."""
    rows = [row for row in order.items if row.qty_ordered > 0]
    by_id = {row.item_id: row for row in rows}
    for row in rows:
        if row.parent_item_id in by_id:
            continue
        if row.product_type == "bundle":
            yield [row, *(each for each in rows if each.parent_item_id == row.item_id)]
        else:
            yield [row]


def _is_only_summed(row: ReservingLine, family: Sequence[ReservingLine]) -> bool:
    """Return whether a bundle's row is cancelled by its parts, or a part by its bundle."""
    return len(family) > 1 and any(each.qty_canceled for each in family) and not row.qty_canceled


def _uninvoiced(row: ReservingLine) -> Decimal:
    return row.qty_ordered - row.qty_invoiced - row.qty_canceled


def _undelivered(row: ReservingLine) -> Decimal:
    gone = _NOTHING if row.is_virtual else max(row.qty_shipped, row.qty_refunded)
    return row.qty_ordered - gone - row.qty_canceled


def _most_shipped(family: Iterable[ReservingLine]) -> Decimal:
    return max(_share(row, row.qty_shipped) for row in family)


def _share(row: ReservingLine, quantity: Decimal) -> Decimal:
    return quantity / row.qty_ordered
