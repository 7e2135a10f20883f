"""Have the price service's map of shop customers follow the links, whoever changes them when.

Whoever has changed a link or only read it publishes it with `publish_link`, which looks again
after each write: of several who publish at once, the last one to write has seen what stands,
so an account that was taken away does not come back into the map.
"""

from collections.abc import Collection, Mapping
from typing import Protocol


class Links(Protocol):
    """The stored links of one market's customers."""

    async def account(self, customer_id: str) -> str | None:
        """Return the customer's account."""
        ...


class PriceMap(Protocol):
    """Where the price service looks customers up; all raise `SharedStateError`."""

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        """Add or replace accounts."""
        ...

    async def unmap_accounts(self, market: str, shop_ids: Collection[int]) -> None:
        """Remove the accounts of shop ids."""
        ...


async def publish_link(
    links: Links, published: PriceMap, market: str, customer_id: str
) -> str | None:
    """Publish what a customer has now and return it; raises `SharedStateError`."""
    account = await links.account(customer_id)
    while True:
        if account is None:
            await published.unmap_accounts(market, [int(customer_id)])
        else:
            await published.map_accounts(market, {int(customer_id): account})
        standing = await links.account(customer_id)
        if standing == account:
            return account
        account = standing
