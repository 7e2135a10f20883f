"""What the orders of a market rely on in the ERP, as its rules make them.

The fields that are read and may be written stand in `d365.fo.document_contracts`; here is
what is on every new document, so that a field which the ERP makes mandatory is known to be
sent, or not. Pure.
"""

from collections.abc import Iterable

from pricing_proxy.d365.fo.document_contracts import given, order_contracts
from pricing_proxy.d365.fo.schema_contract import EntityContract
from sync.orders.carried import DATES
from sync.orders.rules import OrderRules

_HEADER = ("DeliveryModeCode", "CustomerPaymentMethodName", "ArePricesIncludingSalesTax")
_LINE = ("SalesPrice", "SalesPriceQuantity", "LineDiscountPercentage")


def contracts(rules: OrderRules) -> Iterable[EntityContract]:
    """Return the sets that orders are read from and written into."""
    return order_contracts(
        reference_field=rules.reference_field,
        header_texts=[each.field for each in rules.carried if each.field not in DATES],
        header_sent=_header(rules),
        line_sent=_line(rules),
    )


def _header(rules: OrderRules) -> set[str]:
    deliveries = (*rules.shipping.values(), *rules.pickup.values())
    return {
        *_HEADER,
        "SkipCreateAutoCharges",
        *given(
            LanguageId=rules.language,
            SalesOrderOriginCode=rules.origin,
            DefaultShippingSiteId=rules.site or all(each.site for each in deliveries),
            DefaultShippingWarehouseId=rules.warehouse
            or all(each.warehouse for each in deliveries),
            DeliveryTermsCode=all(each.terms for each in deliveries),
            PaymentTermsName=all(each.terms for each in rules.payment.values()),
        ),
    }


def _line(rules: OrderRules) -> set[str]:
    # Of a fee, the ERP's item decides the tax, or half of it.
    taxed = rules.tax is not None and not rules.fees
    groups = ("SalesTaxGroupCode", "SalesTaxItemGroupCode", "OverrideSalesTax")
    return {*_LINE, "SkipCreateAutoCharges", *(groups if taxed else ())}
