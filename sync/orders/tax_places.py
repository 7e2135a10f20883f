"""Where an order is taxed, and whether its customer has a VAT number. Pure."""

import re

from sync.magento.order_models import Order

# A country's two letters, then digits and letters; people type blanks, dots and hyphens too.
_NUMBER = re.compile(r"[A-Z]{2}(?=[0-9A-Z]*[0-9])[0-9A-Z]{2,13}")
_BETWEEN = re.compile(r"[\s.\-/]+")


def country_of(order: Order) -> str:
    """Return the country whose tax the shop charges: the delivery's, or else the invoice's."""
    address = order.shipping.address or order.billing_address
    return "" if address is None else address.country_id


def has_vat_id(order: Order) -> bool:
    """Return whether a VAT number stands on an address, or in the customer's account.

    Anybody can type one. What it is taken for is only why the shop, which has judged it,
    charged no tax.
    """
    addresses = (order.shipping.address, order.billing_address)
    typed = [address.vat_id for address in addresses if address is not None]
    return any(map(_is_number, (*typed, order.customer_taxvat)))


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(_BETWEEN.sub("", text).upper()) is not None
