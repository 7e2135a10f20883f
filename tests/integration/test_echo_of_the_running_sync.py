"""A stock shop and the whole sync: one message, no write, and nothing that goes on by itself."""

import asyncio
from pathlib import Path

from pricing_proxy.clock import SystemClock
from sync.console.state import read_state
from tests.integration.sync_running import MARKET, World, running_sync, sync_settings

# The shop's times are whole seconds, and it is polled once a second.
LOOKS, EVERY_SECONDS = 5, 1.1


async def carried(world: World) -> int:
    """Return how many customers' events are done, once none is under way."""
    while True:
        flows = {flow.flow: flow.counts for flow in await world.running.stores.overview.flows()}
        counts = flows.get("customers", {})
        if counts.keys() == {"done"} and counts["done"] >= 3:
            return counts["done"]
        await asyncio.sleep(0.05)


async def test_three_customers_of_a_stock_shop_cost_no_write_and_one_message(
    tmp_path: Path, database_url: str
) -> None:
    """It was one write for each of them at every poll, and each was told to be done."""
    async with running_sync(tmp_path, database_url) as world:
        await world.dial("magento", account_attribute=False)
        for number in range(3):
            world.register(f"new{number}@shop.example")
        events = await carried(world)
        for _ in range(LOOKS):
            await asyncio.sleep(EVERY_SECONDS)

        assert await carried(world) == events
        calls = world.sandbox.systems["magento"].calls.counts()["operations"]
        assert "save_customer" not in calls
        settings = sync_settings(world.sandbox, database_url)
        state = await read_state(world.running.stores, settings.sync, clock=SystemClock())
        [unsettled] = state.unsettled
        assert (unsettled.market, unsettled.field) == (MARKET, "erp_account")

        async def is_told() -> bool:
            alerts = await world.running.stores.alerts.open_alerts()
            return [one.key for one in alerts] == [f"unsettled/{MARKET}/magento/erp_account"]

        await world.until(is_told)
