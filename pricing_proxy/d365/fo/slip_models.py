"""What the ERP says of how far an order is: its status, its packing slips, its parcels.

The sets `…BiEntities` are there for analytics, and not in every environment.
"""

# ruff: noqa: N815 - the names are the wire's
from pricing_proxy.d365.fo.instants import Instant
from pricing_proxy.d365.fo.models import Day, Number, Row, Text


class OrderStatusRow(Row):
    """A header of a sales order as far as it moves.

    Attributes:
        SalesOrderStatus: "Backorder" while any of it is to be delivered.
        SalesOrderProcessingStatus: Says more: "Picked", "PartiallyDelivered" …
        ConfirmedShippingDate: Of the header; a line may be promised for another day.
    """

    entity_set = "SalesOrderHeadersV3"
    key = ("dataAreaId", "SalesOrderNumber")
    shown_by = "SalesOrderNumber"

    dataAreaId: str
    SalesOrderNumber: str
    SalesOrderStatus: Text
    SalesOrderProcessingStatus: Text
    ConfirmedShippingDate: Day


class OrderChangeRow(Row):
    """A row of `SalesTableBiEntities`: when an order was last changed."""

    entity_set = "SalesTableBiEntities"
    key = ("dataAreaId", "SalesId")
    shown_by = "SalesId"

    dataAreaId: str
    SalesId: str
    SysModifiedDateTime: Instant


class PackingSlipRow(Row):
    """A row of `CustPackingSlipJourBiEntities`: a posted packing slip of one order.

    Attributes:
        PackingSlipId: What people call it; several orders' slips may share one.
        inventLocationId: The warehouse that it was posted for.
        ShipCarrierId: Who takes it; empty where only the mode of delivery says so.
    """

    entity_set = "CustPackingSlipJourBiEntities"
    key = ("dataAreaId", "SourceDocumentHeader")
    shown_by = "PackingSlipId"

    dataAreaId: str
    SalesId: Text
    PackingSlipId: Text
    DeliveryDate: Day
    inventLocationId: Text
    ShipCarrierId: Text
    DlvMode: Text


class PackingSlipLineRow(Row):
    """A row of `CustPackingSlipTransBiEntities`: what one slip delivered of one line.

    Attributes:
        SalesId: The order that the slip is filed under.
        OrigSalesId: The line's own order, which is another one where a slip is of several.
        InventTransId: The line's lot, `InventoryLotId` elsewhere.
        Qty: In the line's sales unit.
    """

    entity_set = "CustPackingSlipTransBiEntities"
    key = ("dataAreaId", "SourceDocumentLine")
    shown_by = "PackingSlipId"

    dataAreaId: str
    SourceDocumentLine: Number
    SalesId: Text
    OrigSalesId: Text
    PackingSlipId: Text
    DeliveryDate: Day
    InventTransId: Text
    Qty: Number
    CreatedOn: Instant

    @property
    def order(self) -> str:
        """The order that it delivered of."""
        return self.OrigSalesId or self.SalesId


class TrackingRow(Row):
    """A row of `PackingSlipTrackingInformation`: one parcel of a packing slip."""

    entity_set = "PackingSlipTrackingInformation"
    key = ("dataAreaId", "SalesOrderNumber", "PackingSlipNumber", "DeliveryDate", "TrackingNumber")
    shown_by = "PackingSlipNumber"

    dataAreaId: str
    SalesOrderNumber: str
    PackingSlipNumber: str
    DeliveryDate: Day
    TrackingNumber: str
