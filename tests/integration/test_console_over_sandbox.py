"""Where is order 100000201? Answered by one command, and mended by the next."""

import json
from pathlib import Path

import pytest

from pricing_proxy.sandbox.server import Sandbox
from sync.store.states import EventState
from tests.integration.sync_running import MARKET, World, sync_settings
from tests.sandbox.conftest import settings as sandbox_settings
from tests.sync_console.between_systems import configured, two_systems


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
            f"Order {number} (#1) in the shop",
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


async def test_replay_works_once_the_cause_is_gone(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_systems(tmp_path, database_url, monkeypatch) as (world, d365_sync):
        await world.dial(
            "fo", rename_fields={"SalesOrderHeadersV3.DeliveryModeCode": "DeliveryMode"}
        )
        [number] = await world.place(1, kind="simple")
        await until(world, number, EventState.HELD)
        failed = (await d365_sync("failed")).stdout
        assert number in failed
        assert "DeliveryModeCode" in failed
        [event] = await d365_sync.json("failed")
        # Folded into a column, so its words one by one.
        assert set(event["trouble"]["advice"].split()) <= set(failed.split())
        assert "held" in (await d365_sync("order", number)).stdout

        await world.dial("fo", rename_fields={})
        assert (await d365_sync("replay", str(event["id"]), "--by", "anna")).exit_code == 0

        await world.arrived(number)
        await until(world, number, EventState.DONE)
        assert "replay by anna" in (await d365_sync("order", number)).stdout


async def test_check_ends_with_1_and_the_next_step_of_what_does_not_work(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Sandbox(sandbox_settings(tmp_path, account_attribute=True)) as sandbox:
        settings = sync_settings(sandbox, database_url)
        d365_sync = configured(tmp_path, settings, monkeypatch)
        healthy = await d365_sync("check")
        assert healthy.exit_code == 0, healthy.output
        sandbox.systems["fo"].dials.patch(
            {"mandatory_fields": ["ReturnOrderLinesV2.OriginStateId"]}
        )

        shown = await d365_sync("check")
        told = await d365_sync("check", "--json")

        assert (shown.exit_code, told.exit_code) == (1, 1)
        assert "FAILED" in shown.stdout
        rows = [each for table in json.loads(told.stdout)["tables"] for each in table["rows"]]
        [red] = [each for each in rows if each["state"] == "failed"]
        assert red["name"] == "ReturnOrderLinesV2 schema"
        assert red["next_step"]
