"""Keep the price service's customer map complete and true: the shop's ids and their accounts.

The customers flow publishes each account as it becomes known, and the commands each link that
a person changes. This publishes what changed lately again, every few seconds, and all of it
now and then: so a Redis that was down or emptied has the truth without anybody's doing, ids
that have no account any more included.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from sync.price_map import PriceMap, publish_link


class KnownLinks(Protocol):
    """The stored links of all markets."""

    async def accounts(self, market: str) -> Mapping[str, str]:
        """Return all accounts of a market by the shop's ids."""
        ...

    async def account(self, market: str, customer_id: str) -> str | None:
        """Return a customer's account."""
        ...

    async def changed(self, within: timedelta) -> Collection[tuple[str, str]]:
        """Return the customers whose link changed lately, by market and the shop's id."""
        ...


class AccountMap(PriceMap, Protocol):
    """Where the price service looks a customer's account up; all raise `SharedStateError`."""

    async def mapped_ids(self, market: str) -> set[int]:
        """Return the shop ids that have an account there."""
        ...


# One command of Redis carries so many: a few hundred kilobytes.
_AT_ONCE = 5000
# What was not published in this time is published by the whole.
_LATELY = timedelta(minutes=1)


async def publish_customers(
    known: KnownLinks, published: AccountMap, *, markets: Sequence[str]
) -> int:
    """Publish every known account of the markets, and return how many there are."""
    count = 0
    for market in markets:
        accounts = await known.accounts(market)
        pairs = sorted(accounts.items())
        for start in range(0, len(pairs), _AT_ONCE):
            some = {int(shop_id): account for shop_id, account in pairs[start : start + _AT_ONCE]}
            await published.map_accounts(market, some)
        # Whoever lost or got an account meanwhile, and whoever has none any more.
        now = await known.accounts(market)
        ids = {*map(str, await published.mapped_ids(market)), *accounts, *now}
        doubtful = [one for one in ids if one not in now or accounts.get(one) != now[one]]
        for customer_id in doubtful:
            await publish_link(_OfMarket(known, market), published, market, customer_id)
        count += len(now)
    return count


async def publish_changed(
    known: KnownLinks, published: AccountMap, *, markets: Collection[str]
) -> int:
    """Publish what changed within the last minute, and return how much that is."""
    changed = [each for each in await known.changed(_LATELY) if each[0] in markets]
    for market, customer_id in changed:
        await publish_link(_OfMarket(known, market), published, market, customer_id)
    return len(changed)


class _OfMarket:
    """The links of one market."""

    def __init__(self, known: KnownLinks, market: str) -> None:
        self._known = known
        self._market = market

    async def account(self, customer_id: str) -> str | None:
        """Return a customer's account."""
        return await self._known.account(self._market, customer_id)
