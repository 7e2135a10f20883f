"""The names under which prices stand in Redis.

One hash holds one context, so a customer's page is one command to one Cluster slot. Its name
carries what the prices were read from and how they were meant: another address, company, tax
mode or scale finds none of them. The account is hashed: keys show up in monitoring, where no
customer's number belongs.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from pricing_proxy.prices.query import Context, Key

# Neither part can hold it: SKUs and units are checked at the rim and by the item map.
_SEPARATOR = "\x1f"


class PriceKeys:
    """Names what is kept of a context.

    Args:
        meanings: By market, what its prices are read from and how they are meant: whatever
            makes a kept price another one than would be answered now.
    """

    def __init__(self, meanings: Mapping[str, str]) -> None:
        self._meanings = meanings
        self._owner = lru_cache(maxsize=4096)(self._hashed)

    def prices(self, context: Context) -> str:
        """Return the name of the hash that holds a context's prices."""
        return f"p1:{self._tag(context)}"

    def warm_mark(self, context: Context, what: str) -> str:
        """Return the name of something kept beside a context's prices, in their slot."""
        return f"w:{self._tag(context)}:{what}"

    def budget(self, context: Context) -> str:
        """Return the name of the counter of a customer's cold lines, in any currency."""
        return f"b1:{{{self._owner(context.market, context.account)}}}"

    def _tag(self, context: Context) -> str:
        return f"{{{self._owner(context.market, context.account)}}}:{context.currency}"

    def _hashed(self, market: str, account: str) -> str:
        named = json.dumps([self._meanings[market], account])
        return blake2b(named.encode(), digest_size=16).hexdigest()


def field(key: Key) -> str:
    """Return the field of one price within its context's hash."""
    return _SEPARATOR.join(key)


def key_of(member: bytes) -> Key | None:
    """Return the price that `field` named so, None for anything else."""
    parts = member.decode(errors="replace").split(_SEPARATOR)
    return Key(*parts) if len(parts) == len(Key._fields) else None
