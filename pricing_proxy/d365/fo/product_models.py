"""What the ERP says of products beyond what prices need, for whoever shows them in a shop.

A released product belongs to a company; its shared product, with names, attributes and unit
rules, to none. Names per language stand in translations, not on the released product.
"""

# ruff: noqa: N815 - the names are the wire's
from datetime import datetime
from typing import ClassVar

from pricing_proxy.d365.fo.instants import Instant
from pricing_proxy.d365.fo.models import (
    Day,
    NoYes,
    Number,
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
    Row,
    Text,
)


class CatalogProductRow(ReleasedProductRow):
    """A row of `ReleasedProductsV2` with what a shop shows of it.

    Attributes:
        ProductNumber: The shared product, under which names and attributes are found.
        SellEndDate: The last day on which it is sold; None without one.
        NetProductWeight: Of one inventory unit; 0 is "not set".
    """

    SearchName: Text
    ProductSearchName: Text
    ProductGroupId: Text
    SellStartDate: Day
    SellEndDate: Day
    SalesSalesTaxItemGroupCode: Text
    NetProductWeight: Number
    TareProductWeight: Number


class CatalogVariantRow(ReleasedProductVariantRow):
    """A row of `ReleasedProductVariantsV2` with what a shop shows of it."""

    ProductName: Text
    ProductDescription: Text
    ProductSearchName: Text
    ProductLifecycleStateId: Text
    SalesSalesTaxItemGroupCode: Text


class CatalogOrderSettingsRow(OrderSettingsRow):
    """A row of `ProductDefaultOrderSettings`; quantities in the inventory unit, 0 is "not set"."""

    MinimumSalesOrderQuantity: Number
    MaximumSalesOrderQuantity: Number
    SalesQuantityMultiples: Number
    StandardSalesOrderQuantity: Number
    SalesSiteId: Text
    SalesWarehouseId: Text


class ProductTranslationRow(Row):
    """A row of `ProductTranslations`: a name in one language, such as "de" or "en-us"."""

    entity_set = "ProductTranslations"
    key = ("ProductNumber", "LanguageId")
    company_field = None
    shown_by = "ProductNumber"

    ProductNumber: str
    LanguageId: str
    ProductName: Text
    Description: Text


class NumberedBarcodeRow(Row):
    """A row of `ProductNumberIdentifiedBarcodes`: the same, by the number of the shared product."""

    entity_set = "ProductNumberIdentifiedBarcodes"
    key = (
        "dataAreaId",
        "ProductNumber",
        "ProductQuantityUnitSymbol",
        "BarcodeSetupId",
        "Barcode",
    )
    shown_by = "ProductNumber"

    dataAreaId: str
    ProductNumber: str
    ProductQuantityUnitSymbol: Text
    BarcodeSetupId: Text
    Barcode: str
    IsDefaultScannedBarcode: NoYes
    IsDefaultDisplayedBarcode: NoYes


class AttributeValueRow(Row):
    """A row of `ProductAttributeValuesV3`; `DataType` says which of the values is meant.

    Attributes:
        DataType: A member of `AttributeDataType`: "Text", "Decimal", "TrueFalse" and others.
    """

    entity_set = "ProductAttributeValuesV3"
    key = ("ProductNumber", "AttributeTypeName", "AttributeName")
    company_field = None
    shown_by = "ProductNumber"

    ProductNumber: str
    AttributeTypeName: str
    AttributeName: str
    DataType: Text
    TextValue: Text
    IntegerValue: Number
    DecimalValue: Number
    DateTimeValue: Day
    BooleanValue: NoYes
    CurrencyValue: Number
    CurrencyCode: Text
    UnitOfMeasure: Text


class UnitConversionRow(Row):
    """A row of `UnitOfMeasureConversions`, a rule for all products.

    Attributes:
        Factor: A quantity times this and `Numerator`, by `Denominator`, is one in the other unit.
        InnerOffset: For scales that begin elsewhere, such as temperatures; 0 for quantities.
    """

    entity_set = "UnitOfMeasureConversions"
    key: ClassVar[tuple[str, ...]] = ("FromUnitSymbol", "ToUnitSymbol")
    company_field = None
    shown_by = "FromUnitSymbol"

    FromUnitSymbol: str
    ToUnitSymbol: str
    Factor: Number
    Numerator: Number
    Denominator: Number
    InnerOffset: Number
    OuterOffset: Number
    Rounding: Text


class ProductUnitConversionRow(UnitConversionRow):
    """A row of `ProductUnitOfMeasureConversions`, a rule of one product, which wins."""

    entity_set = "ProductUnitOfMeasureConversions"
    key = ("FromUnitSymbol", "ToUnitSymbol", "ProductNumber")
    shown_by = "ProductNumber"

    ProductNumber: str


class ChangedItemRow(Row):
    """A row of `InventTableBiEntities`: when an item was changed; not every environment has it."""

    entity_set = "InventTableBiEntities"
    key = ("dataAreaId", "ItemId")
    shown_by = "ItemId"

    dataAreaId: str
    ItemId: str
    SysModifiedDateTime: Instant

    @property
    def changed_at(self) -> datetime | None:
        """When it was changed; None when the ERP does not say."""
        return self.SysModifiedDateTime
