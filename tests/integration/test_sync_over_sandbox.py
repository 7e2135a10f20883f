"""An order placed in the shop is in the ERP by itself, or somebody is told why not."""

from pathlib import Path

import pytest

from sync.store.states import EventState
from tests.integration.sync_running import MARKET, running_sync
from tests.postgres import database_url, postgres, template

__all__ = ["database_url", "postgres", "template"]

pytestmark = pytest.mark.timeout(90)


async def test_orders_arrive_by_polling_alone(tmp_path: Path, database_url: str) -> None:
    async with running_sync(tmp_path, database_url) as world:
        numbers = await world.place(5, kind="mixed")

        await world.arrived(*numbers)

        async def all_done() -> bool:
            flows = await world.running.stores.overview.flows()
            counts = {flow.flow: flow.counts for flow in flows}
            return counts.get("orders") == {"done": 5}

        await world.until(all_done)


async def test_an_order_that_cannot_be_mapped_is_held_alerted_and_replayed(
    tmp_path: Path, database_url: str
) -> None:
    async with running_sync(tmp_path, database_url) as world:
        stores = world.running.stores
        await world.dial(
            "fo", rename_fields={"SalesOrderHeadersV3.DeliveryModeCode": "DeliveryMode"}
        )
        [number] = await world.place(1, kind="simple")

        async def is_held() -> bool:
            return any(event.state is EventState.HELD for event in await stores.overview.stuck())

        async def is_alerted() -> bool:
            return bool(await stores.alerts.open_alerts())

        await world.until(is_held)
        await world.until(is_alerted)
        [event] = await stores.overview.stuck()
        assert event.trouble is not None
        assert (event.business_key, event.trouble.field) == (number, "DeliveryModeCode")
        [alert] = await stores.alerts.open_alerts()
        assert alert.title == f"1 order of {MARKET} held at DeliveryModeCode"
        await world.dial("fo", rename_fields={})
        await stores.interventions.replay(event.id, by="anna")

        await world.arrived(number)
