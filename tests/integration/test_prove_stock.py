"""`d365-sync check --prove-stock ORDER`, run against both simulated systems while a person acts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import typer

from sync.console.prove_stock import prove_stock
from tests.integration.sync_running import (
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    World,
    running_sync,
    sync_settings,
)

SKU = "LAMP-01"
USUAL = ["AvailableOnHandQuantity", "-OnOrderQuantity", "-ReservedOrderedQuantity"]


def configured(measure: list[str]) -> dict[str, Any]:
    rules = {
        "website_id": WEBSITE,
        "store_ids": [STORE],
        "flows": ["orders", "customers", "stock"],
        "orders": ORDER_RULES,
        "stock": {"stock_id": 3, "sources": {"berlin": ["13"]}, "measure": measure},
    }
    return {"markets": {MARKET: rules}}


class Person:
    """Places a test order, lets it in, and posts its slip, each when the command says so."""

    def __init__(self, world: World, said: pytest.CaptureFixture[str]) -> None:
        self._world = world
        self._capture = said
        self.said = ""

    async def begin(self, reservation: str) -> str:
        """Pause orders, and place one; return its number."""
        await self._world.dial("fo", reservation=reservation)
        await self._pause(is_paused=True)
        [number] = await self._world.place(lines=[{"sku": SKU, "quantity": 3}], customer=1)
        return number

    async def act(self, number: str) -> None:
        """Do what the command says next."""
        await self._told("Now let the order into the ERP")
        await self._pause(is_paused=False)
        await self._told("Now deliver all of it in the ERP")
        address = f"{self._world.sandbox.control_url}/systems/fo/orders"
        erp = self._world.erp_orders()[number]["number"]
        async with self._world.control.post(f"{address}/{erp}/slip") as answer:
            assert answer.status == 200, await answer.text()

    async def _told(self, words: str) -> None:
        async def is_told() -> bool:
            self.said += self._capture.readouterr().out
            return words in " ".join(self.said.split())

        await self._world.until(is_told)

    async def _pause(self, *, is_paused: bool) -> None:
        control = self._world.running.stores.control
        await control.set_paused("orders", is_paused=is_paused, reason="a test order", by="a test")


@asynccontextmanager
async def proving(
    folder: Path, database_url: str, measure: list[str], said: pytest.CaptureFixture[str]
) -> AsyncIterator[tuple[Person, Callable[[str], None]]]:
    """Run the sync, and give a person and the command."""
    async with running_sync(folder, database_url, **configured(measure)) as world:
        settings = sync_settings(world.sandbox, database_url, **configured(measure))
        yield Person(world, said), lambda number: prove_stock(settings, number)


@pytest.mark.parametrize("reservation", ["None", "Automatic", "Explosion"])
async def test_the_usual_measure_is_right_however_the_erp_reserves(
    reservation: str, tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with proving(tmp_path, database_url, USUAL, capsys) as (person, prove):
        number = await person.begin(reservation)
        await asyncio.gather(asyncio.to_thread(prove, number), person.act(number))
    shown = (person.said + capsys.readouterr().out).split(SKU)[-1]
    assert "right" in shown


async def test_a_measure_that_does_not_see_demand_ends_with_1_and_says_by_how_much_it_fell(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    measure = ["AvailableOnHandQuantity"]
    async with proving(tmp_path, database_url, measure, capsys) as (person, prove):
        number = await person.begin("None")
        with pytest.raises(typer.Exit) as ended:
            await asyncio.gather(asyncio.to_thread(prove, number), person.act(number))
    assert ended.value.exit_code == 1
    shown = " ".join((person.said + capsys.readouterr().out).split())
    assert "fell by 0 and not by 3" in shown
    assert "sync.markets.*.stock.measure" in shown


async def test_an_order_that_no_market_has_proves_nothing(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with proving(tmp_path, database_url, USUAL, capsys) as (_, prove):
        with pytest.raises(typer.Exit):
            await asyncio.to_thread(prove, "000000000")
    assert "has an order 000000000" in " ".join(capsys.readouterr().err.split())
