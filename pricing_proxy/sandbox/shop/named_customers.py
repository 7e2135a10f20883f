"""The three customers of the shop whom the ERP knows as well."""

from collections.abc import Iterator
from typing import Any

from pricing_proxy.sandbox.shop.stores import DEMO_WEBSITE, STORES, store_of

_NAMED = (
    ("C-1001", "Lichthaus Contract GmbH", "Lena", "Licht", "Hauptstraße 12", "10115", "Berlin"),
    ("C-1002", "Elektro Group AG", "Emil", "Watt", "Industriering 7", "70565", "Stuttgart"),
    ("C-1003", "Laden am Markt e.K.", "Marta", "Markt", "Am Markt 3", "28195", "Bremen"),
)


def named_customers(account_attribute: str) -> Iterator[dict[str, Any]]:
    """Yield them as they would be registered; the attribute holds the ERP's account."""
    for number, row in enumerate(_NAMED, start=1):
        yield _named(account_attribute, number, *row)


def _named(  # noqa: PLR0917 - the columns of one row of the table above
    account_attribute: str,
    number: int,
    account: str,
    company: str,
    first: str,
    last: str,
    street: str,
    zip_: str,
    city: str,
) -> dict[str, Any]:
    store = store_of(DEMO_WEBSITE) or STORES[0]
    vat = f"DE{100000000 + number}"
    address = {
        "firstname": first,
        "lastname": last,
        "company": company,
        "vat_id": vat,
        "street": [street],
        "postcode": zip_,
        "city": city,
        "country_id": "DE",
        "telephone": "+49 30 1234567",
        "default_billing": True,
        "default_shipping": True,
    }
    return {
        "email": f"buyer{number}@{account.lower()}.example",
        "firstname": first,
        "lastname": last,
        "website_id": store.id,
        "store_id": store.id,
        "group_id": 2,
        "taxvat": vat,
        "addresses": [address],
        "custom_attributes": [{"attribute_code": account_attribute, "value": account}],
    }
