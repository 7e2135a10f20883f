"""Versions of a shop's customer: each change is carried over once, and a write of ours not at all.

The shop tells when a customer changed in whole seconds, and two changes may be in one; and
our own write moves that time as well. So a version is the time and the content that is
carried. The version that was carried last is remembered, and what a write of ours made of the
customer counts as carried where nothing but that write changed it since it was read.

A real shop moves that time also when somebody tries a wrong password. So all else of the
version is remembered as a whole: a stranger who tries passwords costs the ERP no call.
"""

import hashlib
from typing import Any

import orjson

from sync.engine.flow import Links
from sync.magento.customer_models import ShopCustomer

CARRIED = "customer_carried"
# Custom attributes are not carried, and a module may compute one anew at each look.
_NOT_CARRIED = frozenset({"updated_at", "custom_attributes"})
# Digests are kept for years, models are moved about: the order is that of the digests in every
# database. Another one would have each customer carried again at their next look or login.
_NAME = ("firstname", "lastname", "prefix", "middlename", "suffix")
_CUSTOMER = (
    *("id", "group_id", "website_id", "store_id", "email", *_NAME, "taxvat"),
    *("created_at", "updated_at", "default_billing", "default_shipping"),
    *("addresses", "custom_attributes"),
)
_ADDRESS = (
    *("id", *_NAME, "company", "vat_id", "street", "postcode", "city", "region"),
    *("country_id", "telephone", "default_billing", "default_shipping"),
)


def version_of(customer: ShopCustomer) -> str:
    """Return what tells this version of a customer from every other one."""
    return f"{customer.updated_at.isoformat()}/{_digest(customer)}"


async def remember_own(
    links: Links, read: ShopCustomer, saved: ShopCustomer, *, group_id: int | None
) -> None:
    """Remember that what a write of ours made is carried, if nothing else is in it.

    Args:
        links: The entity map of the customer's market.
        read: The customer as it was carried.
        saved: As the shop has it after the write.
        group_id: The group that it was given by us, or had.
    """
    expected = read.model_copy(update={"group_id": group_id})
    if _digest(saved) == _digest(expected):
        await remember_carried(links, saved)


async def remember_carried(links: Links, customer: ShopCustomer) -> None:
    """Remember that a customer was carried as it is."""
    carried = f"{version_of(customer)}/{_whole(customer)}"
    if await links.erp_key(CARRIED, str(customer.id)) != carried:
        await links.remember(CARRIED, str(customer.id), carried)


async def is_carried(links: Links, customer: ShopCustomer) -> bool:
    """Return whether a customer is, but for the time of change, as it was carried last."""
    carried = await links.erp_key(CARRIED, str(customer.id)) or ""
    # Older programs remembered the whole alone.
    return carried.rpartition("/")[2] == _whole(customer)


async def is_last_version(links: Links, customer: ShopCustomer) -> bool:
    """Return whether this version was carried last, or made by our write of it."""
    carried = await links.erp_key(CARRIED, str(customer.id)) or ""
    return carried.rpartition("/")[0] == version_of(customer)


def _whole(customer: ShopCustomer) -> str:
    # Custom attributes too: somebody's own account number is put right when it shows there.
    return _digest(customer, left_out=frozenset({"updated_at"}))


def _digest(customer: ShopCustomer, *, left_out: frozenset[str] = _NOT_CARRIED) -> str:
    members = _ordered(customer.model_dump(mode="json", exclude=set(left_out)), _CUSTOMER)
    members["addresses"] = [_ordered(each, _ADDRESS) for each in members["addresses"]]
    return hashlib.sha256(orjson.dumps(members)).hexdigest()[:16]


def _ordered(members: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the members in an order; one without a place comes behind those that have one."""
    placed = {name: members[name] for name in names if name in members}
    return placed | members
