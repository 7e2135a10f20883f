"""Where is order 100000201? Answered by one command, and mended by the next."""

from pathlib import Path

import pytest

from sync.store.states import EventState
from tests.integration.sync_running import MARKET, World
from tests.postgres import database_url, postgres, template
from tests.sync_console.between_systems import two_systems

__all__ = ["database_url", "postgres", "template"]

pytestmark = pytest.mark.timeout(90)


async def until(world: World, number: str, state: EventState) -> None:
    async def is_so() -> bool:
        events = await world.running.stores.overview.by_key(number)
        return any(event.state is state for event in events)

    await world.until(is_so)


async def test_order_tells_the_whole_story_as_far_as_systems_answer(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_systems(tmp_path, database_url, monkeypatch) as (world, d365_sync):
        [number] = await world.place(1, kind="simple")
        await until(world, number, EventState.DONE)

        said = (await d365_sync("order", number)).stdout
        told = await d365_sync.json("order", number)

        [erp] = told["erp"][MARKET]
        assert told["shop"]["ext_order_id"] == erp["SalesOrderNumber"]
        for part in (
            f"{told['shop']['grand_total']} EUR, of it tax",
            f"total {erp['totals']['OrderTotalAmount']} EUR",
            f"Order {number} in the shop",
            f"Sales order {erp['SalesOrderNumber']} in demf",
            "released · Backorder",
            *(line["ItemNumber"] for line in erp["lines"]),
            "order header create → ",
            "done: ",
        ):
            assert part in said
        # On one screen.
        assert len(said.splitlines()) < 60
        await world.dial("fo", dead=True)
        without_erp = (await d365_sync("order", number)).stdout
        assert f"since the ERP of {MARKET} could not be asked" in without_erp
        assert "order header create → " in without_erp
        await world.dial("magento", dead=True)
        alone = await d365_sync("order", number)
        assert "since the shop could not be asked" in alone.stdout
        assert "order header create → " in alone.stdout
        assert alone.exit_code == 0
