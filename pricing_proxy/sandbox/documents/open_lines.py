"""Order lines as whoever delivers and invoices them sees them: what is left of each.

Quantities are in the unit of the line. Statuses follow as F&O derives them: a line is open until
all of it is delivered or given up, and an order is what its lines are together; the last document
that was posted makes the rest of it (`PROCESSING`). Services count, though no stock knows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from pricing_proxy.sandbox.book import ZERO
from pricing_proxy.sandbox.documents.demand import scaled
from pricing_proxy.sandbox.documents.orders import SalesOrderBook
from pricing_proxy.sandbox.documents.rows import DocumentRow, UndoLog
from pricing_proxy.sandbox.stock.ledger import StockLedger, StockRefusedError

Quantities = Mapping[str, Decimal | None]
"""By lot; None for all that is left."""

PROCESSING: Mapping[tuple[str, str], str] = {
    ("Backorder", "None"): "Active",
    ("Backorder", "Confirmation"): "Confirmed",
    ("Backorder", "PickingList"): "Picked",
    ("Backorder", "PackingSlip"): "PartiallyDelivered",
    ("Delivered", "PackingSlip"): "Delivered",
    ("Invoiced", "Invoice"): "Invoiced",
    ("Delivered", "Invoice"): "PartiallyInvoiced",
    # In no table of F&O's documentation: the members' names leave no other.
    ("Backorder", "Invoice"): "PartiallyInvoiced",
}
"""`SalesOrderProcessingStatus` by SalesStatus and DocumentStatus; what is cancelled is Canceled."""

_PREPARED = "PreparedDocument"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What happened to a line; below zero for one that takes back.

    Attributes:
        closed: Given up: never to be delivered.
    """

    delivered: Decimal = ZERO
    invoiced: Decimal = ZERO
    closed: Decimal = ZERO


class OpenLines:
    """The lines of all orders."""

    def __init__(self, orders: SalesOrderBook, ledger: StockLedger, *, undo: UndoLog) -> None:
        self.orders = orders
        self.ledger = ledger
        self._undo = undo
        self._done: dict[str, Done] = {}

    def header(self, order: str) -> DocumentRow:
        """Return an order's header; raises `StockRefusedError` where there is none."""
        found = self.orders.headers.having("SalesOrderNumber", order)
        if not found:
            raise StockRefusedError(f"There is no order {order}.")
        return found[0]

    def of(self, order: str) -> list[DocumentRow]:
        """Return an order's lines."""
        return self.orders.lines_of(self.header(order))

    def row(self, lot: str) -> DocumentRow:
        """Return a line."""
        [row] = self.orders.lines.having("InventoryLotId", lot)
        return row

    def stocked(self, order: str) -> list[str]:
        """Return the lots of the lines that stock knows."""
        lots = (line["InventoryLotId"] for line in self.of(order))
        return [lot for lot in lots if lot in self.ledger.lines]

    def chosen(self, order: str, quantities: Quantities, *, only_stocked: bool) -> Quantities:
        """Return what is asked for: all lines where none is named.

        Raises:
            StockRefusedError: A lot is none of the order's.
        """
        mine = [line["InventoryLotId"] for line in self.of(order)]
        if only_stocked:
            mine = self.stocked(order)
        for lot in quantities:
            if lot not in mine:
                known = " that stock knows" if only_stocked else ""
                raise StockRefusedError(f"{lot} is no line of {order}{known}.")
        return quantities or dict.fromkeys(mine)

    def done(self, lot: str) -> Done:
        """Return what happened to a line."""
        return self._done.get(lot, Done())

    def left(self, lot: str) -> Decimal:
        """Return what is still to be delivered of a line."""
        done = self.done(lot)
        ordered: Decimal = self.row(lot)["OrderedSalesQuantity"]
        return ordered - done.delivered - done.closed

    def held(self, lot: str, quantity: Decimal) -> Decimal:
        """Return a quantity of a line in the inventory unit; as it is for a service."""
        stocked = self.ledger.lines.get(lot)
        if stocked is None:
            return quantity
        ordered = self.row(lot)["OrderedSalesQuantity"]
        return scaled(quantity, Fraction(stocked.quantity) / Fraction(ordered))

    def book(
        self,
        lot: str,
        *,
        delivered: Decimal = ZERO,
        invoiced: Decimal = ZERO,
        closed: Decimal = ZERO,
    ) -> None:
        """Add to what happened to a line."""
        before = self._done.get(lot)
        old = before or Done()
        self._done[lot] = replace(
            old,
            delivered=old.delivered + delivered,
            invoiced=old.invoiced + invoiced,
            closed=old.closed + closed,
        )

        def take_back() -> None:
            if before is None:
                self._done.pop(lot)
            else:
                self._done[lot] = before

        self._undo.add(take_back)

    def prepare(self, order: str, document: str) -> None:
        """Note that an order was confirmed or picked."""
        header = self.header(order)
        if header.get(_PREPARED) != "PickingList":
            self.orders.headers.put(header.changed({_PREPARED: document}))
        self.settle(order)

    def settle(self, order: str) -> None:
        """Give lines and header the statuses that follow, and the time of now."""
        for row in self.of(order):
            self._settle_line(row)
        header, lots = self.header(order), [row["InventoryLotId"] for row in self.of(order)]
        done = [self.done(lot) for lot in lots]
        document = str(header.get(_PREPARED, "None"))
        if any(one.delivered for one in done):
            document = "PackingSlip"
        if any(one.invoiced for one in done):
            document = "Invoice"
        status = self._status_of(order)
        processing = PROCESSING.get((status, document), status)
        told = {"SalesOrderProcessingStatus": processing, "DocumentStatus": document}
        self.orders.headers.put(header.changed({**told, "SalesOrderStatus": status}))

    def _settle_line(self, row: DocumentRow) -> None:
        lot = row["InventoryLotId"]
        done, left = self.done(lot), self.left(lot)
        status = "Backorder"
        if left <= 0:
            is_invoiced = abs(done.invoiced) >= abs(done.delivered)
            delivered = "Invoiced" if is_invoiced else "Delivered"
            status = delivered if done.delivered else "Canceled"
        told = {
            "SalesOrderLineStatus": status,
            "RemainSalesPhysical": left,
            "RemainSalesFinancial": done.delivered - done.invoiced,
            "QtyOrdered": self.held(lot, row["OrderedSalesQuantity"]),
        }
        if any(row.get(name) != value for name, value in told.items()):
            self.orders.lines.put(row.changed(told))

    def _status_of(self, order: str) -> str:
        told = {row["SalesOrderLineStatus"] for row in self.of(order)}
        for status in ("Backorder", "Delivered", "Invoiced"):
            if status in told:
                return status
        return "Canceled"
