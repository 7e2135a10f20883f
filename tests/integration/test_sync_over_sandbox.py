"""An order placed in the shop is in the ERP by itself."""

from pathlib import Path

from tests.integration.sync_running import running_sync


async def test_orders_arrive_by_polling_alone(tmp_path: Path, database_url: str) -> None:
    async with running_sync(tmp_path, database_url) as world:
        numbers = await world.place(5, kind="mixed")

        await world.arrived(*numbers)

        async def all_done() -> bool:
            flows = await world.running.stores.overview.flows()
            counts = {flow.flow: flow.counts for flow in flows}
            return counts.get("orders") == {"done": 5}

        await world.until(all_done)
