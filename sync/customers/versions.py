"""Versions of a shop's customer: each change is carried over once, and a write of ours not at all.

The shop tells when a customer changed in whole seconds, and two changes may be in one; and
our own write moves that time as well. So a version is the time and the content that is
carried. What a write of ours made of the customer is remembered, and only where nothing but
that write changed it since it was read.
"""

import hashlib

from sync.engine.flow import Links
from sync.magento.master_models import Customer

OWN = "customer_version"
# Custom attributes are not carried, and a module may compute one anew at each look.
_NOT_CARRIED = {"updated_at", "custom_attributes"}


def version_of(customer: Customer) -> str:
    """Return what tells this version of a customer from every other one."""
    return f"{customer.updated_at.isoformat()}/{_digest(customer)}"


async def remember_own(
    links: Links, read: Customer, saved: Customer, *, group_id: int | None
) -> None:
    """Remember the version that a write of ours made, if nothing else is in it.

    Args:
        links: The entity map of the customer's market.
        read: The customer as it was carried.
        saved: As the shop has it after the write.
        group_id: The group that it was given by us, or had.
    """
    expected = read.model_copy(update={"group_id": group_id})
    if _digest(saved) == _digest(expected):
        await links.remember(OWN, str(read.id), version_of(saved))


async def is_own(links: Links, customer: Customer) -> bool:
    """Return whether a write of ours made this version."""
    return await links.erp_key(OWN, str(customer.id)) == version_of(customer)


def _digest(customer: Customer) -> str:
    text = customer.model_dump_json(exclude=_NOT_CARRIED)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
