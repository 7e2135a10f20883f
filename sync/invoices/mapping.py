"""What a bill of the ERP means in an order of the shop: its lots become rows. Pure.

The ERP's line names the shop's row that carried its value (`sales.value_lines`), and that is the
row which the shop invoices and refunds, bundles priced by their parts included. Only where the
ERP has a bundle with a price of its own in parts, the shop knows the whole bundle alone: it is
invoiced once the last of its parts is billed, by whatever invoice, and credited where one note
takes back all parts of it; of fewer, the money goes back beside the goods.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sync.magento.billed_order_models import BilledOrder
from sync.magento.order_line_models import OrderLine
from sync.sales.order_rows import NamedRows, whole_bundles
from sync.sales.value_lines import ROUNDING_KEY, SHIPPING_KEY

VERSION = 1
"""Raised when the same bill would become another document."""

_NOTHING = Decimal(0)
Quantities = Mapping[int, Decimal]
"""By the shop's id of an order's row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledLine:
    """What a bill says of one line of the ERP's order.

    Attributes:
        lot: The line's.
        reference: What the ERP's line says of the shop's row; empty for one that nobody knows.
        quantity: In the line's sales unit; below zero where it is credited.
        net: Below zero where it is credited; None where nothing tells it.
        tax: Likewise.
    """

    lot: str
    reference: str
    quantity: Decimal
    net: Decimal | None
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        """With tax; 0 where nothing tells the amount."""
        return _NOTHING if self.net is None else self.net + self.tax


@dataclass(slots=True, kw_only=True)
class BillDraft:
    """What a bill means in the shop; all of it above zero, of an invoice and of a credit note.

    Attributes:
        quantities: By the row that the shop invoices.
        nets: What the ERP took or gave back for the row, where that can be compared.
        gross: What the bill comes to, tax included.
        freight: The net amount of the line that carries the shipping.
        freight_gross: Likewise with tax.
        beside: With tax, what is for none of the order's rows as far as the shop knows.
        unknown: Lots that are no row of the shop's order.
    """

    quantities: dict[int, Decimal] = field(default_factory=dict)
    nets: dict[int, Decimal] = field(default_factory=dict)
    gross: Decimal = _NOTHING
    freight: Decimal = _NOTHING
    freight_gross: Decimal = _NOTHING
    beside: Decimal = _NOTHING
    unknown: list[str] = field(default_factory=list)


def map_invoice(
    lines: Sequence[BilledLine], billed: Sequence[BilledLine], order: BilledOrder
) -> BillDraft:
    """Return what an invoice means.

    Args:
        lines: Its own.
        billed: All that was billed of the order, its own among them.
        order: As the shop has it.
    """
    rows = _Rows(order)
    draft, parts = _sorted(lines, rows)
    for item in parts:
        parent, sums = rows.by_id[item], _parts_of(billed, rows, item)
        whole = whole_bundles(parent, rows.parts(parent), sums) - parent.qty_invoiced
        if whole > 0:
            draft.quantities[item] = whole
    return draft


def map_credit(lines: Sequence[BilledLine], order: BilledOrder) -> BillDraft:
    """Return what a credit note means.

    Args:
        lines: Its own.
        order: As the shop has it.
    """
    rows = _Rows(order)
    given = [
        replace(
            line,
            quantity=-line.quantity,
            net=None if line.net is None else -line.net,
            tax=-line.tax,
        )
        for line in lines
    ]
    draft, parts = _sorted(given, rows)
    for item, its in parts.items():
        parent, sums = rows.by_id[item], _parts_of(its, rows, item)
        whole = whole_bundles(parent, rows.parts(parent), sums)
        is_whole = all(
            sums.get(part.item_id, _NOTHING) * parent.qty_ordered == whole * part.qty_ordered
            for part in rows.parts(parent)
        )
        if is_whole and whole > 0:
            draft.quantities[item] = whole
            draft.nets[item] = sum((line.net or _NOTHING for line in its), _NOTHING)
        else:
            draft.beside += sum((line.gross for line in its), _NOTHING)
    return draft


def left_to_invoice(row: OrderLine) -> Decimal:
    """Return how much of a row the shop still lets anybody invoice."""
    return max(_NOTHING, row.qty_ordered - row.qty_invoiced - row.qty_canceled)


def left_to_refund(row: OrderLine) -> Decimal:
    """Return how much of a row the shop still lets anybody refund."""
    return max(_NOTHING, row.qty_invoiced - row.qty_refunded)


def capped(
    wanted: Quantities, order: BilledOrder, left: Callable[[OrderLine], Decimal]
) -> dict[int, Decimal]:
    """Return what of some rows the shop still lets anybody do."""
    rows = {row.item_id: row for row in order.items}
    found = {item: min(quantity, left(rows[item])) for item, quantity in wanted.items()}
    return {item: quantity for item, quantity in found.items() if quantity > 0}


def is_all_invoiced(order: BilledOrder) -> bool:
    """Return whether nothing of an order is left to invoice."""
    return not any(left_to_invoice(row) for row in valued_rows(order))


def valued_rows(order: BilledOrder) -> list[OrderLine]:
    """Return the rows that carry value, which are those that the shop invoices and refunds."""
    return [*_Rows(order).valued()]


def billed_quantities(billed: Sequence[BilledLine], order: BilledOrder) -> dict[int, Decimal]:
    """Return how much of each row that carries value was billed."""
    rows, found = _Rows(order), dict[int, Decimal]()
    sums: dict[int, Decimal] = {}
    for line in billed:
        if (row := rows.named(line.reference)) is not None:
            sums[row.item_id] = sums.get(row.item_id, _NOTHING) + line.quantity
    for row in rows.valued():
        parts = [part for part in rows.parts(row) if part.item_id in sums]
        found[row.item_id] = (
            whole_bundles(row, rows.parts(row), sums) if parts else sums.get(row.item_id, _NOTHING)
        )
    return found


def stocked_rows(order: BilledOrder, items: Iterable[int]) -> list[OrderLine]:
    """Return the rows that name the products which are sold with some rows."""
    rows = _Rows(order)
    found: dict[int, OrderLine] = {}
    for item in items:
        row = rows.by_id[item]
        for each in rows.children(row) or [row]:
            found[each.item_id] = each
    return list(found.values())


class _Rows(NamedRows[OrderLine]):
    """An order's rows, with those that hang together."""

    def __init__(self, order: BilledOrder) -> None:
        super().__init__(order.increment_id, order.items)

    def children(self, row: OrderLine) -> list[OrderLine]:
        return [each for each in self.by_id.values() if each.parent_item_id == row.item_id]

    def parts(self, parent: OrderLine) -> list[OrderLine]:
        return [each for each in self.children(parent) if each.qty_ordered > 0]

    def whole_of(self, row: OrderLine) -> OrderLine | None:
        """Return the row that carries the price of another: a bundle's that has its own."""
        parent = self.by_id.get(row.parent_item_id or 0)
        if parent is None or any(each.price > 0 for each in self.children(parent)):
            return None
        return parent

    def valued(self) -> Iterator[OrderLine]:
        """Yield the rows that carry value."""
        for row in self.by_id.values():
            children = self.children(row)
            is_sum = row.product_type == "bundle" and any(each.price > 0 for each in children)
            is_companion = row.parent_item_id is not None and self.whole_of(row) is not None
            if not is_sum and not is_companion:
                yield row


def _sorted(
    lines: Sequence[BilledLine], rows: _Rows
) -> tuple[BillDraft, dict[int, list[BilledLine]]]:
    """Return what lines mean, and those that are parts of bundles with a price of their own."""
    draft, parts = BillDraft(), dict[int, list[BilledLine]]()
    for line in lines:
        draft.gross += line.gross
        row = rows.named(line.reference)
        if row is None:
            _add_other(draft, line, rows.service_key(line.reference))
            continue
        whole = rows.whole_of(row)
        if whole is not None:
            parts.setdefault(whole.item_id, []).append(line)
        elif line.quantity > 0:
            item = row.item_id
            draft.quantities[item] = draft.quantities.get(item, _NOTHING) + line.quantity
            if line.net is not None:
                draft.nets[item] = draft.nets.get(item, _NOTHING) + line.net
        else:
            draft.beside += line.gross
    return draft, parts


def _add_other(draft: BillDraft, line: BilledLine, key: str) -> None:
    if key == SHIPPING_KEY:
        draft.freight += line.net or _NOTHING
        draft.freight_gross += line.gross
    elif key != ROUNDING_KEY:
        # The shop's own rows come to its total without any rounding.
        draft.beside += line.gross
        if not key:
            draft.unknown.append(line.lot)


def _parts_of(lines: Sequence[BilledLine], rows: _Rows, item: int) -> dict[int, Decimal]:
    sums: dict[int, Decimal] = {}
    for line in lines:
        row = rows.named(line.reference)
        if row is not None and row.parent_item_id == item:
            sums[row.item_id] = sums.get(row.item_id, _NOTHING) + line.quantity
    return sums
