"""Have the shop's stock written again of what moves its reservations, where a flow writes it."""

from collections.abc import Awaitable, Collection
from typing import Protocol

from sync.given import ConfiguredMarket, Given

_STOCK = "stock"


class WantStock(Protocol):
    """Has stock of SKUs written again."""

    def __call__(self, skus: Collection[str], *, reason: str) -> Awaitable[None]:
        """Have them read and written in any case."""
        ...


def stock_wanted(given: Given, market: ConfiguredMarket) -> WantStock | None:
    """Return what has stock of a market's SKUs written again; None where nobody writes it."""
    if market.code not in given.having(_STOCK):
        # Where another market's flow fills the stock, that one follows the shop's documents.
        return None

    async def want(skus: Collection[str], *, reason: str) -> None:
        await given.mirroring.plans.want(
            _STOCK, market.code, [*skus], is_forced=True, reason=reason
        )

    return want
