"""The rows of customers, groups, warehouses, currencies and units, under F&O's field names.

Spellings come from F&O's own metadata; a test compares every set with it. Each set
shows the fields that the price path can use, not all of the hundreds that F&O has.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.book import ONE, ZERO, Book, Conversion
from pricing_proxy.sandbox.row_values import NULL_DATE, Row, day
from pricing_proxy.sandbox.stock.places import WAREHOUSES

# What rates are shown per, as F&O's forms do by default.
_PER_HUNDRED = Decimal(100)
# Long ago, so that no price is older than its rate.
_RATES_VALID_FROM = date(2020, 1, 1)
_CENT = Decimal("0.01")
DEFAULT_COMPANY = "dat"
"""The company of the users behind the Entra apps: who forgets cross-company sees nothing."""

_CURRENCY_NAMES = {"EUR": "Euro", "USD": "US dollar", "CHF": "Swiss franc"}


def customers_rows(book: Book) -> Iterator[Row]:
    """List what a customer of the book says of itself in `CustomersV3`."""
    for customer in book.customers.values():
        yield {
            "dataAreaId": book.company,
            "CustomerAccount": customer.account,
            "PartyNumber": f"P{customer.account[1:]}",
            "PartyType": "Organization",
            "OrganizationName": customer.name,
            "CustomerGroupId": "10",
            "SalesCurrencyCode": customer.currency,
            "LanguageId": "de",
            "DiscountPriceGroupId": customer.price_group,
            "LineDiscountCode": customer.line_discount_group,
            "MultiLineDiscountCode": customer.multiline_discount_group,
            "TotalDiscountCode": customer.total_discount_group,
            "InvoiceAccount": "",
            "OnHoldStatus": customer.hold,
            "IsSalesTaxIncludedInPrices": "No",
            "IsOneTimeCustomer": "No",
            "SiteId": "",
            "WarehouseId": "",
            "CreditLimit": ZERO,
            "TaxExemptNumber": customer.tax_number,
        }


def warehouses_rows(book: Book) -> Iterator[Row]:
    """List `Warehouses`."""
    for warehouse in WAREHOUSES.values():
        yield {
            "dataAreaId": book.company,
            "WarehouseId": warehouse.id,
            "WarehouseName": warehouse.name,
            "OperationalSiteId": warehouse.site,
            "WarehouseType": warehouse.kind,
        }


def group_rows(
    codes: Callable[[Book], Iterable[str]], **more: Any
) -> Callable[[Book], Iterator[Row]]:
    """Return a lister of group codes; empty codes mean "no group" and are no row."""

    def rows(book: Book) -> Iterator[Row]:
        for code in sorted(set(codes(book)) - {""}):
            name = f"Group {code}"
            yield {"dataAreaId": book.company, "GroupCode": code, "GroupName": name, **more}

    return rows


def currencies_rows(book: Book) -> Iterator[Row]:
    """List `Currencies`."""
    for code in (book.currency, *book.rates):
        yield {
            "CurrencyCode": code,
            "Name": _CURRENCY_NAMES.get(code, code),
            "Symbol": "",
            "GeneralRoundingRule": _CENT,
            "RoundingRulePrices": ZERO,
            "RoundingMethodPrices": "Ordinary",
            "RoundingRuleSalesOrders": _CENT,
            "RoundingMethodSalesOrders": "Ordinary",
        }


def exchange_rates_rows(book: Book) -> Iterator[Row]:
    """List `ExchangeRates`."""
    for code, rate in book.rates.items():
        yield {
            "RateTypeName": "Default",
            "RateTypeDescription": "Default",
            "FromCurrency": book.currency,
            "ToCurrency": code,
            "StartDate": day(_RATES_VALID_FROM),
            "EndDate": NULL_DATE,
            "Rate": rate * _PER_HUNDRED,
            "ConversionFactor": "Hundred",
        }


def units_rows(book: Book) -> Iterator[Row]:
    """List `UnitsOfMeasure`."""
    for symbol, description in book.units.items():
        yield {
            "UnitSymbol": symbol,
            "UnitDescription": description,
            "UnitClass": "Length" if symbol == "M" else "Quantity",
            "DecimalPrecision": 2 if symbol == "M" else 0,
            "IsBaseUnit": "No",
            "IsSystemUnit": "No",
        }


def conversion_rows(book: Book) -> Iterator[Row]:
    """List `UnitOfMeasureConversions`: the rules for all items."""
    for rule in book.conversions.get("", []):
        yield _conversion(rule)


def item_conversion_rows(book: Book) -> Iterator[Row]:
    """List `ProductUnitOfMeasureConversions`: the rules of single items."""
    for rule in (rule for rules in book.conversions.values() for rule in rules if rule.item):
        yield {**_conversion(rule), "ProductNumber": rule.item}


def _conversion(rule: Conversion) -> Row:
    return {
        "FromUnitSymbol": rule.source,
        "ToUnitSymbol": rule.target,
        "Factor": ONE,
        "Numerator": rule.numerator,
        "Denominator": rule.denominator,
        "InnerOffset": ZERO,
        "OuterOffset": ZERO,
        "Rounding": "Nearest",
    }


def legal_entity_rows(book: Book) -> Iterator[Row]:
    """List `LegalEntities`: the simulated company, and the empty one users start in."""
    for code, name in ((DEFAULT_COMPANY, "Company accounts data"), (book.company, "Lumen GmbH")):
        yield {
            "LegalEntityId": code,
            "Name": name,
            "CompanyName": name,
            "LanguageId": "de",
            "TimeZone": "GMTPLUS0100_AMSTERDAM_BERLIN_BERN_ROME",
        }
