"""What becomes of a posted packing slip: parcels get numbers, and quantities are corrected.

A correction changes the slip's rows in their place and leaves a version; a cancelled slip is one
that was corrected to nothing. What was taken back is in stock again, and open.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

from pricing_proxy.sandbox.book import ZERO
from pricing_proxy.sandbox.documents.open_lines import OpenLines
from pricing_proxy.sandbox.documents.posted import (
    CARRIERS,
    SLIP_LINES,
    SLIP_VERSIONS,
    SLIPS,
    TRACKING,
    Posted,
)
from pricing_proxy.sandbox.documents.rows import DocumentRow
from pricing_proxy.sandbox.stock.ledger import StockRefusedError


class SlipChanges:
    """Changes posted slips.

    Attributes:
        on_parcel: Told of each parcel's number, as its row.
        on_order: Told of each order whose slip was corrected.
    """

    def __init__(self, lines: OpenLines, posted: Posted) -> None:
        self.on_parcel: Callable[[DocumentRow], None] = lambda _: None
        self.on_order: Callable[[str], None] = lambda _: None
        self._lines = lines
        self._posted = posted

    def track(self, order: str, parcel: str, *, slip: str | None, url: str | None) -> DocumentRow:
        """Give a parcel of an order's slip its number; raises `StockRefusedError`.

        Args:
            order: The order.
            parcel: The carrier's number.
            slip: The slip's number; by default the order's last one.
            url: Where it is followed; by default as the slip's carrier has it.
        """
        line = self._lines_of(order, slip)[-1]
        head = self._head(line)
        [*carriers] = self._posted.having(CARRIERS, "CarrierId", head["ShipCarrierId"])
        template = carriers[0]["ShippingCarrierTrackingURL"] if carriers else ""
        row = self._posted.add(
            TRACKING,
            # As the slip is filed, which of several orders is the first.
            SalesOrderNumber=head["SalesId"],
            PackingSlipNumber=line["PackingSlipId"],
            DeliveryDate=line["DeliveryDate"],
            TrackingNumber=parcel,
            TrackingURL=template.replace("%1", parcel) if url is None else url,
        )
        self.on_parcel(row)
        return row

    def correct(
        self, order: str, quantities: Mapping[str, Decimal], *, slip: str | None
    ) -> DocumentRow:
        """Say what was really on a slip, as far as it is of an order; return the slip's head.

        Args:
            order: The order.
            quantities: What is right, by lot; nothing cancels the slip.
            slip: The slip's number; by default the order's last one.

        Raises:
            StockRefusedError: There is no such slip, more is said than it holds, or some of it is
                invoiced.
        """
        lines = {row["InventTransId"]: row for row in self._lines_of(order, slip)}
        gone = ZERO
        for lot in quantities or lines:
            if lot not in lines:
                raise StockRefusedError(f"{lot} is no line of the slip.")
            gone += self._correct_line(lines[lot], quantities.get(lot, ZERO))
        self._lines.settle(order)
        head = self._head(next(iter(lines.values())))
        changed = self._posted.change(SLIPS, head, Qty=head["Qty"] - gone)
        self._posted.add(
            SLIP_VERSIONS,
            CustPackingSlipJour=head["SourceDocumentHeader"],
            VersionDateTime=self._posted.now(),
            Qty=changed["Qty"],
        )
        self.on_order(order)
        return changed

    def _correct_line(self, row: DocumentRow, right: Decimal) -> Decimal:
        """Return how much less a line of a slip holds now."""
        lot = row["InventTransId"]
        less: Decimal = row["Qty"] - right
        done = self._lines.done(lot)
        if less < 0 or right < 0:
            raise StockRefusedError(f"The slip holds {row['Qty']:f} of {lot}.")
        if done.delivered - less < done.invoiced:
            raise StockRefusedError(f"{done.invoiced:f} of {lot} are invoiced.")
        if lot in self._lines.ledger.lines:
            self._lines.ledger.unship(lot, self._lines.held(lot, less))
        self._lines.book(lot, delivered=-less)
        self._posted.change(
            SLIP_LINES,
            row,
            Qty=right,
            inventQty=self._lines.held(lot, right),
            Remain=self._lines.left(lot),
        )
        return less

    def _lines_of(self, order: str, slip: str | None) -> list[DocumentRow]:
        """Return the lines of an order's slip, of its last one where none is named."""
        rows = self._posted.having(SLIP_LINES, "OrigSalesId", order)
        name = rows[-1]["PackingSlipId"] if rows and slip is None else slip
        found = [row for row in rows if row["PackingSlipId"] == name]
        if not found:
            raise StockRefusedError(f"Order {order} has no packing slip {slip or 'yet'}.")
        day = found[-1]["DeliveryDate"]
        return [row for row in found if row["DeliveryDate"] == day]

    def _head(self, line: DocumentRow) -> DocumentRow:
        heads = self._posted.having(SLIPS, "SalesId", line["SalesId"])
        same = ("PackingSlipId", "DeliveryDate")
        return next(
            head for head in reversed(heads) if all(head[name] == line[name] for name in same)
        )
