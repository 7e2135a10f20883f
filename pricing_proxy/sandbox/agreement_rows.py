"""The rows of posted agreements and their journals, under F&O's field names and spellings."""

from collections.abc import Iterator

from pricing_proxy.sandbox.book import Book, Discount, PriceAgreement, Relation
from pricing_proxy.sandbox.row_values import Row, day, no_yes


def _account(row: PriceAgreement | Discount, code: Relation) -> str:
    return row.account if row.account_code is code else ""


def sales_prices_rows(book: Book) -> Iterator[Row]:
    """List `SalesPriceAgreements`."""
    for row in book.price_rows():
        yield {
            "dataAreaId": book.company,
            "RecordId": row.record_id,
            "ItemNumber": row.item,
            "ProductNumber": row.item,
            "CustomerAccountNumber": _account(row, Relation.TABLE),
            "PriceCustomerGroupCode": _account(row, Relation.GROUP),
            "Price": row.price,
            "SalesPriceQuantity": row.price_unit,
            "FixedPriceCharges": row.charges,
            "PriceCurrencyCode": row.currency,
            "IsGenericCurrencySearchEnabled": no_yes(row.is_generic),
            "QuantityUnitySymbol": row.unit,
            "FromQuantity": row.from_quantity,
            "ToQuantity": row.to_quantity,
            "PriceApplicableFromDate": day(row.from_date),
            "PriceApplicableToDate": day(row.to_date),
            "WillSearchContinue": no_yes(row.find_next),
            "PriceSiteId": row.dimensions.site,
            "PriceWarehouseId": row.dimensions.warehouse,
            "ProductColorId": row.dimensions.color,
            "ProductSizeId": row.dimensions.size,
            "ProductStyleId": row.dimensions.style,
            "ProductconfigurationId": row.dimensions.config,
            "ProductVersionId": row.dimensions.version,
            "SalesLeadTimeDays": 0,
            "WillDeliveryDateControlDisregardLeadTime": "No",
            "AttributeBasedPricingId": "",
        }


def _discount(book: Book, row: Discount) -> Row:
    return {
        "dataAreaId": book.company,
        "RecordId": row.record_id,
        "CustomerAccountNumber": _account(row, Relation.TABLE),
        "DiscountPercentage1": row.percent1,
        "DiscountPercentage2": row.percent2,
        "DiscountAmount": row.amount,
        "DiscountCurrencyCode": row.currency,
        "DiscountApplicableFromDate": day(row.from_date),
        "DiscountApplicableToDate": day(row.to_date),
        "WillSearchContinue": no_yes(row.find_next),
    }


def _bracket(row: Discount) -> Row:
    return {
        "FromQuantity": row.from_quantity,
        "ToQuantity": row.to_quantity,
        "QuantityUnitSymbol": row.unit,
        "IsGenericCurrencySearchEnabled": no_yes(row.is_generic),
    }


def line_discounts_rows(book: Book) -> Iterator[Row]:
    """List `SalesLineDiscountAgreements`."""
    for row in (row for rows in book.line_discounts.values() for row in rows):
        is_item, is_group = row.item_code is Relation.TABLE, row.item_code is Relation.GROUP
        yield {
            **_discount(book, row),
            **_bracket(row),
            "LineDiscountCustomerGroupCode": _account(row, Relation.GROUP),
            "ItemNumber": row.item if is_item else "",
            "ProductNumber": row.item if is_item else "",
            "LineDiscountProductGroupCode": row.item if is_group else "",
            "DiscountSiteId": row.dimensions.site,
            "DiscountWarehouseId": row.dimensions.warehouse,
            "ProductColorId": row.dimensions.color,
            "ProductSizeId": row.dimensions.size,
            "ProductStyleId": row.dimensions.style,
            "ProductConfigurationId": row.dimensions.config,
            "ProductVersionId": row.dimensions.version,
        }


def multiline_discounts_rows(book: Book) -> Iterator[Row]:
    """List `SalesMultiLineDiscountAgreements`."""
    for row in book.multiline_discounts:
        yield {
            **_discount(book, row),
            **_bracket(row),
            "MultiLineDiscountCustomerGroupCode": _account(row, Relation.GROUP),
            "MultiLineDiscountProductGroupCode": row.item,
        }


def total_discounts_rows(book: Book) -> Iterator[Row]:
    """List `SalesTotalDiscountAgreements`."""
    for row in book.total_discounts:
        yield {
            **_discount(book, row),
            "TotalDiscountCustomerGroupCode": _account(row, Relation.GROUP),
            "FromOrderSubtotalAmount": row.from_quantity,
            "ToOrderSubtotalAmount": row.to_quantity,
        }


def journals_rows(book: Book) -> Iterator[Row]:
    """List `TradeAgreementJournalHeaders`."""
    for journal in book.journals:
        yield {
            "dataAreaId": book.company,
            "JournalNumber": journal.number,
            "JournalDescription": journal.description,
            "TradeAgreementJournalNameId": "Prices",
            "DefaultTradeAgreementType": "PriceSales",
            "IsCurrentPriceExported": "No",
            "Posted": "Yes",
            "PostedDate": day(journal.posted_on),
        }
