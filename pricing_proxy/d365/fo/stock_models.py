"""What the ERP says of stock: on hand by warehouse, and the open lines that want some of it."""

# ruff: noqa: N815 - the names are the wire's
from pricing_proxy.d365.fo.instants import Instant
from pricing_proxy.d365.fo.models import NoYes, Number, Row, Text


class OnHandRow(Row):
    """A row of `WarehousesOnHandV2`: one item or variant in one warehouse, in its inventory unit.

    A warehouse that never held it has no row.

    Attributes:
        OnHandQuantity: Physically there, less what is picked.
        ReservedOnHandQuantity: Of that, for which lines it is kept.
        AvailableOnHandQuantity: The difference; below zero where more left than was there.
        OrderedQuantity: On its way here.
        ReservedOrderedQuantity: Of that, for which lines it is kept.
        OnOrderQuantity: Wanted by lines for which nothing is kept.
    """

    entity_set = "WarehousesOnHandV2"
    key = (
        "dataAreaId",
        "ItemNumber",
        "ProductColorId",
        "ProductConfigurationId",
        "ProductSizeId",
        "ProductStyleId",
        "ProductVersionId",
        "InventorySiteId",
        "InventoryWarehouseId",
    )
    shown_by = "ItemNumber"

    dataAreaId: str
    ItemNumber: str
    ProductColorId: Text
    ProductConfigurationId: Text
    ProductSizeId: Text
    ProductStyleId: Text
    ProductVersionId: Text
    InventorySiteId: Text
    InventoryWarehouseId: Text
    OnHandQuantity: Number
    ReservedOnHandQuantity: Number
    AvailableOnHandQuantity: Number
    OrderedQuantity: Number
    ReservedOrderedQuantity: Number
    AvailableOrderedQuantity: Number
    OnOrderQuantity: Number
    TotalAvailableQuantity: Number
    AreWarehouseManagementProcessesUsed: NoYes


class WarehouseRow(Row):
    """A row of `Warehouses`.

    Attributes:
        WarehouseType: A member of `InventLocationType`: "Standard", "Quarantine", "Transit" …
    """

    entity_set = "Warehouses"
    key = ("dataAreaId", "WarehouseId")
    shown_by = "WarehouseId"

    dataAreaId: str
    WarehouseId: str
    WarehouseName: Text
    OperationalSiteId: Text
    WarehouseType: Text


class DemandLineRow(Row):
    """A line of a sales order as stock sees it: what of which item it takes from where.

    Attributes:
        OrderedSalesQuantity: As ordered, in `SalesUnitSymbol`; how much of it is left to deliver
            stands in `RemainingLineRow`, where the ERP has that.
        SalesOrderLineStatus: "Backorder" while any of it is to be delivered.
    """

    entity_set = "SalesOrderLinesV3"
    key = ("dataAreaId", "InventoryLotId")
    shown_by = "InventoryLotId"

    dataAreaId: str
    InventoryLotId: str
    SalesOrderNumber: str
    OrderLineReference: Text
    ItemNumber: Text
    ProductColorId: Text
    ProductConfigurationId: Text
    ProductSizeId: Text
    ProductStyleId: Text
    ProductVersionId: Text
    OrderedSalesQuantity: Number
    SalesUnitSymbol: Text
    ShippingSiteId: Text
    ShippingWarehouseId: Text
    SalesOrderLineStatus: Text


class RemainingLineRow(Row):
    """A row of `SalesLineBiEntities`: what is left of a line; not every environment has it.

    Attributes:
        InventTransId: The line's lot, `InventoryLotId` elsewhere.
        RemainSalesPhysical: To be delivered, in the sales unit.
        RemainInventPhysical: Likewise, in the inventory unit.
        RemainSalesFinancial: Delivered and not invoiced, in the sales unit.
    """

    entity_set = "SalesLineBiEntities"
    key = ("dataAreaId", "SalesId", "LineCreationSequenceNumber")
    shown_by = "InventTransId"

    dataAreaId: str
    SalesId: str
    LineCreationSequenceNumber: Number
    InventTransId: Text
    ItemId: Text
    SalesQty: Number
    RemainSalesPhysical: Number
    RemainInventPhysical: Number
    RemainSalesFinancial: Number
    SalesStatus: Text
    SysModifiedDateTime: Instant
