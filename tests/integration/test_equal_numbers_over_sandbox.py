"""Two store views of one market number alike: over HTTP, from placing to the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.diagnosis.board import RowState
from sync.orders.check import NUMBERS
from sync.store.states import EventState
from tests.integration.sync_running import MARKET, ORDER_RULES, WEBSITE, World
from tests.sync_console.between_systems import two_systems
from tests.sync_console.conftest import CommandLine

STORES = ("b2b_de", "b2b_de_en")


def market(**prefixes: str) -> dict[str, Any]:
    """Return the market with both store views of its website."""
    return {
        MARKET: {
            "website_id": WEBSITE,
            "store_ids": [3, 4],
            "orders": {
                **ORDER_RULES,
                "reference_prefix": {
                    name.removeprefix("store_"): text for name, text in prefixes.items()
                },
            },
            "customers": {"group": {"*": "10"}},
            "returns": {"undelivered": "send", "disposition": "Credit"},
        }
    }


async def place_two(world: World) -> str:
    """Place an order of one number in each store view; return the number."""
    await world.dial("magento", number_prefix="4")
    numbers = {(await world.place(1, kind="simple", store=store))[0] for store in STORES}
    (number,) = numbers
    return number


async def ended(world: World, number: str, *states: EventState) -> None:
    async def is_so() -> bool:
        events = await world.running.stores.overview.by_key(number)
        found = [event.state for event in events if event.flow == "orders"]
        return sorted(found) == sorted(states)

    await world.until(is_so)


async def test_both_are_delivered_and_told_apart_by_every_command(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    markets = market(store_4="B-")
    async with two_systems(tmp_path, database_url, monkeypatch, markets=markets) as (
        world,
        d365_sync,
    ):
        number = await place_two(world)
        await ended(world, number, EventState.DONE, EventState.DONE)

        erp = world.erp_orders()
        assert set(erp) == {number, f"B-{number}"}
        told = await d365_sync.json("order", number)
        assert {each["shop"]["store_id"] for each in told["orders"]} == {3, 4}
        for each in told["orders"]:
            [own] = [one for one in each["erp"][MARKET] if not one["is_anothers"]]
            assert each["shop"]["ext_order_id"] == own["SalesOrderNumber"]
            assert len(each["events"]) == 1
        said = (await d365_sync("order", number)).stdout
        assert f"2 orders have the number {number}: #1, #2" in said
        alone = await d365_sync.json("order", number, "--store", "4")
        assert alone["entity_id"] == "2"
        assert alone["erp"][MARKET][0]["SalesOrderNumber"] == erp[f"B-{number}"]["number"]
        assert (await d365_sync.json("order", number, "--entity-id", "1"))["entity_id"] == "1"
        ambiguous = await d365_sync("export", number)
        assert ambiguous.exit_code == 1
        assert "store view 3" in ambiguous.output
        assert "--entity-id" in ambiguous.output
        entered = await d365_sync("export", number, "--store", "4")
        assert f"Order {number} (#2) was entered before" in " ".join(entered.output.split())
        assert (await red(d365_sync)).get(NUMBERS) is None


async def test_without_a_prefix_the_second_is_held_until_there_is_one(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_systems(tmp_path, database_url, monkeypatch, markets=market()) as (
        world,
        d365_sync,
    ):
        number = await place_two(world)
        await ended(world, number, EventState.DONE, EventState.HELD)

        assert set(world.erp_orders()) == {number}
        [held] = await d365_sync.json("failed")
        assert "#1" in held["trouble"]["text"]
        assert "#2" in held["trouble"]["text"]
        assert "reference_prefix" in held["trouble"]["advice"]
        row = (await red(d365_sync))[NUMBERS]
        assert f"store views 3 and 4 both have an order {number} (#1, #2)" in row


async def red(d365_sync: CommandLine) -> dict[str, str]:
    """Return what the red rows of a check found, by their name."""
    told = json.loads((await d365_sync("check", "--json")).stdout)
    return {
        row["name"]: row["found"]
        for table in told["tables"]
        for row in table["rows"]
        if row["state"] == RowState.FAILED
    }
