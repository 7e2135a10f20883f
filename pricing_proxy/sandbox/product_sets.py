"""The entity sets of products: names, keys, enums, and how their rows are made."""

from pricing_proxy.sandbox import product_rows
from pricing_proxy.sandbox.entity_sets import Listing, listed

_ITEM = ("dataAreaId", "ItemNumber")
_DIMENSIONS = (
    "ProductConfigurationId",
    "ProductSizeId",
    "ProductColorId",
    "ProductStyleId",
    "ProductVersionId",
)
_BARCODE = ("ProductQuantityUnitSymbol", "BarcodeSetupId", "Barcode")
_BARCODE_ENUMS = {
    "IsDefaultScannedBarcode": "NoYes",
    "IsDefaultPrintedBarcode": "NoYes",
    "IsDefaultDisplayedBarcode": "NoYes",
}

PRODUCT_SETS = (
    listed(
        "ReleasedProductsV2",
        "products",
        _ITEM,
        Listing(
            entries=product_rows.released_items,
            row=product_rows.released_row,
            key=product_rows.item_key,
            lead="ItemNumber",
        ),
        ProductType="EcoResProductType",
        ProductSubType="EcoResProductSubtype",
        IsSalesPriceIncludingCharges="NoYes",
        WillTotalSalesDiscountCalculationIncludeProduct="NoYes",
    ),
    listed(
        "ReleasedProductVariantsV2",
        "variants",
        ("dataAreaId", "ProductMasterNumber", *_DIMENSIONS),
        Listing(
            entries=product_rows.variants,
            row=product_rows.variant_row,
            key=product_rows.variant_key,
            lead="ProductMasterNumber",
            also="ProductVariantNumber",
            also_of=lambda variant: variant.number,
        ),
    ),
    listed(
        "ProductDefaultOrderSettings",
        "order_settings",
        _ITEM,
        Listing(
            entries=product_rows.released_items,
            row=product_rows.order_settings_row,
            key=product_rows.item_key,
            lead="ItemNumber",
        ),
        IsSalesProcessingStopped="NoYes",
        IsSalesSiteMandatory="NoYes",
        IsSalesWarehouseMandatory="NoYes",
    ),
    listed(
        "ProductsV2",
        "shared_products",
        ("ProductNumber",),
        Listing(
            entries=product_rows.products,
            row=product_rows.shared_row,
            key=lambda product: (product.number,),
            lead="ProductNumber",
        ),
        ProductType="EcoResProductType",
        ProductSubType="EcoResProductSubtype",
    ),
    listed(
        "ProductTranslations",
        "translations",
        ("ProductNumber", "LanguageId"),
        Listing(
            entries=product_rows.translated,
            row=product_rows.translation_row,
            key=lambda entry: (entry[0].number, entry[1]),
            lead="ProductNumber",
        ),
    ),
    listed(
        "ProductBarcodesV3",
        "barcodes",
        (
            *_ITEM,
            "ProductConfigurationId",
            "ProductColorId",
            "ProductSizeId",
            "ProductStyleId",
            "ProductVersionId",
            *_BARCODE,
        ),
        Listing(
            entries=product_rows.coded,
            row=product_rows.barcode_row,
            key=product_rows.barcode_key,
            lead="ItemNumber",
        ),
        **_BARCODE_ENUMS,
    ),
    listed(
        "ProductNumberIdentifiedBarcodes",
        "numbered_barcodes",
        ("dataAreaId", "ProductNumber", *_BARCODE),
        Listing(
            entries=product_rows.coded,
            row=product_rows.numbered_barcode_row,
            key=lambda product: (product.number, product.item.sales_unit, "", ""),
            lead="ProductNumber",
        ),
        **_BARCODE_ENUMS,
    ),
    listed(
        "ProductAttributeValuesV3",
        "attribute_values",
        ("ProductNumber", "AttributeTypeName", "AttributeName"),
        Listing(
            entries=product_rows.attributed,
            row=product_rows.attribute_row,
            key=lambda entry: (entry[0].number, "", entry[1]),
            lead="ProductNumber",
        ),
        DataType="AttributeDataType",
        BooleanValue="NoYes",
    ),
)
