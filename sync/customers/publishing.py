"""Keep the price service's customer map complete and true: the shop's ids and their accounts.

The customers flow publishes each account as it becomes known, and the commands each link that
a person changes. This publishes what changed lately again, every few seconds, and all of it
now and then, ids that have no account any more included; and all of it at once where the map
does not say that it is complete. So a Redis that was down, emptied or has evicted the map has
the truth within seconds, without anybody's doing.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol

from pricing_proxy.shared_state.maps import IdsState, SharedStateError
from sync.customers.ports import AccountMap

_log = logging.getLogger(__name__)


class KnownLinks(Protocol):
    """The stored links of all markets."""

    async def accounts(self, market: str) -> Mapping[str, str]:
        """Return all accounts of a market by the shop's ids."""
        ...

    async def account(self, market: str, customer_id: str) -> str | None:
        """Return a customer's account."""
        ...

    async def changed(self, within: timedelta) -> Mapping[tuple[str, str], str | None]:
        """Return what customers have now whose link changed lately, by market and the shop's id."""
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
        before = await published.ids_state(market)
        if before < IdsState.COMPLETE:
            await published.note_ids_state(market, IdsState.FILLING)
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
            await publish_link(
                partial(known.account, market, customer_id), published, market, customer_id
            )
        # Without a state by now, the map was lost meanwhile, and with it what was written so far.
        if before < IdsState.COMPLETE and await published.ids_state(market) is IdsState.FILLING:
            await published.note_ids_state(market, IdsState.COMPLETE)
        count += len(now)
    return count


async def publish_changed(
    known: KnownLinks, published: AccountMap, *, markets: Collection[str]
) -> int:
    """Publish what changed within the last minute, and return how much that is.

    All of a market is published where the map is not complete, or has been lost.
    """
    lost = [market for market in markets if await _is_lost(published, market)]
    if lost:
        _log.info("the price service's map is filled again: %s", ", ".join(lost))
        await publish_customers(known, published, markets=lost)
    changed = await known.changed(_LATELY)
    for market in markets:
        mine = {int(one): account for (where, one), account in changed.items() if where == market}
        linked = {one: account for one, account in mine.items() if account is not None}
        await published.map_accounts(market, linked)
        await published.unmap_accounts(market, [one for one in mine if one not in linked])
    for (market, customer_id), account in (await known.changed(_LATELY)).items():
        if market in markets and changed.get((market, customer_id), account) != account:
            await publish_link(
                partial(known.account, market, customer_id), published, market, customer_id
            )
    return sum(market in markets for market, _ in changed)


async def _is_lost(published: AccountMap, market: str) -> bool:
    try:
        return await published.ids_state(market) < IdsState.COMPLETE
    except SharedStateError:
        return False  # not known: whoever has something to publish says so


async def publish_link(
    account_now: Callable[[], Awaitable[str | None]],
    published: AccountMap,
    market: str,
    customer_id: str,
) -> str | None:
    """Publish what a customer has now and return it; raises `SharedStateError`.

    It is looked at again after each write: of several who publish at once, the last one to write
    has seen what stands, so an account that was taken away does not come back into the map.

    Args:
        account_now: Reads the stored link.
        published: The map.
        market: The customer's.
        customer_id: The shop's id.
    """
    account = await account_now()
    while True:
        if account is None:
            await published.unmap_accounts(market, [int(customer_id)])
        else:
            await published.map_accounts(market, {int(customer_id): account})
        standing = await account_now()
        if standing == account:
            return account
        account = standing
