"""Whether a name is known is asked with patience, and no longer."""

import asyncio

from pricing_proxy.shared_state.ledger import Scope, ScopeKind
from pricing_proxy.web.known_names import KnownNames
from tests.fakes.price_world import price_service


async def test_a_catalog_that_takes_too_long_keeps_no_announcement_waiting() -> None:
    world = price_service()
    names, began_us = KnownNames(world.clock), world.now_us

    async def read_for_long() -> None:
        await asyncio.sleep(3600)

    world.master.refreshing = read_for_long
    scope = await names.scope(world.market, {"sku": "S-999"})

    assert scope == Scope(ScopeKind.ITEM, "S-999")
    assert world.now_us - began_us < 30_000_000
