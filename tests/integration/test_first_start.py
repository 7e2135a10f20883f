"""The program started for the first time, against a shop with 500 old orders."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from pricing_proxy.children import tied
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.sandbox.shop.odd_rows import odd_row
from tests.integration.running import until
from tests.integration.sync_running import (
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    Placing,
    sync_settings,
)
from tests.sandbox.conftest import settings as sandbox_settings
from tests.sync_console.between_systems import configured
from tests.sync_console.conftest import CommandLine

OLD, NOT_CONFIRMED = 500, 3


@asynccontextmanager
async def program(d365_sync: CommandLine, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start `d365-sync run`; on exit, end it as an operator would."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sync", "run", "--config", str(d365_sync.file), *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        **tied(),
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


async def test_500_old_orders_stay_in_the_shop_and_export_sends_one(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = {
        "website_id": WEBSITE,
        "store_ids": [STORE],
        "orders": {**ORDER_RULES, "start_at": f"{STORE}{OLD + 1:09}"},
        "customers": {"group": {"*": "10"}},
    }
    async with Sandbox(sandbox_settings(tmp_path)) as sandbox, ClientSession() as control:
        systems = Placing(sandbox, control)
        old = await systems.place(OLD, kind="simple")
        # In two pages of the five that are counted; the shop fails at the whole page of one.
        sandbox.shop.write_row("orders", 3, odd_row({"members": {"store_id": None}}))
        sandbox.shop.write_row("orders", 301, odd_row({"unreadable": True}))
        more = {"markets": {MARKET: market}, "operators": {"port": 0}}
        settings = sync_settings(sandbox, database_url, **more)
        d365_sync = configured(tmp_path, settings, monkeypatch)

        async with program(d365_sync) as unconfirmed:
            said, _ = await unconfirmed.communicate(b"n\n")
        assert unconfirmed.returncode == NOT_CONFIRMED
        [total] = [line for line in said.decode().splitlines() if "all" in line.split()]
        assert ["0", str(OLD - 2)] == [word for word in total.split() if word.isdecimal()]
        assert f"{old[2]} (#3)" in said.decode()
        assert "store_id is missing" in said.decode()
        assert "#301" in said.decode()
        assert "Nothing was sent" in said.decode()
        assert "d365-sync map-customers" in said.decode()
        assert systems.erp_orders() == {}

        async with program(d365_sync, "--yes") as carrying:
            [new] = await systems.place(1, kind="simple")
            # It came by a poll, which has been over the old ones.
            await systems.arrived(new)
            # Daemons are asked so to read their configuration anew; it ended without a word.
            carrying.send_signal(signal.SIGHUP)
            assert set(systems.erp_orders()) == {new}

            async def are_odd_rows_told() -> bool:
                # What is of no store is of no market. A poll tells of its odd rows when it ends.
                told = await d365_sync.json("status")
                odd = {row["row_id"]: row["member"] for row in told["state"]["odd_rows"]}
                return told["left_out"] == {MARKET: OLD - 1} and odd == {3: "store_id", 301: ""}

            await until(are_odd_rows_told)
            exported = await d365_sync("export", old[7], "--by", "anna")
            again = await d365_sync("export", old[7])
            await systems.arrived(old[7])
        assert f"d365-sync order {old[7]}" in exported.stdout
        assert (again.exit_code, "entered before" in again.stderr) == (1, True)
        assert set(systems.erp_orders()) == {new, old[7]}
        # Folded below a narrow table.
        story = " ".join((await d365_sync("order", old[8])).stdout.split())
        assert f"d365-sync export {old[8]}" in story
        unknown = await d365_sync("export", "999999999")
        assert (unknown.exit_code, "no order 999999999" in unknown.stderr) == (1, True)
        assert (await d365_sync("order", "999999999")).exit_code == 1
