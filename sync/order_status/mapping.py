"""What a packing slip ships of an order of the shop: lots become lines, warehouses sources. Pure.

The ERP's line names the shop's row that carried its value (`sales.value_lines`), which is not
always the one that the shop ships:

    any other row                    itself
    a configurable                   itself; its variant says what leaves the source
    a virtual row, a service line    nothing
    a bundle, or a part of one       the bundle where it is shipped together, else its parts

Which of the two a bundle is the shop's order does not say, so both are given. Parts that the ERP
delivers one by one make a whole bundle once the last of them is delivered, by whatever slip.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pricing_proxy.names import same_name_key
from sync.magento.reserving_models import ReservingLine, ReservingOrder
from sync.sales.order_rows import NamedRows, whole_bundles

VERSION = 1
"""Raised when the same slip would become another shipment."""

_NOTHING = Decimal(0)
_WHOLE = Decimal(1)
Quantities = Mapping[int, Decimal]
"""By the shop's id of an order's row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipLine:
    """What a slip delivered of one line of the ERP's order.

    Attributes:
        lot: The line's.
        reference: What the ERP's line says of the shop's row; empty for one that nobody knows.
        warehouse: From where; empty where the line names none.
        quantity: In the line's sales unit.
    """

    lot: str
    reference: str
    warehouse: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleDelivery:
    """What a slip delivered of a bundle.

    Attributes:
        parent: The shop's row of the bundle.
        bundles: How many whole ones may be shipped together now.
        parts: How much of each part was delivered.
    """

    parent: ReservingLine
    bundles: Decimal
    parts: Quantities


@dataclass(slots=True, kw_only=True)
class SourceDelivery:
    """What leaves one source.

    Attributes:
        plain: Of rows that are shipped as they are.
        bundles: Of bundles.
    """

    plain: dict[int, Decimal] = field(default_factory=dict)
    bundles: list[BundleDelivery] = field(default_factory=list)

    def quantities(self, separately: Iterable[int]) -> dict[int, Decimal]:
        """Return what is shipped of each row.

        Args:
            separately: The bundles whose parts are shipped by themselves, by their rows.
        """
        apart = set(separately)
        wanted = dict(self.plain)
        for bundle in self.bundles:
            is_apart = bundle.parent.item_id in apart
            shipped = bundle.parts if is_apart else {bundle.parent.item_id: bundle.bundles}
            for item, quantity in shipped.items():
                wanted[item] = wanted.get(item, _NOTHING) + quantity
        return {item: quantity for item, quantity in wanted.items() if quantity > 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipDraft:
    """What a slip becomes.

    Attributes:
        sources: By the code of the source that it leaves from.
        unknown: Lots that are no row of the shop's order.
        unmapped: Warehouses that fill no source.
    """

    sources: Mapping[str, SourceDelivery]
    unknown: Sequence[str]
    unmapped: Sequence[str]


def map_slip(
    slip: Sequence[SlipLine],
    delivered: Sequence[SlipLine],
    order: ReservingOrder,
    *,
    warehouses: Mapping[str, str],
) -> SlipDraft:
    """Return what a slip ships.

    Args:
        slip: Its lines.
        delivered: The lines of all slips of the order, its own among them.
        order: As the shop has it.
        warehouses: The source that each fills, by what all spellings of it share; empty where the
            shop has one source alone, which is not named then.
    """
    rows, mapped = _Rows(order), _Mapped()
    for line in slip:
        row = rows.named(line.reference)
        if row is None:
            if not rows.is_service(line.reference):
                mapped.unknown.append(line.lot)
        elif line.quantity > 0 and not row.is_virtual:
            source = warehouses.get(same_name_key(line.warehouse), "")
            if warehouses and not source:
                mapped.unmapped.append(line.warehouse)
            else:
                mapped.add(rows, row, source, line.quantity)
    for item, shares in mapped.bundles.items():
        for source, delivery in _bundle(rows, item, shares, delivered):
            mapped.source(source).bundles.append(delivery)
    return SlipDraft(sources=mapped.sources, unknown=mapped.unknown, unmapped=mapped.unmapped)


def left_to_ship(row: ReservingLine) -> Decimal:
    """Return how much of a row the shop still lets anybody ship."""
    gone = max(row.qty_shipped, row.qty_refunded)
    return max(_NOTHING, row.qty_ordered - gone - row.qty_canceled)


def stock_of(order: ReservingOrder, quantities: Quantities) -> dict[int, Decimal]:
    """Return what leaves the source when rows are shipped: by the rows that name the products."""
    rows = _Rows(order)
    leaves: dict[int, Decimal] = {}
    for item, quantity in quantities.items():
        row = rows.by_id[item]
        for part, each in rows.stocked(row, quantity):
            leaves[part.item_id] = leaves.get(part.item_id, _NOTHING) + each
    return leaves


@dataclass(slots=True)
class _Mapped:
    """What is known of a slip so far; of bundles, what of which part left which source."""

    sources: dict[str, SourceDelivery] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)
    bundles: dict[int, list[tuple[str, ReservingLine, Decimal]]] = field(default_factory=dict)

    def source(self, code: str) -> SourceDelivery:
        return self.sources.setdefault(code, SourceDelivery())

    def add(self, rows: "_Rows", row: ReservingLine, source: str, quantity: Decimal) -> None:
        if (bundle := rows.bundle_of(row)) is not None:
            self.bundles.setdefault(bundle.item_id, []).append((source, row, quantity))
        else:
            plain = self.source(source).plain
            plain[row.item_id] = plain.get(row.item_id, _NOTHING) + quantity


class _Rows(NamedRows[ReservingLine]):
    """An order's rows, with those that hang together."""

    def __init__(self, order: ReservingOrder) -> None:
        super().__init__(order.increment_id, order.items)

    def parent(self, row: ReservingLine) -> ReservingLine | None:
        return self.by_id.get(row.parent_item_id or 0)

    def bundle_of(self, row: ReservingLine) -> ReservingLine | None:
        """Return the bundle that a row is, or is a part of."""
        for each in (row, self.parent(row)):
            if each is not None and each.product_type == "bundle":
                return each
        return None

    def parts(self, parent: ReservingLine) -> list[ReservingLine]:
        """Return what of a row's parts is shipped at all."""
        its = (row for row in self.by_id.values() if row.parent_item_id == parent.item_id)
        return [row for row in its if not row.is_virtual and row.qty_ordered > 0]

    def stocked(
        self, row: ReservingLine, quantity: Decimal
    ) -> Iterator[tuple[ReservingLine, Decimal]]:
        parts = self.parts(row)
        if not parts:
            yield row, quantity
        for part in parts:
            # A configurable's variant has the same quantity, as its parent says.
            share = part.qty_ordered / row.qty_ordered if row.product_type == "bundle" else _WHOLE
            yield part, quantity * share


def _bundle(
    rows: _Rows,
    item: int,
    shares: Sequence[tuple[str, ReservingLine, Decimal]],
    delivered: Sequence[SlipLine],
) -> Iterator[tuple[str, BundleDelivery]]:
    """Yield what each source delivers of a bundle; whole ones leave from the first alone."""
    parent = rows.by_id[item]
    sold_whole = [quantity for _, row, quantity in shares if row is parent]
    whole = sum(sold_whole, _NOTHING) if sold_whole else _completed(rows, parent, delivered)
    by_source: dict[str, dict[int, Decimal]] = {}
    for source, row, quantity in shares:
        parts = by_source.setdefault(source, {})
        each = rows.stocked(row, quantity) if row is parent else [(row, quantity)]
        for part, of_it in each:
            parts[part.item_id] = parts.get(part.item_id, _NOTHING) + of_it
    for source, parts in by_source.items():
        yield source, BundleDelivery(parent=parent, bundles=whole, parts=parts)
        whole = _NOTHING


def _completed(rows: _Rows, parent: ReservingLine, delivered: Sequence[SlipLine]) -> Decimal:
    """Return of how many bundles all parts are delivered that are not shipped yet."""
    sums: dict[int, Decimal] = {}
    for line in delivered:
        row = rows.named(line.reference)
        if row is not None:
            sums[row.item_id] = sums.get(row.item_id, _NOTHING) + line.quantity
    return max(_NOTHING, whole_bundles(parent, rows.parts(parent), sums) - parent.qty_shipped)
