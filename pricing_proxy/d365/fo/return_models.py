"""Return orders of Finance & Operations: what is written, and what is read back."""

# ruff: noqa: N815 - the names are the wire's
from datetime import date
from decimal import Decimal

from pricing_proxy.d365.fo.bodies import Body
from pricing_proxy.d365.fo.models import Day, Number, Row, Text


class ReturnHeaderBody(Body):
    """A return to create; the reference is set by `Returns`."""

    CustomerAccountNumber: str
    InvoiceCustomerAccountNumber: str | None = None
    CurrencyCode: str | None = None
    LanguageId: str | None = None
    CustomerRequisitionNumber: str | None = None
    CustomerReturnReasonCode: str | None = None
    ReturnDeadline: date | None = None
    DefaultReturnSiteId: str | None = None
    DefaultReturnWarehouseId: str | None = None
    Email: str | None = None


class ReturnLineBody(Body):
    """A line of a return.

    Attributes:
        ReturnSalesQuantity: Below zero.
        ReturningInventoryLotId: The lot of the order line that is returned.
        ReturnDispositionCode: What becomes of the goods, such as "Credit".
    """

    ItemNumber: str
    ReturnSalesQuantity: Decimal
    ReturningInventoryLotId: str | None = None
    SalesPrice: Decimal | None = None
    SalesUnitSymbol: str | None = None
    ReturnDispositionCode: str | None = None
    ReturnSiteId: str | None = None
    ReturnWarehouseId: str | None = None
    ProductConfigurationId: str | None = None
    ProductColorId: str | None = None
    ProductSizeId: str | None = None
    ProductStyleId: str | None = None
    ProductVersionId: str | None = None
    LineDescription: str | None = None


class ReturnHeaderRow(Row):
    """A return as the ERP has it.

    Attributes:
        ReturnOrderNumber: The sales order behind it.
        RMANumber: What the customer is told.
    """

    entity_set = "ReturnOrderHeadersV2"
    key = ("dataAreaId", "ReturnOrderNumber")

    dataAreaId: str
    ReturnOrderNumber: str
    RMANumber: Text
    CustomerAccountNumber: Text
    InvoiceCustomerAccountNumber: Text
    CustomersOrderReference: Text
    CustomerRequisitionNumber: Text
    CustomerReturnReasonCode: Text
    CurrencyCode: Text
    ReturnDeadline: Day
    DefaultReturnSiteId: Text
    DefaultReturnWarehouseId: Text
    ReturnStatus: Text


class ReturnLineRow(Row):
    """A line of a return as the ERP has it; quantities are below zero."""

    entity_set = "ReturnOrderLinesV2"
    key = ("dataAreaId", "ReturnOrderNumber", "ReturnInventoryLotId")

    dataAreaId: str
    ReturnOrderNumber: str
    ReturnInventoryLotId: str
    ReturningInventoryLotId: Text
    ItemNumber: Text
    ProductColorId: Text
    ProductSizeId: Text
    ProductStyleId: Text
    ProductConfigurationId: Text
    ProductVersionId: Text
    ReturnSalesQuantity: Number
    SalesUnitSymbol: Text
    SalesPrice: Number
    LineAmount: Number
    ReturnDispositionCode: Text
    ReturnSiteId: Text
    ReturnWarehouseId: Text
    ReturnStatus: Text
    RMANumber: Text
