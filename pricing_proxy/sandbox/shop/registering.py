"""Let people register in the shop and change their own data, as a web form or REST would.

    {"website": "b2b_de", "store": "b2b_de_en", "email": "new@buyer.example",
     "firstname": "Nora", "lastname": "Neu", "company": "Neu GmbH",
     "taxvat": "DE999888777", "account": "C-1001", "address": {"city": "Bremen"}}

Everything is optional in a registration; who gives no e-mail gets one of their own. A
change names what changes. `account` is the attribute of the ERP's account: the shop
takes it from anybody, as Magento's anonymous registration and `customers/me` do.
"""

from collections.abc import Mapping
from typing import Any

from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.shop.customers import ACCOUNT_ATTRIBUTE
from pricing_proxy.sandbox.shop.stores import (
    DEMO_WEBSITE,
    STORES,
    WEBSITES,
    Store,
    store_named,
    store_of,
)
from pricing_proxy.sandbox.shop.tables import Shop

_TEXTS = ("email", "firstname", "lastname", "taxvat")
_OF_THE_ADDRESS = ("company", "address")
_CHANGES = (*_TEXTS, "account", *_OF_THE_ADDRESS)
_KNOWN = ("website", "store", *_CHANGES)
_ADDRESS = {
    "street": ["Neue Straße 1"],
    "postcode": "28195",
    "city": "Bremen",
    "country_id": "DE",
    "telephone": "+49 421 7654321",
    "default_billing": True,
    "default_shipping": True,
}


def register(shop: Shop, members: Mapping[str, Any]) -> dict[str, Any]:
    """Register somebody, and return them as the shop shows them.

    Raises:
        BadMemberError: A member is unknown or wrong.
        RefusedError: The shop refuses, since the e-mail is taken on that website.
    """
    _check(members, _KNOWN)
    store = _store_of(members)
    number = shop.customers.next_id()
    names = {"firstname": "Nora", "lastname": f"Neu {number}"}
    told = {"email": f"new{number}@buyer.example", **names, **members}
    address = _ADDRESS | {name: told[name] for name in names}
    return shop.customers.create(
        {
            **_texts(told),
            "store_id": store.id,
            "website_id": store.website_id,
            "addresses": [{**address, **_address(members)}],
            **_account(members),
        }
    )


def change(shop: Shop, customer_id: int, members: Mapping[str, Any]) -> dict[str, Any]:
    """Change what somebody says of themselves, and return them as the shop shows them.

    Raises:
        BadMemberError: A member is unknown or wrong.
        RefusedError: The shop has no such customer, or refuses the change.
    """
    _check(members, _CHANGES)
    known = shop.customers.get(customer_id)
    changed = {**_texts(members), **_account(members)}
    if any(name in members for name in _OF_THE_ADDRESS):
        typed = _address(members)
        changed["addresses"] = [{**one, **typed} for one in known["addresses"]] or [
            {**_ADDRESS, "firstname": known["firstname"], "lastname": known["lastname"], **typed}
        ]
    return shop.customers.change(customer_id, changed)


def _texts(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: members[name] for name in _TEXTS if name in members}


def _account(members: Mapping[str, Any]) -> dict[str, Any]:
    if "account" not in members:
        return {}
    typed = {"attribute_code": ACCOUNT_ATTRIBUTE, "value": members["account"]}
    return {"custom_attributes": [typed]}


def _address(members: Mapping[str, Any]) -> dict[str, Any]:
    company = {"company": members["company"]} if "company" in members else {}
    return {**company, **members.get("address", {})}


def _store_of(members: Mapping[str, Any]) -> Store:
    website = members.get("website", DEMO_WEBSITE)
    named = members.get("store")
    store = store_of(website) if named is None else store_named(named)
    if store is not None and "website" in members and store.website != website:
        raise BadMemberError("store", f"it is not a store view of {website}")
    if store is None and named is None:
        known = ", ".join(one.website for one in WEBSITES)
        raise BadMemberError("website", f"expected the code of a website: {known}")
    if store is None:
        known = ", ".join(f"{one.id} ({one.code})" for one in STORES)
        raise BadMemberError("store", f"expected the id or code of a store view: {known}")
    return store


def _check(members: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name, value in members.items():
        if name not in known:
            raise BadMemberError(name, f"unknown; there are {', '.join(known)}")
        if name == "address":
            if not isinstance(value, dict):
                raise BadMemberError(name, 'expected members, such as {"city": "Gent"}')
        elif name != "store" and not isinstance(value, str):
            raise BadMemberError(name, "expected a text")
