"""The customer map of a market: ERP accounts, their price groups, and the shop's ids for them.

The accounts come from the ERP and are written whole; one that is newer than the map is told of
beside it, for as long as any map may be without it. The shop's ids come from the sync as
customers are linked and unlinked, a few at first from the configuration; they are kept
beside them.
"""

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from pricing_proxy.names import same_name_key
from pricing_proxy.shared_state import snapshots


@dataclass(frozen=True, slots=True)
class Customer:
    """What pricing needs to know of one customer.

    Attributes:
        account: The ERP's CustomerAccount.
        currency: Currency of the customer's documents, ISO 4217.
        price_group: Code of the price group; empty without one. So are the discount groups.
        line_discount_group: Code of the line discount group.
        multiline_discount_group: Code of the multiline discount group.
        total_discount_group: Code of the total discount group.
    """

    account: str
    currency: str
    price_group: str
    line_discount_group: str
    multiline_discount_group: str
    total_discount_group: str


@dataclass(frozen=True, slots=True)
class CustomerMap:
    """All customers of a market as the ERP listed them at one time, so a missing one is unknown."""

    customers: Mapping[str, Customer]
    as_of: datetime


# Raise when Customer changes its shape.
_VERSION = 1
# The longest time between two readings of the whole map that can be configured.
NEWS_LIVE = timedelta(days=1)


def key(market: str) -> str:
    """Return the Redis key of a market's customers."""
    return f"customers:{{{market}}}"


def ids_key(market: str) -> str:
    """Return the Redis key of the hash from the shop's customer id to the ERP account."""
    return f"customer_ids:{{{market}}}"


def news_key(market: str, account: str) -> str:
    """Return the Redis key of one account, however it is spelled, that the map may not hold yet.

    Hashed: keys show up in monitoring, where no customer's number belongs.
    """
    digest = blake2b(same_name_key(account).encode(), digest_size=16).hexdigest()
    return f"customer_news:{{{market}}}:{digest}"


def encode(customer_map: CustomerMap) -> bytes:
    """Return the map as it is kept."""
    rows = [astuple(customer) for customer in customer_map.customers.values()]
    return snapshots.encode(rows, version=_VERSION, as_of=customer_map.as_of)


def decode(value: bytes | None) -> CustomerMap | None:
    """Return the kept map, None when there is none of this version."""
    kept = snapshots.decode(value, version=_VERSION)
    if kept is None:
        return None
    customers = (Customer(*row) for row in kept.rows)
    return CustomerMap({customer.account: customer for customer in customers}, kept.as_of)


def encode_news(customer: Customer) -> str:
    """Return one account as it is told of."""
    return json.dumps([_VERSION, astuple(customer)])


def decode_news(text: bytes | None) -> Customer | None:
    """Return an account that was told of, None without word."""
    version, members = (None, ()) if text is None else json.loads(text)
    return Customer(*members) if version == _VERSION else None
