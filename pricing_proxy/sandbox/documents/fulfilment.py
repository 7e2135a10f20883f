"""What a warehouse does with orders: reserve, pick, ship by packing slips, close short.

Quantities are in the unit of the order's line, as on a packing slip. A stopped order is not
delivered. Statuses follow as F&O derives them: Picked, PartiallyDelivered, Delivered, Canceled.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from pricing_proxy.clock import Clock
from pricing_proxy.sandbox.book import ZERO
from pricing_proxy.sandbox.documents.demand import scaled
from pricing_proxy.sandbox.documents.numbers import NumberSequence
from pricing_proxy.sandbox.documents.orders import SalesOrderBook
from pricing_proxy.sandbox.documents.rows import DocumentRow
from pricing_proxy.sandbox.stock.ledger import StockLedger, StockLine, StockRefusedError

Quantities = Mapping[str, Decimal | None]
"""By lot; None for all that is left."""

_FIRST_SLIP = 501


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingSlip:
    """A posted packing slip.

    Attributes:
        day: Its delivery date.
        quantities: What was shipped, by lot, in the unit of the line.
    """

    number: str
    order: str
    day: str
    quantities: Mapping[str, Decimal]


class Fulfilment:
    """What is done to open orders.

    Attributes:
        slips: All that were posted.
    """

    def __init__(self, orders: SalesOrderBook, ledger: StockLedger, *, clock: Clock) -> None:
        self.slips: list[PackingSlip] = []
        self._orders = orders
        self._ledger = ledger
        self._clock = clock
        self._numbers = NumberSequence(_FIRST_SLIP)

    def reserve(self, order: str, quantities: Quantities) -> dict[str, Decimal]:
        """Keep what is free for lines; return how much of each is kept now."""
        for lot, most in self._asked(order, quantities).items():
            self._ledger.reserve(lot, None if most is None else self._held(lot, most))
        return {lot: self._ledger.lines[lot].reserved for lot in self._lots(order)}

    def unreserve(self, order: str, quantities: Quantities) -> None:
        """Keep nothing for lines any more."""
        for lot in self._asked(order, quantities):
            self._ledger.unreserve(lot)

    def pick(self, order: str, quantities: Quantities) -> None:
        """Take lines out of stock; raises `StockRefusedError`."""
        self._require_going(order)
        for lot, quantity in self._asked(order, quantities).items():
            line = self._ledger.lines[lot]
            rest = line.open - line.picked
            self._ledger.pick(lot, rest if quantity is None else self._held(lot, quantity))
        self._set_header(order, "Picked")

    def ship(self, order: str, quantities: Quantities) -> PackingSlip:
        """Post a packing slip; raises `StockRefusedError`."""
        self._require_going(order)
        shipped: dict[str, Decimal] = {}
        for lot, quantity in self._asked(order, quantities).items():
            line = self._ledger.lines[lot]
            held = line.open if quantity is None else self._held(lot, quantity)
            if held <= 0:
                continue
            self._ledger.ship(lot, held)
            shipped[lot] = scaled(held, 1 / self._factor(lot))
        if not shipped:
            raise StockRefusedError("Nothing is left to deliver.")
        slip = PackingSlip(
            number=f"PS-{self._numbers.next()}",
            order=order,
            day=f"{self._clock.utc():%Y-%m-%d}",
            quantities=shipped,
        )
        self.slips.append(slip)
        self._settle(order)
        return slip

    def close(self, order: str, quantities: Quantities) -> None:
        """Never deliver what is left of lines."""
        for lot in self._asked(order, quantities):
            self._ledger.close(lot)
        self._settle(order)

    def _asked(self, order: str, quantities: Quantities) -> Quantities:
        mine = self._lots(order)
        for lot in quantities:
            if lot not in mine:
                raise StockRefusedError(f"{lot} is no line of {order} that stock knows.")
        return quantities or dict.fromkeys(mine)

    def _lots(self, order: str) -> list[str]:
        lots = (line["InventoryLotId"] for line in self._lines(order))
        return [lot for lot in lots if lot in self._ledger.lines]

    def _lines(self, order: str) -> list[DocumentRow]:
        return self._orders.lines_of(self._header(order))

    def _header(self, order: str) -> DocumentRow:
        found = self._orders.headers.having("SalesOrderNumber", order)
        if not found:
            raise StockRefusedError(f"There is no order {order}.")
        return found[0]

    def _require_going(self, order: str) -> None:
        if self._header(order)["IsSalesProcessingStopped"] == "Yes":
            raise StockRefusedError(f"Order {order} is stopped.")

    def _held(self, lot: str, quantity: Decimal) -> Decimal:
        """Return a quantity of a line in the inventory unit."""
        return scaled(quantity, self._factor(lot))

    def _factor(self, lot: str) -> Fraction:
        [row] = self._orders.lines.having("InventoryLotId", lot)
        return Fraction(self._ledger.lines[lot].quantity) / Fraction(row["OrderedSalesQuantity"])

    def _settle(self, order: str) -> None:
        """Give the lines and the header the statuses that follow from what was delivered."""
        for row in self._lines(order):
            line = self._ledger.lines.get(row["InventoryLotId"])
            if line is not None and line.open <= 0:
                status = "Delivered" if line.shipped > 0 else "Canceled"
                self._orders.lines.put(row.changed({"SalesOrderLineStatus": status}))
        lines = [self._ledger.lines[lot] for lot in self._lots(order)]
        if any(line.open > 0 for line in lines):
            has_shipped = _any(lines, lambda line: line.shipped)
            self._set_header(order, "PartiallyDelivered" if has_shipped else "Active")
        elif _any(lines, lambda line: line.shipped):
            self._set_header(order, "Delivered", status="Delivered")
        else:
            self._set_header(order, "Canceled", status="Canceled")

    def _set_header(self, order: str, processing: str, *, status: str | None = None) -> None:
        values = {"SalesOrderProcessingStatus": processing}
        if status is not None:
            values["SalesOrderStatus"] = status
        self._orders.headers.put(self._header(order).changed(values))


def _any(lines: list[StockLine], quantity: Callable[[StockLine], Decimal]) -> bool:
    return any(quantity(line) > ZERO for line in lines)
