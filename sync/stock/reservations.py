"""What the shop still has reserved for the lines of an order. Pure.

    m = ordered - cancelled - shipped - refunded unshipped     (virtual lines: - invoiced)

The line that the shop ships says how much: of a configurable that is the parent, whose child
keeps `qty_canceled` 0; parts of a bundle are shipped by themselves or follow their parent, and
say so themselves, but for what was cancelled of the parent. The child names what is reserved.

How much of a refund was never shipped the shop does not tell. It takes refunded pieces for
unshipped as long as more is invoiced than shipped and refunded, so the refunds are followed
one after the other; of those from before the first look, the end alone is known.

Pieces that were refunded unshipped may be shipped all the same. The shop then ends what is reserved
for them a second time, and takes so much less off its sources for good: m is below zero, and added
back like any other. Where both happen between two looks, nothing tells them from pieces that were
shipped and then refunded.

Refunded unshipped and not returned, pieces leave the sources of their stock that sell them. What
these do not have, or are set not to sell, stays reserved in the shop for ever, and no document
tells: so much less than there is is offered, until somebody ends that reservation in the shop.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sync.magento.reserving_models import ReservingLine, ReservingOrder

COMPOSED = frozenset({"configurable", "bundle"})
"""Products that are sold as their parts, and have no stock of their own."""
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunds:
    """What is known of a line's refunds.

    Attributes:
        refunded: Pieces, so far.
        unshipped: Of these, the ones that the shop never shipped.
    """

    refunded: Decimal = _NOTHING
    unshipped: Decimal = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What an order's line has reserved.

    Attributes:
        row: The line that names the product.
        quantity: m; below zero where more was ended than was reserved.
        cancelled: What was cancelled of it.
        refunds: As of now.
    """

    row: ReservingLine
    quantity: Decimal
    cancelled: Decimal
    refunds: Refunds


def reservations(order: ReservingOrder, before: Mapping[int, Refunds]) -> Iterator[Reservation]:
    """Yield what each line of an order that has stock of its own has reserved.

    Args:
        order: As the shop has it.
        before: What was known of its lines' refunds, by the line's id.
    """
    by_id = {row.item_id: row for row in order.items}
    for row in order.items:
        if row.product_type in COMPOSED:
            continue
        parent = by_id.get(row.parent_item_id or 0)
        ships = shipping_line(row, by_id)
        refunds = _refunds(ships, before.get(row.item_id))
        gone = (
            min(ships.qty_invoiced, ships.qty_ordered)
            if row.is_virtual
            else ships.qty_shipped + refunds.unshipped
        )
        left = ships.qty_ordered - gone
        # What a cancelled order did not cancel line by line, as parts of bundles, is free as well.
        open_ = max(_NOTHING, left)
        cancelled = open_ if order.state == "canceled" else min(open_, _cancelled(ships, parent))
        yield Reservation(row=row, quantity=left - cancelled, cancelled=cancelled, refunds=refunds)


def shipping_line(row: ReservingLine, by_id: Mapping[int, ReservingLine]) -> ReservingLine:
    """Return the line that the shop ships for one that has stock."""
    parent = by_id.get(row.parent_item_id or 0)
    return parent if parent is not None and parent.product_type == "configurable" else row


def _cancelled(ships: ReservingLine, parent: ReservingLine | None) -> Decimal:
    if parent is None or parent is ships or not parent.qty_ordered:
        return ships.qty_canceled
    return max(ships.qty_canceled, parent.qty_canceled * ships.qty_ordered / parent.qty_ordered)


def _refunds(ships: ReservingLine, before: Refunds | None) -> Refunds:
    invoiced = min(ships.qty_invoiced, ships.qty_ordered)
    known = before or Refunds()
    fresh = max(_NOTHING, ships.qty_refunded - known.refunded)
    # Of a line seen for the first time, all its refunds are taken for the last ones.
    refunded_before = known.refunded
    unshipped = min(fresh, max(_NOTHING, invoiced - refunded_before - ships.qty_shipped))
    return Refunds(refunded=ships.qty_refunded, unshipped=known.unshipped + unshipped)
