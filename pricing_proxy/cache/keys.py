"""The names under which prices stand in Redis.

One hash holds one context, so a customer's page is one command to one Cluster slot. The
account is hashed: keys show up in monitoring, where no customer's number belongs.
"""

from functools import lru_cache
from hashlib import blake2b

from pricing_proxy.prices.query import Context, Key

# Neither part can hold it: SKUs and units are checked at the rim and by the item map.
_SEPARATOR = "\x1f"


@lru_cache(maxsize=4096)
def context_key(context: Context) -> str:
    """Return the name of the hash that holds a context's prices."""
    return f"p1:{{{_owner(context)}}}:{context.currency}"


def budget_key(context: Context) -> str:
    """Return the name of the counter of a customer's cold lines, in any currency."""
    return f"b1:{{{_owner(context)}}}"


def field(key: Key) -> str:
    """Return the field of one price within its context's hash."""
    return _SEPARATOR.join(key)


def _owner(context: Context) -> str:
    return blake2b(f"{context.market}|{context.account}".encode(), digest_size=16).hexdigest()


def key_of(member: bytes) -> Key | None:
    """Return the price that `field` named so, None for anything else."""
    parts = member.decode(errors="replace").split(_SEPARATOR)
    return Key(*parts) if len(parts) == len(Key._fields) else None
