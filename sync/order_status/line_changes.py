"""Lines changed, cancelled or closed short in the ERP: told on the shop's order, and to a person.

Magento's orders do not shrink line by line, so a person settles it. What the shop has cancelled
itself, and the ERP has as it should be, is fine. Quantities are compared as they stand now,
whatever happened in between.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.names import same_name_key
from sync.engine.flow import Work
from sync.engine.outcomes import Difference, Done, HeldError
from sync.engine.refusals import named
from sync.engine.writes import Doubts
from sync.magento.reserving_models import ReservingLine, ReservingOrder
from sync.order_status.kept_lines import Delivered, delivered_by, kept_of
from sync.order_status.notes import OrderNotes
from sync.order_status.ports import ErpSlips
from sync.order_status.rules import Notice
from sync.order_status.shop_order import ShopOrderReader
from sync.order_status.steps import Step
from sync.papers.shop_states import check_not_held, is_ended
from sync.sales.value_lines import line_reference
from sync.store.order_writes import LINE_LINK

_NOTHING = Decimal(0)
_CHANGED = Notice(comment="Lines of the order were changed in the ERP:")


class LineChanges:
    """Compares the lines of one market's orders.

    Args:
        erp: The market's.
        company: Its company.
        orders: The shop's orders.
        notes: Writes on them.
    """

    def __init__(
        self, erp: ErpSlips, *, company: str, orders: ShopOrderReader, notes: OrderNotes
    ) -> None:
        self._erp = erp
        self._company = company
        self._orders = orders
        self._notes = notes

    async def carry(self, work: Work, doubts: Doubts, step: Step) -> Done:
        """Tell what differs; raises `HeldError` where anything does, and `UpstreamError`."""
        order = await self._orders.of(work, step.order_id)
        if is_ended(order.state):
            return Done(f"the shop's order is {order.state}")
        check_not_held(order.state)
        with named("read the order's lines", {"SalesOrderNumber": step.order}):
            lines = await self._erp.lines_of(self._company, step.order)
            slips = await self._erp.slips_of(self._company, [step.order])
        changes = list(_changes(order, lines, delivered_by(slips)))
        if not changes:
            return Done("the shop has the same quantities")
        for each in changes:
            # What is cancelled in the shop for it is no change of the shop's own.
            await work.links.remember(LINE_LINK, each.reference, f"{each.found.normalize():f}")
        differences = [each.difference for each in changes]
        told = "; ".join(f"{name}: {found} of {wanted}" for name, wanted, found in differences)
        notice = _CHANGED.model_copy(update={"comment": f"{_CHANGED.comment} {told}"})
        await self._notes.write(work, doubts, notice, order_id=step.order_id, order=step.order)
        raise HeldError(
            field="OrderedSalesQuantity",
            text=f"lines were changed or cancelled in the ERP's order {step.order}",
            advice="settle it with the customer: cancel or refund in the shop what is not "
            "delivered and replay, or skip to leave it",
            diff=differences,
        )


@dataclass(frozen=True, slots=True)
class _Change:
    """A row of which the ERP has another quantity than is not cancelled in the shop."""

    reference: str
    row: ReservingLine
    wanted: Decimal
    found: Decimal

    @property
    def difference(self) -> Difference:
        wanted, found = f"{self.wanted.normalize():f}", f"{self.found.normalize():f}"
        return f"row {self.row.item_id}", wanted, found


def _changes(
    order: ReservingOrder, lines: Sequence[DemandLineRow], delivered: Delivered
) -> Iterator[_Change]:
    rows = {
        same_name_key(line_reference(order.increment_id, row.item_id)): row for row in order.items
    }
    has: dict[str, list[Decimal]] = {}
    for line in lines:
        # One that somebody split in two has its name twice.
        has.setdefault(same_name_key(line.OrderLineReference), []).append(kept_of(line, delivered))
    for key, row in rows.items():
        its, wanted = has.get(key), _kept(row, rows)
        # Which rows of a bundle have a line only its kind tells; any other row that has a value.
        if its is None and (row.parent_item_id is not None or row.product_type == "bundle"):
            continue
        found = sum(its or (), _NOTHING)
        if found != wanted:
            yield _Change(line_reference(order.increment_id, row.item_id), row, wanted, found)


def _kept(row: ReservingLine, rows: Mapping[str, ReservingLine]) -> Decimal:
    """Return what of a row is neither cancelled nor refunded unshipped."""
    parent = next((each for each in rows.values() if each.item_id == row.parent_item_id), None)
    if parent is not None and parent.qty_canceled and not row.qty_canceled:
        # A part of a bundle with a price of its own is cancelled with it.
        share = (parent.qty_ordered - parent.qty_canceled) / parent.qty_ordered
        return row.qty_ordered * share
    unshipped = max(_NOTHING, row.qty_refunded - row.qty_shipped)
    return row.qty_ordered - row.qty_canceled - (_NOTHING if row.is_virtual else unshipped)
