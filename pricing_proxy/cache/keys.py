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
    owner = blake2b(f"{context.market}|{context.account}".encode(), digest_size=16).hexdigest()
    return f"p1:{{{owner}}}:{context.currency}"


def field(key: Key) -> str:
    """Return the field of one price within its context's hash."""
    return _SEPARATOR.join(key)
