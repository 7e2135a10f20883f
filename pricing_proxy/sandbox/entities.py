"""The OData entity sets of the sandbox: names, keys, enums, and who lists their rows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pricing_proxy.sandbox import agreement_rows, master_rows
from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.row_values import Row

ENUM_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "NoYes": ("No", "Yes"),
    "EcoResProductType": ("Item", "Service"),
    "EcoResProductSubtype": ("Product", "ProductMaster", "ProductVariant"),
    "PriceType": (
        "PricePurch",
        "LineDiscPurch",
        "MultiLineDiscPurch",
        "EndDiscPurch",
        "PriceSales",
        "LineDiscSales",
        "MultiLineDiscSales",
        "EndDiscSales",
        "MCRPostageDisc",
    ),
    "RoundOffType": ("Ordinary", "RoundDown", "RoundUp"),
    "UnitOfMeasureClass": ("Quantity", "Length"),
    "UnitOfMeasureConversionRounding": ("Nearest", "Up", "Down"),
    "ExchangeRateDisplayFactor": ("One", "Ten", "Hundred", "Thousand", "TenThousand"),
    "Timezone": ("GMTPLUS0100_AMSTERDAM_BERLIN_BERN_ROME",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySet:
    """One set: its name, its key in order, its enum fields, and how to list it.

    Attributes:
        operation: Under which name its calls are counted.
        follows_journals: Whether a posted journal changes its rows.
    """

    name: str
    operation: str
    key: tuple[str, ...]
    rows: Callable[[Book], Iterable[Row]]
    enums: Mapping[str, str] = field(default_factory=dict)
    follows_journals: bool = False


_ROW = ("dataAreaId", "RecordId")
_GROUP = ("dataAreaId", "GroupCode")
_FIND_NEXT = {"WillSearchContinue": "NoYes"}
_GENERIC = {"IsGenericCurrencySearchEnabled": "NoYes"}
_ROUNDING = {"Rounding": "UnitOfMeasureConversionRounding"}


_SETS = (
    EntitySet(
        name="ReleasedProductsV2",
        operation="products",
        key=("dataAreaId", "ItemNumber"),
        rows=master_rows.products_rows,
        enums={
            "ProductType": "EcoResProductType",
            "ProductSubType": "EcoResProductSubtype",
            "IsSalesPriceIncludingCharges": "NoYes",
            "WillTotalSalesDiscountCalculationIncludeProduct": "NoYes",
        },
    ),
    EntitySet(
        name="ReleasedProductVariantsV2",
        operation="variants",
        key=(
            "dataAreaId",
            "ProductMasterNumber",
            "ProductConfigurationId",
            "ProductSizeId",
            "ProductColorId",
            "ProductStyleId",
            "ProductVersionId",
        ),
        rows=master_rows.variants_rows,
    ),
    EntitySet(
        name="ProductDefaultOrderSettings",
        operation="order_settings",
        key=("dataAreaId", "ItemNumber"),
        rows=master_rows.order_settings_rows,
        enums={
            "IsSalesProcessingStopped": "NoYes",
            "IsSalesSiteMandatory": "NoYes",
            "IsSalesWarehouseMandatory": "NoYes",
        },
    ),
    EntitySet(
        name="SalesPriceAgreements",
        operation="sales_price_agreements",
        key=_ROW,
        rows=agreement_rows.sales_prices_rows,
        enums={
            **_FIND_NEXT,
            **_GENERIC,
            "WillDeliveryDateControlDisregardLeadTime": "NoYes",
        },
        follows_journals=True,
    ),
    EntitySet(
        name="SalesLineDiscountAgreements",
        operation="sales_line_discount_agreements",
        key=_ROW,
        rows=agreement_rows.line_discounts_rows,
        enums={**_FIND_NEXT, **_GENERIC},
    ),
    EntitySet(
        name="SalesMultiLineDiscountAgreements",
        operation="sales_multiline_discount_agreements",
        key=_ROW,
        rows=agreement_rows.multiline_discounts_rows,
        enums={**_FIND_NEXT, **_GENERIC},
    ),
    EntitySet(
        name="SalesTotalDiscountAgreements",
        operation="sales_total_discount_agreements",
        key=_ROW,
        rows=agreement_rows.total_discounts_rows,
        enums=_FIND_NEXT,
    ),
    EntitySet(
        name="TradeAgreementJournalHeaders",
        operation="trade_agreement_journal_headers",
        key=("dataAreaId", "JournalNumber"),
        rows=agreement_rows.journals_rows,
        enums={
            "Posted": "NoYes",
            "IsCurrentPriceExported": "NoYes",
            "DefaultTradeAgreementType": "PriceType",
        },
        follows_journals=True,
    ),
    EntitySet(
        name="PriceCustomerGroups",
        operation="price_customer_groups",
        key=_GROUP,
        rows=master_rows.group_rows(
            lambda book: (customer.price_group for customer in book.customers.values()),
            PricingPriority=0,
        ),
    ),
    EntitySet(
        name="LineDiscountCustomerGroups",
        operation="line_discount_customer_groups",
        key=_GROUP,
        rows=master_rows.group_rows(
            lambda book: (customer.line_discount_group for customer in book.customers.values())
        ),
    ),
    EntitySet(
        name="MultilineDiscountCustomerGroups",
        operation="multiline_discount_customer_groups",
        key=_GROUP,
        rows=master_rows.group_rows(
            lambda book: (customer.multiline_discount_group for customer in book.customers.values())
        ),
    ),
    EntitySet(
        name="TotalDiscountCustomerGroups",
        operation="total_discount_customer_groups",
        key=_GROUP,
        rows=master_rows.group_rows(
            lambda book: (customer.total_discount_group for customer in book.customers.values())
        ),
    ),
    EntitySet(
        name="LineDiscountProductGroups",
        operation="line_discount_product_groups",
        key=_GROUP,
        rows=master_rows.group_rows(
            lambda book: (item.line_discount_group for item in book.items.values())
        ),
    ),
    EntitySet(
        name="MultilineDiscountProductGroups",
        operation="multiline_discount_product_groups",
        key=_GROUP,
        rows=master_rows.group_rows(
            lambda book: (item.multiline_discount_group for item in book.items.values())
        ),
    ),
    EntitySet(
        name="Currencies",
        operation="currencies",
        key=("CurrencyCode",),
        rows=master_rows.currencies_rows,
        enums={
            "RoundingMethodPrices": "RoundOffType",
            "RoundingMethodSalesOrders": "RoundOffType",
        },
    ),
    EntitySet(
        name="ExchangeRates",
        operation="exchange_rates",
        key=("RateTypeName", "FromCurrency", "ToCurrency", "StartDate"),
        rows=master_rows.exchange_rates_rows,
        enums={"ConversionFactor": "ExchangeRateDisplayFactor"},
    ),
    EntitySet(
        name="UnitsOfMeasure",
        operation="units_of_measure",
        key=("UnitSymbol",),
        rows=master_rows.units_rows,
        enums={"UnitClass": "UnitOfMeasureClass", "IsBaseUnit": "NoYes", "IsSystemUnit": "NoYes"},
    ),
    EntitySet(
        name="UnitOfMeasureConversions",
        operation="unit_of_measure_conversions",
        key=("FromUnitSymbol", "ToUnitSymbol"),
        rows=master_rows.conversion_rows,
        enums=_ROUNDING,
    ),
    EntitySet(
        name="ProductUnitOfMeasureConversions",
        operation="product_unit_of_measure_conversions",
        key=("FromUnitSymbol", "ToUnitSymbol", "ProductNumber"),
        rows=master_rows.item_conversion_rows,
        enums=_ROUNDING,
    ),
    EntitySet(
        name="LegalEntities",
        operation="legal_entities",
        key=("LegalEntityId",),
        rows=master_rows.legal_entity_rows,
        enums={"TimeZone": "Timezone"},
    ),
)
ENTITY_SETS: Mapping[str, EntitySet] = {each.name: each for each in _SETS}
