"""The OData entity sets of the sandbox that nobody writes: names, keys, enums, who lists rows."""

from collections.abc import Mapping

from pricing_proxy.sandbox import agreement_rows, master_rows
from pricing_proxy.sandbox.entity_sets import EntitySet
from pricing_proxy.sandbox.product_sets import PRODUCT_SETS
from pricing_proxy.sandbox.stock import on_hand
from pricing_proxy.sandbox.stock.ledger import StockLedger

_ROW = ("dataAreaId", "RecordId")
_GROUP = ("dataAreaId", "GroupCode")
_FIND_NEXT = {"WillSearchContinue": "NoYes"}
_GENERIC = {"IsGenericCurrencySearchEnabled": "NoYes"}
_ROUNDING = {"Rounding": "UnitOfMeasureConversionRounding"}


_SETS = (
    *PRODUCT_SETS,
    EntitySet(
        name="WarehousesOnHandV2",
        operation="on_hand",
        key=on_hand.KEY,
        rows=lambda book: on_hand.OnHand(book, StockLedger()).rows(),
        enums={"AreWarehouseManagementProcessesUsed": "NoYes"},
    ),
    EntitySet(
        name="Warehouses",
        operation="warehouses",
        key=("dataAreaId", "WarehouseId"),
        rows=master_rows.warehouses_rows,
        enums={"WarehouseType": "InventLocationType"},
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
