"""What a warehouse does with orders: confirm, reserve, pick, ship by packing slips, close short.

Quantities are in the unit of the order's line, as on a packing slip. A stopped order is not
delivered. Services go with the first slip, as where a slip takes what is picked and all that no
stock knows. What becomes of a slip later is in `slip_changes`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pricing_proxy.clock import Clock
from pricing_proxy.sandbox.book import ZERO
from pricing_proxy.sandbox.documents.numbers import NumberSequence
from pricing_proxy.sandbox.documents.open_lines import OpenLines, Quantities
from pricing_proxy.sandbox.documents.posted import PICKING, SLIP_LINES, SLIPS, Posted
from pricing_proxy.sandbox.documents.rows import DocumentRow
from pricing_proxy.sandbox.row_values import day
from pricing_proxy.sandbox.stock.ledger import StockRefusedError

_FIRST_SLIP = 501
_FIRST_ROUTE = 301
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingSlip:
    """A posted packing slip, as far as it is of one order.

    Attributes:
        day: Its delivery date.
        quantities: What was shipped, by lot, in the unit of the line.
    """

    number: str
    order: str
    day: str
    quantities: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipTerms:
    """How a packing slip is posted.

    Attributes:
        number: Its number, which others may have too; by default the next one.
        day: Its delivery date; by default today.
        carrier: Who carries it.
        with_services: Whether services go along that are not named.
        is_over: Whether more may be delivered than was ordered.
    """

    number: str | None = None
    day: date | None = None
    carrier: str = ""
    with_services: bool = True
    is_over: bool = False


class Fulfilment:
    """What is done to open orders.

    Attributes:
        slips: All that were posted, as they were.
        lines: The lines of the orders.
        on_slip: Told of each new slip.
        on_order: Told of each order that is picked, or closed short.
    """

    def __init__(self, lines: OpenLines, posted: Posted, *, clock: Clock) -> None:
        self.slips: list[PackingSlip] = []
        self.lines = lines
        self.on_slip: Callable[[PackingSlip], None] = lambda _: None
        self.on_order: Callable[[str], None] = lambda _: None
        self._ledger = lines.ledger
        self._posted = posted
        self._clock = clock
        self._numbers = NumberSequence(_FIRST_SLIP)
        self._routes = NumberSequence(_FIRST_ROUTE)

    def reserve(self, order: str, quantities: Quantities) -> dict[str, Decimal]:
        """Keep what is free for lines; return how much of each is kept now."""
        for lot, most in self.lines.chosen(order, quantities, only_stocked=True).items():
            self._ledger.reserve(lot, None if most is None else self.lines.held(lot, most))
        return {lot: self._ledger.lines[lot].reserved for lot in self.lines.stocked(order)}

    def unreserve(self, order: str, quantities: Quantities) -> None:
        """Keep nothing for lines any more."""
        for lot in self.lines.chosen(order, quantities, only_stocked=True):
            self._ledger.unreserve(lot)

    def pick(self, order: str, quantities: Quantities) -> None:
        """Take lines out of stock; raises `StockRefusedError`."""
        self._require_going(order)
        for lot, quantity in self.lines.chosen(order, quantities, only_stocked=True).items():
            line = self._ledger.lines[lot]
            rest = line.open - line.picked
            self._ledger.pick(lot, rest if quantity is None else self.lines.held(lot, quantity))
        self._posted.add(
            PICKING,
            pickingRouteID=f"PR-{self._routes.next()}",
            transRefId=order,
            transType="Sales",
            expeditionStatus="Started",
            startDateTime=self._posted.now(),
            customer=self.lines.header(order)["OrderingCustomerAccountNumber"],
        )
        self.lines.prepare(order, "PickingList")
        self.on_order(order)

    def ship(
        self, order: str, quantities: Quantities, terms: SlipTerms = SlipTerms()
    ) -> PackingSlip:
        """Post a packing slip of one order; raises `StockRefusedError`."""
        return self.ship_together({order: quantities}, terms)[0]

    def ship_together(
        self,
        orders: Mapping[str, Quantities],
        terms: SlipTerms = SlipTerms(),
        *,
        is_summary: bool = False,
    ) -> list[PackingSlip]:
        """Post packing slips of several orders under one number.

        Args:
            orders: What to ship of each; nothing for all that is left.
            terms: How.
            is_summary: Whether there is one slip, under the first order, that the lines of the
                others are on too; else each order has its own of the same number.

        Returns:
            What was posted, by order.

        Raises:
            StockRefusedError: An order is stopped, or there is not enough, or nothing left.
        """
        number = terms.number or f"PS-{self._numbers.next()}"
        head = next(iter(orders))
        slips = []
        for order, quantities in orders.items():
            slip = self._shipped(order, quantities, terms, number)
            self._post(slip, terms, under=head if is_summary else order)
            slips.append(slip)
        for slip in slips:
            self._finish_picking(slip.order)
            self.lines.settle(slip.order)
        for slip in slips:
            self._remember(slip)
        return slips

    def close(self, order: str, quantities: Quantities) -> None:
        """Never deliver what is left of lines."""
        for lot in self.lines.chosen(order, quantities, only_stocked=False):
            if lot in self._ledger.lines:
                self._ledger.close(lot)
            self.lines.book(lot, closed=max(ZERO, self.lines.left(lot)))
        self.lines.settle(order)
        self.on_order(order)

    def _shipped(
        self, order: str, quantities: Quantities, terms: SlipTerms, number: str
    ) -> PackingSlip:
        self._require_going(order)
        asked = dict(self.lines.chosen(order, quantities, only_stocked=False))
        services = [lot for lot in self._lots(order) if lot not in self._ledger.lines]
        if terms.with_services:
            asked |= {lot: asked.get(lot) for lot in services}
        shipped: dict[str, Decimal] = {}
        for lot, quantity in asked.items():
            whole = self.lines.left(lot) if quantity is None else quantity
            if whole <= 0:
                continue
            self._deliver(lot, whole, is_over=terms.is_over)
            shipped[lot] = whole
        if not shipped.keys() - ({*services} - quantities.keys()) and self._has_goods(order):
            raise StockRefusedError("Nothing is left to deliver.")
        when = terms.day or self._clock.utc().date()
        return PackingSlip(number=number, order=order, day=f"{when}", quantities=shipped)

    def _deliver(self, lot: str, quantity: Decimal, *, is_over: bool) -> None:
        over = quantity - self.lines.left(lot)
        allowed = self.lines.row(lot)["AllowedOverdeliveryPercentage"] / _HUNDRED
        if (
            over > 0
            and not is_over
            and over > allowed * self.lines.row(lot)["OrderedSalesQuantity"]
        ):
            raise StockRefusedError("More than is left to deliver.")
        if lot in self._ledger.lines:
            if over > 0:
                self._ledger.allow(lot, self.lines.held(lot, over))
            self._ledger.ship(lot, self.lines.held(lot, quantity))
        self.lines.book(lot, delivered=quantity)

    def _has_goods(self, order: str) -> bool:
        return bool(self.lines.stocked(order))

    def _lots(self, order: str) -> list[str]:
        return [row["InventoryLotId"] for row in self.lines.of(order)]

    def _require_going(self, order: str) -> None:
        if self.lines.header(order)["IsSalesProcessingStopped"] == "Yes":
            raise StockRefusedError(f"Order {order} is stopped.")

    def _finish_picking(self, order: str) -> None:
        for route in self._posted.having(PICKING, "transRefId", order):
            if route["expeditionStatus"] == "Started":
                done = {"expeditionStatus": "Complete", "endDateTime": self._posted.now()}
                self._posted.change(PICKING, route, **done)

    def _remember(self, slip: PackingSlip) -> None:
        self.slips.append(slip)
        self.on_slip(slip)

    def _post(self, slip: PackingSlip, terms: SlipTerms, *, under: str) -> None:
        """Write a slip's rows, into the slip of another order where that one holds them all."""
        total = sum(slip.quantities.values(), ZERO)
        header = self.lines.header(slip.order)
        told = {"PackingSlipId": slip.number, "DeliveryDate": day(date.fromisoformat(slip.day))}
        mine = [
            row
            for row in self._posted.having(SLIPS, "SalesId", under)
            if under != slip.order and row["PackingSlipId"] == slip.number
        ]
        if mine:
            self._posted.change(SLIPS, mine[-1], Qty=mine[-1]["Qty"] + total)
        else:
            self._post_head(header, told, total, terms)
        for lot, quantity in slip.quantities.items():
            self._post_line(self.lines.row(lot), told, quantity, under)

    def _post_head(
        self, header: DocumentRow, told: Mapping[str, str], total: Decimal, terms: SlipTerms
    ) -> None:
        record = self._posted.record_id()
        self._posted.add(
            SLIPS,
            **told,
            SourceDocumentHeader=record,
            SourceKey=record,
            SalesId=header["SalesOrderNumber"],
            SalesType="Sales",
            DocumentDate=told["DeliveryDate"],
            OrderAccount=header["OrderingCustomerAccountNumber"],
            InvoiceAccount=header["InvoiceCustomerAccountNumber"],
            CustomerRef=header["CustomersOrderReference"],
            PurchaseOrder=header["CustomerRequisitionNumber"],
            DeliveryName=header["DeliveryAddressName"],
            DlvMode=header["DeliveryModeCode"],
            LanguageId=header["LanguageId"],
            ShipCarrierId=terms.carrier,
            inventLocationId=header["DefaultShippingWarehouseId"],
            Qty=total,
        )

    def _post_line(
        self, line: DocumentRow, told: Mapping[str, str], quantity: Decimal, under: str
    ) -> None:
        record, lot = self._posted.record_id(), line["InventoryLotId"]
        is_stocked = lot in self._ledger.lines
        self._posted.add(
            SLIP_LINES,
            **told,
            SourceDocumentLine=record,
            SourceKey=record,
            SalesId=under,
            OrigSalesId=line["SalesOrderNumber"],
            InventTransId=lot,
            ItemId=line["ItemNumber"],
            Name=line["LineDescription"],
            LineNum=line["LineNumber"],
            Ordered=line["OrderedSalesQuantity"],
            Qty=quantity,
            Remain=self.lines.left(lot),
            inventQty=self.lines.held(lot, quantity),
            SalesUnit=line["SalesUnitSymbol"],
            CurrencyCode=line["CurrencyCode"],
            PriceUnit=line["SalesPriceQuantity"],
            StockedProduct="Yes" if is_stocked else "No",
            SalesLineShippingDateRequested=line["RequestedShippingDate"],
            SalesLineShippingDateConfirmed=line["ConfirmedShippingDate"],
        )
