"""The rows of products under F&O's field names: released, shared, and what is said of each.

A row is made of its item when it is looked at. Spellings come from F&O's own metadata; a test
compares every set with it.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from pricing_proxy.sandbox.book import NO_DIMENSIONS, ZERO, Book, Dimensions, Item, Variant, fold
from pricing_proxy.sandbox.product_cards import ATTRIBUTE_TYPE, LANGUAGES, ProductCard
from pricing_proxy.sandbox.row_values import NULL_DATE, Row, day, no_yes
from pricing_proxy.sandbox.stock.places import DEFAULT_WAREHOUSE, WAREHOUSES

_BARCODE_SETUP = "EAN13"


class Product(NamedTuple):
    """An item, or a variant of a master, as shared products and barcodes know it."""

    number: str
    name: str
    item: Item
    dimensions: Dimensions
    sub_type: str


def released_items(book: Book) -> Iterator[Item]:
    """Yield the released masters and distinct products."""
    yield from book.items.values()


def variants(book: Book) -> Iterator[Variant]:
    """Yield the released variants."""
    yield from book.variants.values()


def products(book: Book) -> Iterator[Product]:
    """Yield every shared product: distinct, masters and variants."""
    for item in book.items.values():
        kind = "ProductMaster" if item.is_master else "Product"
        yield Product(item.number, item.name, item, NO_DIMENSIONS, kind)
    for each in book.variants.values():
        master = book.items.get(fold(each.item))
        if master is not None:
            yield Product(each.number, each.name, master, each.dimensions, "ProductVariant")


def translated(book: Book) -> Iterator[tuple[Product, str]]:
    """Yield every product with each language that it has a name in."""
    for product in products(book):
        card = book.cards.get(fold(product.number))
        for language in LANGUAGES if card is None else sorted(card.names):
            yield product, language


def coded(book: Book) -> Iterator[Product]:
    """Yield what is sold, and has a barcode."""
    for product in products(book):
        if product.sub_type != "ProductMaster" and _card(book, product).barcode:
            yield product


def attributed(book: Book) -> Iterator[tuple[Product, str]]:
    """Yield every product with each of its attributes' names."""
    for product in products(book):
        for name in sorted(_card(book, product).attributes):
            yield product, name


def item_key(item: Item) -> tuple[str, ...]:
    """Return the key of a released product."""
    return (item.number,)


def variant_key(variant: Variant) -> tuple[str, ...]:
    """Return the key of a released variant."""
    dimensions = variant.dimensions
    return (
        variant.item,
        dimensions.config,
        dimensions.size,
        dimensions.color,
        dimensions.style,
        dimensions.version,
    )


def barcode_key(product: Product) -> tuple[str, ...]:
    """Return the key of a barcode, each product having one."""
    dimensions = product.dimensions
    return (
        product.item.number,
        dimensions.config,
        dimensions.color,
        dimensions.size,
        dimensions.style,
        dimensions.version,
    )


def released_row(book: Book, item: Item) -> Row:
    """Return a row of `ReleasedProductsV2`."""
    card = book.card(item.number, item.name)
    name = _name(card)
    return {
        "dataAreaId": book.company,
        "ItemNumber": item.number,
        "ProductNumber": item.number,
        "SearchName": name,
        "ProductSearchName": name,
        "ProductType": "Item",
        "ProductSubType": "ProductMaster" if item.is_master else "Product",
        "ProductLifecycleStateId": card.state,
        "ProductGroupId": item.number.split("-")[0],
        "SellStartDate": day(card.sell_start),
        "SellEndDate": day(card.sell_end),
        "SalesUnitSymbol": item.sales_unit,
        "InventoryUnitSymbol": item.inventory_unit,
        "SalesPricingPrecision": 0,
        "SalesPrice": item.base_price,
        "SalesPriceQuantity": item.price_unit,
        "SalesPriceDate": NULL_DATE,
        "FixedSalesPriceCharges": item.charges,
        "SalesChargesQuantity": item.charges_quantity,
        "IsSalesPriceIncludingCharges": no_yes(item.charges_included),
        "SalesLineDiscountProductGroupCode": item.line_discount_group,
        "SalesMultilineDiscountProductGroupCode": item.multiline_discount_group,
        "WillTotalSalesDiscountCalculationIncludeProduct": no_yes(item.counts_for_total),
        "SalesSalesTaxItemGroupCode": card.tax_group,
        "NetProductWeight": card.weight,
        "TareProductWeight": ZERO,
    }


def variant_row(book: Book, variant: Variant) -> Row:
    """Return a row of `ReleasedProductVariantsV2`."""
    card, dimensions = book.card(variant.number, variant.name), variant.dimensions
    name = _name(card)
    return {
        "dataAreaId": book.company,
        "ProductMasterNumber": variant.item,
        "ProductConfigurationId": dimensions.config,
        "ProductSizeId": dimensions.size,
        "ProductColorId": dimensions.color,
        "ProductStyleId": dimensions.style,
        "ProductVersionId": dimensions.version,
        "ItemNumber": variant.item,
        "ProductVariantNumber": variant.number,
        "ProductName": name,
        "ProductDescription": "",
        "ProductSearchName": name,
        "ProductLifecycleStateId": card.state,
        "SalesSalesTaxItemGroupCode": card.tax_group,
    }


def order_settings_row(book: Book, item: Item) -> Row:
    """Return a row of `ProductDefaultOrderSettings`."""
    card = book.card(item.number, item.name)
    return {
        "dataAreaId": book.company,
        "ItemNumber": item.number,
        "IsSalesProcessingStopped": no_yes(item.is_stopped),
        "MinimumSalesOrderQuantity": card.minimum,
        "MaximumSalesOrderQuantity": card.maximum,
        "SalesQuantityMultiples": card.multiple,
        "StandardSalesOrderQuantity": card.standard,
        "SalesSiteId": WAREHOUSES[DEFAULT_WAREHOUSE].site,
        "SalesWarehouseId": DEFAULT_WAREHOUSE,
        "IsSalesSiteMandatory": "No",
        "IsSalesWarehouseMandatory": "No",
        "SalesLeadTimeDays": 0,
    }


def shared_row(book: Book, product: Product) -> Row:
    """Return a row of `ProductsV2`."""
    name = _name(_card(book, product))
    return {
        "ProductNumber": product.number,
        "ProductName": name,
        "ProductDescription": "",
        "ProductSearchName": name,
        "ProductType": "Item",
        "ProductSubType": product.sub_type,
        "ProductDimensionGroupName": "SizeColor" if product.item.is_master else "",
        "ProductColorGroupId": "",
        "ProductSizeGroupId": "",
        "ProductStyleGroupId": "",
    }


def translation_row(book: Book, entry: tuple[Product, str]) -> Row:
    """Return a row of `ProductTranslations`."""
    product, language = entry
    card = _card(book, product)
    return {
        "ProductNumber": product.number,
        "LanguageId": language,
        "ProductName": card.names.get(language, ""),
        "Description": card.texts.get(language, ""),
    }


def barcode_row(book: Book, product: Product) -> Row:
    """Return a row of `ProductBarcodesV3`."""
    dimensions = product.dimensions
    return {
        "dataAreaId": book.company,
        "ItemNumber": product.item.number,
        "ProductConfigurationId": dimensions.config,
        "ProductColorId": dimensions.color,
        "ProductSizeId": dimensions.size,
        "ProductStyleId": dimensions.style,
        "ProductVersionId": dimensions.version,
        **_barcode(book, product),
    }


def numbered_barcode_row(book: Book, product: Product) -> Row:
    """Return a row of `ProductNumberIdentifiedBarcodes`."""
    return {
        "dataAreaId": book.company,
        "ProductNumber": product.number,
        **_barcode(book, product),
    }


def attribute_row(book: Book, entry: tuple[Product, str]) -> Row:
    """Return a row of `ProductAttributeValuesV3`."""
    product, name = entry
    value = _card(book, product).attributes.get(name, "")
    return {
        "ProductNumber": product.number,
        "AttributeTypeName": ATTRIBUTE_TYPE,
        "AttributeName": name,
        **_value(value),
        "IntegerValue": 0,
        "CurrencyValue": ZERO,
        "CurrencyCode": "",
        "DateTimeValue": NULL_DATE,
        "UnitOfMeasure": "lm" if name == "Lumen" else "",
    }


def _barcode(book: Book, product: Product) -> Row:
    return {
        "ProductQuantityUnitSymbol": product.item.sales_unit,
        "BarcodeSetupId": _BARCODE_SETUP,
        "Barcode": _card(book, product).barcode,
        "ProductQuantity": Decimal(1),
        "ProductDescription": "",
        "IsDefaultScannedBarcode": "Yes",
        "IsDefaultPrintedBarcode": "Yes",
        "IsDefaultDisplayedBarcode": "Yes",
    }


def _value(value: str | Decimal | bool) -> Mapping[str, Any]:  # noqa: FBT001 - one of three kinds
    kinds: dict[type, str] = {str: "Text", Decimal: "Decimal", bool: "TrueFalse"}
    return {
        "DataType": kinds[type(value)],
        "TextValue": value if isinstance(value, str) else "",
        "DecimalValue": value if isinstance(value, Decimal) else ZERO,
        "BooleanValue": no_yes(value is True),
    }


def _card(book: Book, product: Product) -> ProductCard:
    return book.card(product.number, product.name)


def _name(card: ProductCard) -> str:
    """Return the name in the system's language."""
    return card.names.get(LANGUAGES[0]) or next(iter(card.names.values()), "")
