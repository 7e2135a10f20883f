"""What the flows of a market rely on in the ERP, as its rules make them.

The fields that are read and may be written stand in `d365.fo.document_contracts`; here is
what is on every new document, so that a field which the ERP makes mandatory is known to be
sent, or not. Pure.
"""

from collections.abc import Iterable, Iterator

from pricing_proxy.d365.fo.document_contracts import (
    customer_contracts,
    order_contracts,
    return_contracts,
)
from pricing_proxy.d365.fo.schema_contract import EntityContract
from sync.customers.rules import CustomerRules
from sync.orders.rules import OrderRules
from sync.returns.rules import ReturnRules
from sync.settings import SyncMarket

_ORDER_HEADER = ("DeliveryModeCode", "CustomerPaymentMethodName", "ArePricesIncludingSalesTax")
_ORDER_LINE = ("SalesPrice", "SalesPriceQuantity", "LineDiscountPercentage")
# No customer of Magento is without an e-mail address; its other texts may be empty.
_ACCOUNT = ("CustomerGroupId", "SalesCurrencyCode", "PartyType", "PrimaryContactEmail")
_ADDRESS = ("AddressDescription", "AddressCountryRegionId", "AddressLocationRoles", "IsPrimary")
_RETURN_HEADER = ("InvoiceCustomerAccountNumber", "CurrencyCode", "CustomerRequisitionNumber")


def contracts_of(market: SyncMarket) -> Iterator[EntityContract]:
    """Yield the sets that the market's flows use, with the fields they read and send."""
    field = market.orders.reference_field
    if "orders" in market.flows or "returns" in market.flows:
        yield from order_contracts(
            reference_field=field,
            header_sent=_order_header(market.orders),
            line_sent=_order_line(market.orders),
        )
    if "customers" in market.flows:
        yield from customer_contracts(
            account_sent=_account(market.customers), address_sent=_ADDRESS
        )
    if "returns" in market.flows:
        yield from return_contracts(
            header_sent=_return_header(market.returns), line_sent=_return_line(market.returns)
        )


def _order_header(rules: OrderRules) -> set[str]:
    deliveries = (*rules.shipping.values(), *rules.pickup.values())
    return {
        *_ORDER_HEADER,
        "SkipCreateAutoCharges",
        *_given(
            LanguageId=rules.language,
            SalesOrderOriginCode=rules.origin,
            DefaultShippingSiteId=rules.site or _all(each.site for each in deliveries),
            DefaultShippingWarehouseId=rules.warehouse
            or _all(each.warehouse for each in deliveries),
            DeliveryTermsCode=_all(each.terms for each in deliveries),
            PaymentTermsName=_all(each.terms for each in rules.payment.values()),
        ),
    }


def _order_line(rules: OrderRules) -> set[str]:
    # Of a fee, the ERP's item decides the tax, or half of it.
    taxed = rules.tax is not None and not rules.fees
    groups = ("SalesTaxGroupCode", "SalesTaxItemGroupCode", "OverrideSalesTax")
    return {*_ORDER_LINE, "SkipCreateAutoCharges", *(groups if taxed else ())}


def _account(rules: CustomerRules) -> set[str]:
    more = _given(LanguageId=rules.language, SiteId=rules.site, WarehouseId=rules.warehouse)
    return {*_ACCOUNT, *more}


def _return_header(rules: ReturnRules) -> set[str]:
    more = _given(
        CustomerReturnReasonCode=rules.reason,
        DefaultReturnSiteId=rules.site,
        DefaultReturnWarehouseId=rules.warehouse,
    )
    return {*_RETURN_HEADER, *more}


def _return_line(rules: ReturnRules) -> set[str]:
    return {"SalesPrice", *_given(ReturnDispositionCode=rules.disposition)}


def _given(**values: str | bool | None) -> list[str]:
    return [name for name, value in values.items() if value]


def _all(texts: Iterable[str | None]) -> bool:
    return all(texts)
