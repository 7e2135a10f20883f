"""Sales orders of Finance & Operations: what is written, and what is read back.

The fields stand in both versions of each set that orders may use (`SalesOrderHeadersV3`
and `V4`, `SalesOrderLines` and `SalesOrderLinesV3`). Computed totals are a model of
their own, since the ERP computes them anew for each row that shows them.
"""

# ruff: noqa: N815 - the names are the wire's
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import ConfigDict, create_model

from pricing_proxy.d365.fo.bodies import Body
from pricing_proxy.d365.fo.models import Day, NoYes, Number, Row, Text


class SalesOrderHeaderBody(Body):
    """A header to create; reference field, number and stop are set by `SalesOrders`.

    It takes further members: fields that the ERP's customer has added, as texts.

    Attributes:
        DeliveryAddressCountryRegionId: F&O's own code, usually ISO 3166 alpha-3.
        DeliveryAddressCountryRegionISOCode: ISO 3166 alpha-2; give one of the two.
        OverrideSalesTax: True keeps the tax group that is sent.
        SkipCreateAutoCharges: True adds no charges of the ERP's own.
    """

    model_config = ConfigDict(extra="allow")

    OrderingCustomerAccountNumber: str
    InvoiceCustomerAccountNumber: str
    CurrencyCode: str
    LanguageId: str | None = None
    CustomersOrderReference: str | None = None
    CustomerRequisitionNumber: str | None = None
    SalesOrderOriginCode: str | None = None
    SalesOrderPoolId: str | None = None
    SalesOrderName: str | None = None
    Email: str | None = None
    ContactPersonId: str | None = None
    DeliveryModeCode: str | None = None
    DeliveryTermsCode: str | None = None
    RequestedShippingDate: date | None = None
    RequestedReceiptDate: date | None = None
    DefaultShippingSiteId: str | None = None
    DefaultShippingWarehouseId: str | None = None
    PaymentTermsName: str | None = None
    CustomerPaymentMethodName: str | None = None
    SalesTaxGroupCode: str | None = None
    OverrideSalesTax: bool | None = None
    ArePricesIncludingSalesTax: bool | None = None
    TaxExemptNumber: str | None = None
    TotalDiscountPercentage: Decimal | None = None
    SkipCreateAutoCharges: bool | None = None
    IsDeliveryAddressOrderSpecific: bool | None = None
    DeliveryAddressName: str | None = None
    DeliveryAddressDescription: str | None = None
    DeliveryAddressStreet: str | None = None
    DeliveryAddressCity: str | None = None
    DeliveryAddressZipCode: str | None = None
    DeliveryAddressStateId: str | None = None
    DeliveryAddressCountryRegionId: str | None = None
    DeliveryAddressCountryRegionISOCode: str | None = None


class SalesOrderLineBody(Body):
    """A line to add.

    Attributes:
        OrderLineReference: The shop's id of the line, by which it is found again.
        SalesPriceQuantity: How many units `SalesPrice` is for.
        LineDiscountAmount: Per unit of `SalesPriceQuantity`, as the ERP subtracts it.
    """

    OrderLineReference: str
    ItemNumber: str
    OrderedSalesQuantity: Decimal
    SalesPrice: Decimal | None = None
    SalesPriceQuantity: Decimal | None = None
    LineDiscountAmount: Decimal | None = None
    LineDiscountPercentage: Decimal | None = None
    LineAmount: Decimal | None = None
    SalesUnitSymbol: str | None = None
    ProductConfigurationId: str | None = None
    ProductColorId: str | None = None
    ProductSizeId: str | None = None
    ProductStyleId: str | None = None
    ProductVersionId: str | None = None
    CustomersLineNumber: int | None = None
    LineDescription: str | None = None
    ShippingSiteId: str | None = None
    ShippingWarehouseId: str | None = None
    SalesTaxGroupCode: str | None = None
    SalesTaxItemGroupCode: str | None = None
    OverrideSalesTax: bool | None = None
    DeliveryModeCode: str | None = None
    RequestedShippingDate: date | None = None
    RequestedReceiptDate: date | None = None
    SkipCreateAutoCharges: bool | None = None


class SalesOrderHeaderRow(Row):
    """A header as the ERP has it, without computed totals."""

    entity_set = "SalesOrderHeadersV3"
    key = ("dataAreaId", "SalesOrderNumber")

    dataAreaId: str
    SalesOrderNumber: str
    OrderingCustomerAccountNumber: Text
    InvoiceCustomerAccountNumber: Text
    CurrencyCode: Text
    LanguageId: Text
    CustomersOrderReference: Text
    CustomerRequisitionNumber: Text
    SalesOrderOriginCode: Text
    SalesOrderPoolId: Text
    SalesOrderName: Text
    Email: Text
    ContactPersonId: Text
    DeliveryModeCode: Text
    DeliveryTermsCode: Text
    RequestedShippingDate: Day
    RequestedReceiptDate: Day
    DefaultShippingSiteId: Text
    DefaultShippingWarehouseId: Text
    PaymentTermsName: Text
    CustomerPaymentMethodName: Text
    SalesTaxGroupCode: Text
    OverrideSalesTax: NoYes
    ArePricesIncludingSalesTax: NoYes
    TotalDiscountPercentage: Number
    SkipCreateAutoCharges: NoYes
    IsSalesProcessingStopped: NoYes
    IsDeliveryAddressOrderSpecific: NoYes
    DeliveryAddressName: Text
    DeliveryAddressStreet: Text
    DeliveryAddressCity: Text
    DeliveryAddressZipCode: Text
    DeliveryAddressStateId: Text
    DeliveryAddressCountryRegionId: Text
    DeliveryAddressCountryRegionISOCode: Text
    SalesOrderStatus: Text
    SalesOrderProcessingStatus: Text
    OrderCreationDateTime: Text


def header_row(more_fields: Iterable[str]) -> type[SalesOrderHeaderRow]:
    """Return the model of headers that are read with further fields, as texts."""
    more: dict[str, Any] = {
        name: (Text, ...) for name in more_fields if name not in SalesOrderHeaderRow.model_fields
    }
    if not more:
        return SalesOrderHeaderRow
    return create_model("SalesOrderHeaderRow", __base__=SalesOrderHeaderRow, **more)


class SalesOrderTotalsRow(Row):
    """What the ERP computes of an order; expensive, so read for single orders only.

    Attributes:
        OrderTotalAmount: With tax and charges.
    """

    entity_set = "SalesOrderHeadersV3"
    key = ("dataAreaId", "SalesOrderNumber")

    dataAreaId: str
    SalesOrderNumber: str
    AreTotalsCalculated: NoYes
    OrderTotalAmount: Number
    OrderTotalTaxAmount: Number
    OrderTotalChargesAmount: Number
    OrderTotalDiscountAmount: Number


class SalesOrderLineRow(Row):
    """A line as the ERP has it.

    Attributes:
        InventoryLotId: The ERP's own id of the line; returns name it.
        LineAmount: Net of discounts; tax included where the header's prices include it.
    """

    entity_set = "SalesOrderLinesV3"
    key = ("dataAreaId", "InventoryLotId")

    dataAreaId: str
    InventoryLotId: str
    SalesOrderNumber: str
    OrderLineReference: Text
    LineNumber: Number
    ItemNumber: Text
    ProductConfigurationId: Text
    ProductColorId: Text
    ProductSizeId: Text
    ProductStyleId: Text
    ProductVersionId: Text
    CustomersLineNumber: Number
    LineDescription: Text
    OrderedSalesQuantity: Number
    SalesUnitSymbol: Text
    SalesPrice: Number
    SalesPriceQuantity: Number
    LineDiscountAmount: Number
    LineDiscountPercentage: Number
    LineAmount: Number
    ShippingSiteId: Text
    ShippingWarehouseId: Text
    SalesTaxGroupCode: Text
    SalesTaxItemGroupCode: Text
    DeliveryModeCode: Text
    SalesOrderLineStatus: Text
