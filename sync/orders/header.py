"""The header of an order: who, where to, how delivered and paid. Pure."""

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderBody
from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order, ShopAddress
from sync.orders.addresses import delivery_fields, person_of
from sync.orders.codes import mapped
from sync.orders.rules import DeliveryCodes, OrderRules
from sync.orders.selling import Selling

_VIRTUAL = "virtual"


def header_body(
    order: Order, *, account: str, selling: Selling, rules: OrderRules
) -> SalesOrderHeaderBody:
    """Return what is sent of the header.

    Raises:
        HeldError: A code without a map entry, or a text that is too long for the ERP.
    """
    filled = {name: text for name, text in _texts(order, account, selling, rules).items() if text}
    rules.check_lengths(
        {**filled, rules.reference_field: rules.reference_of(order)},
        sources={**_SOURCES, rules.reference_field: "increment_id"},
    )
    return SalesOrderHeaderBody.model_validate(
        {
            **filled,
            **destination(order, rules, market=selling.market),
            "ArePricesIncludingSalesTax": False,
            "SkipCreateAutoCharges": rules.shipping_item is not None,
        }
    )


def _texts(
    order: Order, account: str, selling: Selling, rules: OrderRules
) -> dict[str, str | None]:
    """Return texts and codes, empty ones too."""
    delivery = delivery_of(order, rules, market=selling.market)
    payment = mapped(
        rules.payment,
        order.payment.method,
        field="payment.method",
        name="orders.payment",
        market=selling.market,
    )
    return {
        "OrderingCustomerAccountNumber": account,
        "InvoiceCustomerAccountNumber": account,
        "CurrencyCode": currency_of(order, selling),
        "LanguageId": rules.language,
        "CustomerRequisitionNumber": order.payment.po_number,
        "SalesOrderOriginCode": rules.origin,
        "SalesOrderName": _name(order),
        "Email": order.customer_email,
        "DefaultShippingSiteId": delivery.site or rules.site,
        "DefaultShippingWarehouseId": delivery.warehouse or rules.warehouse,
        "DeliveryModeCode": delivery.mode,
        "DeliveryTermsCode": delivery.terms,
        "PaymentTermsName": payment.terms,
        "CustomerPaymentMethodName": payment.method,
    }


def delivery_of(order: Order, rules: OrderRules, *, market: str) -> DeliveryCodes:
    """Return how the order is delivered.

    A pick-up is known by its location, as its address and even its method look like a delivery.
    """
    location = pickup_location(order)
    if location:
        return mapped(
            rules.pickup,
            location,
            field="extension_attributes.pickup_location_code",
            name="orders.pickup",
            market=market,
        )
    method = order.shipping.method or (_VIRTUAL if order.is_virtual else "")
    carrier = method.split("_", 1)[0]
    return mapped(
        rules.shipping,
        method,
        field="extension_attributes.shipping_assignments[0].shipping.method",
        name="orders.shipping",
        market=market,
        any_of=f"{carrier}_*",
    )


def pickup_location(order: Order) -> str:
    """Return the code of the store the customer collects at, empty when delivered."""
    return (
        order.extension_attributes.pickup_location_code
        or order.shipping.extension_attributes.pickup_location_code
    )


def currency_of(order: Order, selling: Selling) -> str:
    """Return the order's currency, which is also that of all its amounts sent."""
    if order.order_currency_code not in selling.currencies:
        raise HeldError(
            field="order_currency_code",
            text=f"{order.order_currency_code} is not a currency of this market",
            advice=f"add it to markets.{selling.market}.currencies, then replay",
        )
    return order.order_currency_code


def destination(order: Order, rules: OrderRules, *, market: str) -> dict[str, str | bool]:
    """Return the fields of the delivery address; none where there is no delivery."""
    # The address of a pick-up is the shop's own store: the ERP knows it by its warehouse.
    if pickup_location(order) or order.is_virtual:
        return {}
    address = order.shipping.address
    where = "extension_attributes.shipping_assignments[0].shipping.address"
    if address is None:
        raise HeldError(
            field=where,
            text="an order with goods to ship has no address",
            advice="enter the order by hand and skip the event",
        )
    fields = delivery_fields(address, where=where, rules=rules, market=market)
    return {"IsDeliveryAddressOrderSpecific": True, **fields}


def _name(order: Order) -> str:
    billing = order.billing_address or ShopAddress()
    person = f"{order.customer_firstname} {order.customer_lastname}".strip()
    return billing.company or person_of(billing) or person


_SOURCES = {
    "CustomerRequisitionNumber": "payment.po_number",
    "SalesOrderName": "billing_address.company",
    "Email": "customer_email",
}
