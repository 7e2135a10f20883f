"""An order's delivery address under the ERP's field names.

Nothing is cut unasked: a text longer than the ERP's field would arrive as another address, so
it holds the order and names the field. Empty texts are left out.
"""

import hashlib

import orjson

from sync.engine.erp_texts import Texts
from sync.engine.outcomes import HeldError
from sync.magento.order_models import ShippedOrder, ShopAddress
from sync.orders.codes import mapped
from sync.orders.rules import OrderRules


def delivery_fields(address: ShopAddress, *, where: str, rules: OrderRules, market: str) -> Texts:
    """Return the header's fields for delivery to this address.

    Args:
        address: The shop's.
        where: Path of the address in the order, for messages.
        rules: The market's.
        market: Its code.

    Raises:
        HeldError: An unknown country, a missing state, or a text that is too long.
    """
    person = address.person
    fields = {
        "DeliveryAddressName": address.company or person,
        "DeliveryAddressDescription": person if address.company else "",
        "DeliveryAddressStreet": "\n".join(address.street),
        "DeliveryAddressCity": address.city,
        "DeliveryAddressZipCode": address.postcode,
        "DeliveryAddressStateId": _state(address, where=where, rules=rules),
        "DeliveryAddressCountryRegionId": mapped(
            rules.countries,
            address.country_id,
            field=f"{where}.country_id",
            name="orders.countries",
            market=market,
        ),
    }
    return rules.fitted(fields, sources=_SOURCES, where=where)


def delivery_digest(order: ShippedOrder) -> str:
    """Return what tells an order's delivery from one to another address, "none" without one."""
    address = order.shipping.address
    if address is None:
        return "none"
    # In an order of our own: models are moved about, and digests are kept for years.
    members = [getattr(address, name) for name in _DELIVERED_TO]
    return hashlib.sha256(orjson.dumps(members)).hexdigest()[:16]


def is_delivered_to(sent: str, digest: str) -> bool:
    """Return whether what is remembered of a sent order is of this digest."""
    return sent.partition("/")[0] == digest


def moved(sent: str, digest: str) -> str:
    """Return what is remembered next: also how often, as an address may change to and fro."""
    return f"{digest}/{int(sent.partition('/')[2] or 0) + 1}"


def _state(address: ShopAddress, *, where: str, rules: OrderRules) -> str:
    if address.country_id not in rules.states_of:
        return ""
    # Without an id the code is whatever the customer typed.
    if address.region_id is None or not address.region_code:
        raise HeldError(
            field=f"{where}.region_code",
            text=f"addresses in {address.country_id} need a state, and this one has none",
            advice="choose the region in the shop's order, then replay",
        )
    return address.region_code


DELIVERY_FIELDS = (
    *("DeliveryAddressName", "DeliveryAddressStreet", "DeliveryAddressCity"),
    *("DeliveryAddressZipCode", "DeliveryAddressStateId", "DeliveryAddressCountryRegionId"),
)
"""Those of them that an order of the ERP shows."""
_DELIVERED_TO = (
    *("company", "prefix", "firstname", "middlename", "lastname", "suffix"),
    *("street", "postcode", "city", "region_code", "country_id"),
)
_SOURCES = {
    "DeliveryAddressName": "company",
    "DeliveryAddressDescription": "lastname",
    "DeliveryAddressStreet": "street",
    "DeliveryAddressCity": "city",
    "DeliveryAddressZipCode": "postcode",
    "DeliveryAddressStateId": "region_code",
}
