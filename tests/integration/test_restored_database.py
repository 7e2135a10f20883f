"""PostgreSQL restored to an earlier time: what was carried since is found, and nothing goes twice.

A backup is a copy of the database between two shifts of the sync; the second shift's work is lost
with the original. Orders, a return and a new customer's account of it are in the ERP.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.sandbox.shop.invoices import invoice
from pricing_proxy.sandbox.shop.refunds import refund
from sync.serve.application import running
from sync.store.states import EventState
from tests.integration.sync_running import MARKET, World, sync_settings
from tests.lent_databases import copied_database, url_of
from tests.sandbox.conftest import settings as sandbox_settings
from tests.sync_console.between_systems import configured

SMALL = CatalogSize(skus=60, customers=8)


@asynccontextmanager
async def a_shift(
    sandbox: Sandbox, control: ClientSession, database_url: str
) -> AsyncIterator[World]:
    """Run the sync over a database for a while."""
    async with running(sync_settings(sandbox, database_url), clock=SystemClock()) as parts:
        yield World(sandbox, control, parts)


async def settled(world: World, *, orders: int, returns: int = 0) -> None:
    """Wait until so many documents are carried, and nothing waits."""

    async def is_so() -> bool:
        flows = await world.running.stores.overview.flows()
        counts = {flow.flow: flow.counts for flow in flows}
        done = [counts.get(name, {}).get("done", 0) for name in ("orders", "returns")]
        return done == [orders, returns] and all(set(each) <= {"done"} for each in counts.values())

    await world.until(is_so)


def row_of(sandbox: Sandbox, number: str) -> dict[str, Any]:
    """Return the shop's own row of an order."""
    return next(row for row in sandbox.shop.orders.values() if row["increment_id"] == number)


def accounts(sandbox: Sandbox) -> list[str]:
    """Return the ERP's customers."""
    return [each["customer"]["CustomerAccount"] for each in sandbox.documents.customers.told()]


async def test_nothing_is_sent_twice_by_a_database_of_an_earlier_time(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = url_of(database_url, "postgres")
    async with (
        Sandbox(sandbox_settings(tmp_path, size=SMALL, account_attribute=True)) as sandbox,
        ClientSession() as control,
    ):
        async with a_shift(sandbox, control, database_url) as world:
            early = await world.place(2, kind="simple")
            await settled(world, orders=2)
        with copied_database(server, urlsplit(database_url).path.strip("/")) as backup:
            restored = url_of(server, backup)
            async with a_shift(sandbox, control, database_url) as world:
                newcomer = world.register("nora@neu.example")
                late = await world.place(3, kind="simple")
                late += await world.place(1, kind="simple", customer=newcomer)
                await settled(world, orders=6)
                billed = row_of(sandbox, early[0])["entity_id"]
                invoice(sandbox.shop, billed, {})
                refund(sandbox.shop, billed, {})
                await settled(world, orders=6, returns=1)
            before = sandbox.documents.orders.told()
            returns, customers = sandbox.documents.returns.told(), accounts(sandbox)
            # Of one the shop does not even know that it went: its number was not written back.
            row_of(sandbox, late[0])["ext_order_id"] = None

            async with a_shift(sandbox, control, restored) as world:
                [fresh] = await world.place(1, kind="simple", customer=newcomer)

                async def waits_for_a_person() -> bool:
                    events = await world.running.stores.overview.by_key(str(newcomer))
                    return [each.state for each in events] == [EventState.HELD]

                await world.until(waits_for_a_person)
                assert fresh not in world.erp_orders()
                d365_sync = configured(tmp_path, sync_settings(sandbox, restored), monkeypatch)
                said = await d365_sync(
                    "approve", f"{MARKET}/{newcomer}", "--yes", "--reason", "restored"
                )
                assert said.exit_code == 0, said.output
                # The two of the backup, the one that the shop knew nothing of, and the new one.
                await settled(world, orders=4, returns=1)
                now = world.erp_orders()

        assert set(now) == {*early, *late, fresh}
        assert now[fresh]["customer"] == now[late[-1]]["customer"]
        assert row_of(sandbox, late[0])["ext_order_id"] == now[late[0]]["number"]
        others = [each for each in sandbox.documents.orders.told() if each["reference"] != fresh]
        assert others == before
        assert sandbox.documents.returns.told() == returns
        assert accounts(sandbox) == customers
