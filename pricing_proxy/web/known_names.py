"""Tell a mistyped name from one that changed, before it is invalidated.

A name that the maps hold is obeyed at once. For any other the ERP is asked for its maps again:
what these do not hold either has no price anywhere, and whoever announces it is told so. Where
nobody can tell (the ERP is away, slow, or not to be believed), the name is obeyed as it was
sent: an entry too many costs a few bytes, one too few an old price.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.names import ByName, same_name_key
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.ports import MasterMaps
from pricing_proxy.problem_details import ProblemError
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.ledger import Scope, ScopeKind
from pricing_proxy.shared_state.map_rows import in_slices
from pricing_proxy.web.problems import UNKNOWN_NAME

R = TypeVar("R")

_log = logging.getLogger(__name__)

# As long as whoever announces a change may be expected to wait for an answer.
_READ_SECONDS = 20.0
# Somebody who announces what the shop does not sell must not have the catalog read for ever.
_MOST_READS = 20
_READS_WITHIN_US = timedelta(minutes=10) // timedelta(microseconds=1)


class _Named(NamedTuple):
    """What a caller named, and how it is called where it is kept."""

    member: str
    scope: Scope
    is_known: bool


class KnownNames:
    """Finds what an invalidation is about.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reads: dict[str, deque[int]] = {}

    async def scope(self, market: Market, body: Mapping[str, Any]) -> Scope:
        """Return the scope of a request, in the ERP's spelling where that is known.

        Raises:
            ProblemError: The ERP, asked again, holds no such name.
        """
        if "all" in body:
            return Scope(ScopeKind.ALL)
        named = await _find(market.master, body)
        if named.is_known or not await self._has_read(market):
            return named.scope
        named = await _find(market.master, body)
        if not named.is_known:
            raise ProblemError(UNKNOWN_NAME, pointer=f"/scope/{named.member}")
        return named.scope

    async def _has_read(self, market: Market) -> bool:
        """Return whether the maps are complete, and read after this was asked."""
        now_us = self._clock.monotonic_us()
        reads = self._reads.setdefault(market.code, deque(maxlen=_MOST_READS))
        if len(reads) == _MOST_READS and now_us - reads[0] < _READS_WITHIN_US:
            return False
        reads.append(now_us)
        try:
            async with asyncio.timeout(_READ_SECONDS):
                await market.master.refresh()
        except (UpstreamError, TimeoutError) as error:
            _log.info(
                "market %s: nobody can tell whether a name is known (%s)",
                market.code,
                type(error).__name__,
            )
            return False
        return True


async def _find(master: MasterMaps, body: Mapping[str, Any]) -> _Named:
    if "customer" in body:
        return await _customer(master, body["customer"])
    if "sku" in body:
        return await _item(master, body["sku"])
    code = body["price_group"]
    is_known = await _any(master.customers(), lambda customer: customer.price_group, code)
    return _Named("price_group", Scope(ScopeKind.PRICE_GROUP, code), is_known)


async def _customer(master: MasterMaps, account: str) -> _Named:
    customer = master.customer(account)
    if customer is None and master.customers() is not None:
        # One that the sync told of may be newer than any map.
        customer = await master.find_customer(account)
    code = account if customer is None else customer.account
    return _Named("customer", Scope(ScopeKind.CUSTOMER, code), customer is not None)


async def _item(master: MasterMaps, sku: str) -> _Named:
    items = master.items()
    item = None if items is None else items.find(sku)
    if item is not None:
        # A variant's agreements may stand on its master, so the item goes as a whole.
        return _Named("sku", Scope(ScopeKind.ITEM, item.item_number), is_known=True)
    # The ERP may name a master, which is sold as its variants only.
    is_master = await _any(items, lambda item: item.item_number, sku)
    return _Named("sku", Scope(ScopeKind.ITEM, sku), is_master)


async def _any(rows: ByName[R] | None, code_of: Callable[[R], str], code: str) -> bool:
    """Return whether any row has a code; looks at all without holding the loop for it."""
    wanted = same_name_key(code)
    async for some in in_slices({} if rows is None else rows.values()):
        if wanted in map(same_name_key, set(map(code_of, some))):
            return True
    return False
