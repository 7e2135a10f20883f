"""The head of an order: its sums, its shipping, its address, customer and payment."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.order_lines import Line
from pricing_proxy.sandbox.shop.order_request import OrderRequest
from pricing_proxy.sandbox.shop.order_taxes import Rates
from pricing_proxy.sandbox.shop.totals import ZERO, Amounts, amounts, cents, total

_SHIPPING_PER_PIECE = Decimal(5)
_PAYMENT_TITLES = {
    "checkmo": "Check / Money order",
    "purchaseorder": "Purchase Order",
    "banktransfer": "Bank Transfer Payment",
    "free": "No Payment Information Required",
}
_HUNDRED = Decimal(100)
# Of an order in the shop's own currency; the rates of the store are 0 in real orders too.
_CONSTANTS = {
    "base_currency_code": "EUR",
    "global_currency_code": "EUR",
    "order_currency_code": "EUR",
    "store_currency_code": "EUR",
    "base_to_global_rate": 1,
    "base_to_order_rate": 1,
    "store_to_base_rate": 0,
    "store_to_order_rate": 0,
    "customer_note_notify": 1,
    "email_sent": 1,
}
_SHIPPING_TITLES = {
    "flatrate_flatrate": "Flat Rate - Fixed",
    "freeshipping_freeshipping": "Free Shipping - Free",
    "tablerate_bestway": "Best Way - Table Rate",
}
_GUEST_ADDRESS = {
    "firstname": "Gus",
    "lastname": "Guest",
    "street": ["Side 2"],
    "postcode": "10115",
    "city": "Berlin",
    "country_id": "DE",
    "telephone": "+4930111",
}
_GUEST_EMAIL = "gus@guest.example"


def is_virtual_only(lines: list[Line]) -> bool:
    """Say whether nothing has to be shipped."""
    return all(line.product.type_id == "virtual" for line in lines)


def address_of(request: OrderRequest) -> dict[str, Any]:
    """Return the members of both addresses: the customer's first one, changed as asked."""
    customer = request.customer
    if customer is None:
        return {**_GUEST_ADDRESS, "email": _GUEST_EMAIL, **request.address}
    book = customer.get("addresses") or [_GUEST_ADDRESS]
    kept = {
        name: value
        for name, value in book[0].items()
        if name not in ("id", "customer_id", "region", "default_billing", "default_shipping")
    }
    kept["region_id"] = (book[0].get("region") or {}).get("region_id", 0)
    return {**kept, "email": customer["email"], **request.address}


def shipping_address_of(request: OrderRequest) -> dict[str, Any]:
    """Return the members of the shipping address."""
    usual = address_of(request)
    typed = request.shipping_address
    if typed is None:
        return usual
    names = {name: usual[name] for name in ("firstname", "lastname", "email")}
    return {**_GUEST_ADDRESS, **names, **typed}


def shipping_of(
    request: OrderRequest, lines: list[Line], rates: Rates, exchange: Decimal
) -> Amounts:
    """Return what the shipping comes to: so much for each piece, in another currency."""
    is_free = request.shipping_method.startswith("freeshipping")
    is_shipped = not is_virtual_only(lines) and not is_free
    pieces = sum(
        (
            line.quantity
            for line in lines
            if line.parent is None and line.product.type_id != "virtual"
        ),
        ZERO,
    )
    return amounts(
        cents(_SHIPPING_PER_PIECE * pieces * exchange) if is_shipped else ZERO,
        Decimal(1),
        rate=rates.of(""),
        discount_percent=request.discount_percent if request.discounts_shipping else ZERO,
        includes_tax=request.includes_tax,
    )


def totals_of(request: OrderRequest, lines: list[Line], shipping: Amounts) -> dict[str, Any]:
    """Return the order's sums, currencies, flags and customer."""
    sums = _sums(request, lines, shipping)
    top = [line for line in lines if line.parent is None]
    return {
        **_CONSTANTS,
        **sums,
        **{f"base_{name}": value for name, value in sums.items()},
        "shipping_discount_tax_compensation_amount": shipping.compensation,
        # Spelt like this by Magento.
        "base_shipping_discount_tax_compensation_amnt": shipping.compensation,
        "is_virtual": int(is_virtual_only(lines)),
        "total_item_count": len(top),
        "total_qty_ordered": sum((line.quantity for line in top), ZERO),
        "weight": sum((line.row_weight for line in top), ZERO),
        **_customer(request),
        **_texts(request, lines),
    }


def _sums(request: OrderRequest, lines: list[Line], shipping: Amounts) -> dict[str, Decimal]:
    values = [line.amounts for line in lines if line.is_value]
    goods = total(values)
    # Before discount; with prices including tax, the discount's part is known apart.
    full_shipping_tax = shipping.tax + shipping.compensation
    if not request.includes_tax:
        full_shipping_tax = cents(shipping.net * shipping.rate / _HUNDRED)
    full_tax = sum((cents(one.net * one.rate / _HUNDRED) for one in values), ZERO)
    gross = goods.gross + shipping.gross + request.total_off_by
    return {
        "subtotal": goods.net,
        "subtotal_incl_tax": goods.net + full_tax,
        "discount_amount": -(goods.discount + shipping.discount),
        "discount_tax_compensation_amount": goods.compensation,
        "shipping_amount": shipping.net,
        "shipping_incl_tax": shipping.net + full_shipping_tax,
        "shipping_tax_amount": shipping.tax,
        "shipping_discount_amount": shipping.discount,
        "tax_amount": goods.tax + shipping.tax,
        "grand_total": gross,
        "total_due": cents(gross),
    }


def _texts(request: OrderRequest, lines: list[Line]) -> dict[str, str]:
    texts: dict[str, str] = {}
    if not is_virtual_only(lines):
        title = _SHIPPING_TITLES.get(request.shipping_method, request.shipping_method)
        texts["shipping_description"] = title
    if request.discount_percent:
        texts |= {"applied_rule_ids": "1", "coupon_code": "TEN"}
        texts["discount_description"] = "Ten percent"
    return texts


def _customer(request: OrderRequest) -> dict[str, Any]:
    customer = request.customer
    if customer is None:
        who = address_of(request)
        return {
            "customer_email": who["email"],
            "customer_firstname": who["firstname"],
            "customer_lastname": who["lastname"],
            "customer_group_id": 0,
            "customer_is_guest": 1,
        }
    body = {
        "customer_id": customer["id"],
        "customer_email": customer["email"],
        "customer_firstname": customer["firstname"],
        "customer_lastname": customer["lastname"],
        "customer_group_id": customer["group_id"],
        "customer_is_guest": 0,
    }
    return body | ({"customer_taxvat": customer["taxvat"]} if customer.get("taxvat") else {})


def payment_of(request: OrderRequest, totals: Mapping[str, Any], order_id: int) -> dict[str, Any]:
    """Return the payment; what costs nothing is `free` whatever was chosen."""
    method = request.payment_method if totals["grand_total"] else "free"
    payment = {
        "account_status": None,
        "additional_information": [_PAYMENT_TITLES.get(method, method)],
        "amount_ordered": totals["grand_total"],
        "base_amount_ordered": totals["grand_total"],
        "base_shipping_amount": totals["shipping_amount"],
        "cc_last4": None,
        "entity_id": order_id,
        "method": method,
        "parent_id": order_id,
        "shipping_amount": totals["shipping_amount"],
    }
    return payment | ({"po_number": request.po_number} if request.po_number else {})
