"""Keep the price service's customer map complete: the shop's ids and their accounts.

The customers flow publishes each account as it becomes known; this publishes all of them
again, so that a Redis that was down or emptied is filled without anybody's doing.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol


class KnownPairs(Protocol):
    """The entity map, all of one kind."""

    async def pairs(self, market: str, kind: str) -> Mapping[str, str]:
        """Return the ERP's keys by the shop's ids."""
        ...


class AccountMap(Protocol):
    """Where the price service looks a customer's account up."""

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace accounts; raises `SharedStateError`."""
        ...


# One command of Redis carries so many: a few hundred kilobytes.
_AT_ONCE = 5000


async def publish_customers(
    known: KnownPairs, published: AccountMap, *, markets: Sequence[str]
) -> int:
    """Publish every known account of the markets, and return how many there are."""
    count = 0
    for market in markets:
        pairs = sorted((await known.pairs(market, "customer")).items())
        for start in range(0, len(pairs), _AT_ONCE):
            some = {int(shop_id): account for shop_id, account in pairs[start : start + _AT_ONCE]}
            await published.map_accounts(market, some)
        count += len(pairs)
    return count
