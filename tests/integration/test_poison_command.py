"""`pricing-proxy poison` shows what the ERP refuses, and has it asked again after a repair."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from pricing_proxy.__main__ import app
from pricing_proxy.configuration.reading import KEY_VARIABLE
from pricing_proxy.sandbox.finance_operations import PRICE_PATH
from tests.integration.running import KEY, READER_KEY, Running, running_service, until


@pytest.fixture
async def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    async with running_service(tmp_path) as service:
        yield service


async def run(*arguments: str) -> Result:
    """Run the command beside the loop that the service runs in."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["poison", *arguments])


async def test_what_is_kept_out_is_shown_without_its_customer_and_cleared(
    running: Running,
) -> None:
    there = ("--url", running.admin)
    nothing = await run("show", *there)
    await running.turn("fo", poison_lines=[{"customer": "C-1003", "sku": "LAMP-04"}])

    async def is_kept_out() -> bool:
        await running.ask(["LAMP-04", "LAMP-05"], customer="c-1003", wait_ms=5000)
        return bool((await running.status())["kept_out"])

    await until(is_kept_out)
    shown = await run("show", *there)
    await running.turn("fo", poison_lines=[])
    refused = await running.ask(["LAMP-04"], customer="C-1003", wait_ms=5000)
    cleared = await run("clear", "--sku", "lamp-04", "--market", "b2b_de", *there)
    asked = await running.ask(["LAMP-04"], customer="C-1003", wait_ms=5000)
    again = await run("clear", *there)

    assert nothing.stdout == "Nothing is kept out.\n"
    assert {each.exit_code for each in (nothing, shown, cleared, again)} == {0}
    [row] = [line for line in shown.stdout.splitlines() if "LAMP-04" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[:4] == ["b2b_de", "LAMP-04", "refused_by_erp", "1"]
    assert cells[4].startswith("1 lines, ")
    assert "1003" not in shown.stdout
    assert [each.content["lines"][0]["state"] for each in (refused, asked)] == [
        "unavailable",
        "fresh",
    ]
    assert cleared.stdout.startswith("1 SKUs were kept out")
    assert again.stdout.startswith("0 SKUs were kept out")


async def test_clearing_needs_the_scope_of_operators(running: Running) -> None:
    weak = await run("clear", "--url", running.admin, "--key", READER_KEY)
    elsewhere = await run("clear", "--url", running.admin, "--market", "nowhere")

    assert (weak.exit_code, elsewhere.exit_code) == (1, 1)
    assert "lacks the scope operate" in weak.stderr
    assert "no such market" in elsewhere.stderr


@pytest.mark.parametrize(
    ("outage", "reason", "next_step"),
    [
        ({"deadlock_rate": 1}, "refused_by_erp (500)", "agreed contract"),
        ({"price_page": 401}, "erp_denied (401)", "client id"),
        ({"price_page": 403}, "erp_denied (403)", "role"),
        ({"price_page": 404}, "refused_by_erp (404)", "price_service_path"),
        ({"price_page": 405}, "refused_by_erp (405)", "something else"),
        ({"price_page": 200}, "erp_contract (200)", "login"),
    ],
)
async def test_an_erp_that_refuses_every_price_is_red_while_it_is_up(
    running: Running, outage: dict[str, Any], reason: str, next_step: str
) -> None:
    """As with a service that was not deployed, or a role that was taken away."""
    await running.turn("fo", **outage)
    for first in (1, 4, 7, 10):
        await running.ask([f"LAMP-{first + each:02}" for each in range(3)], wait_ms=5000)
    failing = (await running.status())["markets"]["b2b_de"]["failing"]
    await running.turn("fo", deadlock_rate=0, price_page=None)

    async def is_answered() -> bool:
        answer = await running.ask(["LAMP-20"], wait_ms=5000)
        return bool(answer.content["complete"])

    await until(is_answered)
    well = (await running.status())["markets"]["b2b_de"]["failing"]

    assert failing["reason"] == reason
    assert failing["path"] == PRICE_PATH
    assert next_step in failing["next_step"]
    assert failing["loads"] >= 3
    assert well is None
