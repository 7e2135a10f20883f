"""The header of an order: who, where to, how delivered and paid. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderBody
from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order, ShopAddress
from sync.orders.addresses import delivery_fields
from sync.orders.carried import as_dates, carried_texts, sources_of, without_place
from sync.orders.codes import mapped
from sync.orders.rules import DeliveryCodes, OrderRules
from sync.orders.selling import Selling

_VIRTUAL = "virtual"


class Destination(NamedTuple):
    """Where an order goes.

    Attributes:
        address: The shop's address; None where the account's own, or a store, will do.
        fields: Those of the header.
        cut: What of it was cut.
    """

    address: ShopAddress | None = None
    fields: Mapping[str, str | bool] = MappingProxyType({})
    cut: tuple[str, ...] = ()


class Header(NamedTuple):
    """What is sent of the header, and what a person may want to know of it."""

    body: SalesOrderHeaderBody
    notes: tuple[str, ...]


def header_of(order: Order, *, account: str, selling: Selling, rules: OrderRules) -> Header:
    """Return what is sent of the header.

    Raises:
        HeldError: A code without a map entry, or a text that is too long for the ERP.
    """
    reference = {rules.reference_field: rules.reference_of(order)}
    rules.fitted(reference, sources={rules.reference_field: "increment_id"})
    texts = {**_texts(order, account, selling, rules), **carried_texts(order, rules.carried)}
    sources = {**_SOURCES, **sources_of(rules.carried)}
    own = rules.fitted(texts, sources=sources)
    delivery = destination(order, rules, market=selling.market)
    missing = _without_place(order, rules, delivered=delivery.address)
    body = SalesOrderHeaderBody.model_validate(
        {
            **as_dates(own.fields, sources),
            **delivery.fields,
            "ArePricesIncludingSalesTax": False,
            "SkipCreateAutoCharges": rules.shipping_item is not None,
        }
    )
    return Header(body, (*own.cut, *delivery.cut, *missing))


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


def destination(order: Order, rules: OrderRules, *, market: str) -> Destination:
    """Return where an order goes; raises `HeldError`."""
    address = _delivered_to(order)
    if address is None:
        return Destination()
    where = _SHIPPING if order.shipping.address else "billing_address"
    fitted = delivery_fields(address, where=where, rules=rules, market=market)
    fields: dict[str, str | bool] = {"IsDeliveryAddressOrderSpecific": True, **fitted.fields}
    return Destination(address, fields, fitted.cut)


def _delivered_to(order: Order) -> ShopAddress | None:
    """Return the address that the ERP's order has of its own, None where the account's will do."""
    # The address of a pick-up is the shop's own store: the ERP knows it by its warehouse.
    if pickup_location(order):
        return None
    if order.is_virtual:
        # Nothing is shipped; but the guests' account is everybody's, and has nobody's address.
        return order.billing_address if order.is_of_guest else None
    if order.shipping.address is None:
        raise HeldError(
            field=_SHIPPING,
            text="an order with goods to ship has no address",
            advice="enter the order by hand and skip the event",
        )
    return order.shipping.address


def _without_place(
    order: Order, rules: OrderRules, *, delivered: ShopAddress | None
) -> tuple[str, ...]:
    """Return what to say of texts that go nowhere; raises `HeldError` where the rules say so."""
    missing = without_place(order, rules.carried, delivered=delivered)
    if missing and rules.without_place == "hold":
        raise HeldError(
            field=missing[0],
            text="the order has one, and no field of the ERP is named for it",
            advice="name one under orders.carried, then replay; or enter the order by hand",
        )
    return tuple(f"{path} stays in the shop: no field under orders.carried" for path in missing)


def _name(order: Order) -> str:
    billing = order.billing_address or ShopAddress()
    person = f"{order.customer_firstname} {order.customer_lastname}".strip()
    return billing.company or billing.person or person


_SHIPPING = "extension_attributes.shipping_assignments[0].shipping.address"
_SOURCES = {
    "SalesOrderName": "billing_address.company",
    "Email": "customer_email",
}
