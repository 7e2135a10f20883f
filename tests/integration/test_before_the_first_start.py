"""What was there before the first start comes by commands: refunds, and customers with accounts."""

from functools import partial
from pathlib import Path

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.sandbox.shop.invoices import invoice
from pricing_proxy.sandbox.shop.odd_rows import odd_row
from pricing_proxy.sandbox.shop.refunds import refund
from sync.serve.application import running
from sync.store.states import EventState
from tests.integration.sync_running import (
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    Placing,
    World,
    sync_settings,
)
from tests.sandbox.conftest import settings as sandbox_settings
from tests.sync_console.between_systems import configured
from tests.sync_console.conftest import CommandLine

SMALL = CatalogSize(skus=60, customers=8)
TABLE = """\
customer;name;account
{ada};Ada; c-1001
{bob};Bob;C-1001
{bob};Bob again;C-1002
99999;Nobody;C-1001
{eve};Eve;C-9999
eve;Eve;C-1001
"""


async def test_refunds_and_customers_from_before_come_by_commands(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = {
        "website_id": WEBSITE,
        "store_ids": [STORE],
        "orders": {**ORDER_RULES, "start_at": f"{STORE}000000900"},
        "customers": {"group": {"*": "10"}},
        "returns": {"undelivered": "send", "disposition": "Credit"},
    }
    async with (
        Sandbox(sandbox_settings(tmp_path, size=SMALL)) as sandbox,
        ClientSession() as control,
    ):
        settings = sync_settings(sandbox, database_url, markets={MARKET: market})
        d365_sync = configured(tmp_path, settings, monkeypatch)
        ada, bob, eve = (_registered(sandbox, name) for name in ("ada", "bob", "eve"))
        systems = Placing(sandbox, control)
        lines = [{"sku": "LAMP-01", "quantity": "2"}]
        [number] = await systems.place(1, lines=lines, customer=1)
        [order] = sandbox.shop.orders
        invoice(sandbox.shop, order, {})
        row = sandbox.shop.orders[order]["items"][0]["item_id"]
        some = {"items": [{"order_item_id": row, "qty": 1}], "arguments": {"shipping_amount": 0}}
        memo = int(refund(sandbox.shop, order, some))
        [gone] = await systems.place(1, lines=lines, customer=1)
        sandbox.shop.orders[max(sandbox.shop.orders)]["state"] = "canceled"
        sandbox.shop.credit_memos[memo]["updated_at"] = "2026-01-01 00:00:00"
        told = sandbox.shop.credit_memos[memo]["increment_id"]
        table = tmp_path / "accounts.csv"
        table.write_text(TABLE.format(ada=ada, bob=bob, eve=eve), encoding="utf-8")

        sandbox.shop.write_row("customers", eve, odd_row({"unreadable": True}))
        stumbled = await d365_sync("map-customers", MARKET, str(table), "--plan")
        assert f"customer {eve}: cannot be read: magento answered 500" in stumbled.stdout
        assert "customer 99999: the shop has no customer" in stumbled.stdout
        sandbox.shop.write_row("customers", eve, odd_row({"unreadable": False}))
        planned = await d365_sync("map-customers", MARKET, str(table), "--plan")
        assert planned.exit_code == 1
        assert (await d365_sync("links")).stdout.count("C-1001") == 0
        for part in (
            "line 4: customer",
            "line 7: customer is the shop's id of one",
            "customer 99999: the shop has no customer 99999 on website",
            f"customer {eve}: demf has no account C-9999",
        ):
            assert part in planned.stdout
        unsaid = await d365_sync("map-customers", MARKET, str(table), answer="n\n")
        assert "Nothing was changed" in unsaid.output
        done = await d365_sync("map-customers", MARKET, str(table), "--yes", "--by", "ann")
        assert (done.exit_code, "Done." in done.stdout) == (1, True)
        links = await d365_sync.json("links", "--market", MARKET)
        assert {(int(each["customer_id"]), each["account"]) for each in links} == {
            (ada, "C-1001"),
            (bob, "C-1001"),
        }
        again = await d365_sync("map-customers", MARKET, str(table), "--plan")
        assert "left alone: has an account" in again.stdout

        async with running(settings, clock=SystemClock()) as parts:
            world = World(sandbox, control, parts)
            await _export(world, d365_sync, number, told, memo)
            await _export_twice(world, d365_sync, gone)
            lone = await d365_sync("map-customers", MARKET, "--customer", str(eve), "--yes")
            assert lone.exit_code == 0, lone.output
            await world.until(lambda: _is_linked(world, eve))
            rest = await d365_sync("map-customers", MARKET, "--plan")
            assert rest.exit_code == 0, rest.output
            assert "put in line" in rest.stdout


def _registered(sandbox: Sandbox, name: str) -> int:
    customer = {
        "email": f"{name}@shop.test",
        "firstname": name,
        "lastname": "Old",
        "website_id": WEBSITE,
        "store_id": STORE,
    }
    return int(sandbox.shop.customers.create(customer)["id"])


async def _is_linked(world: World, customer: int) -> bool:
    links = await world.running.stores.decisions.links(market=MARKET)
    return str(customer) in {link.customer_id for link in links}


async def _export_twice(world: World, d365_sync: CommandLine, number: str) -> None:
    """What was skipped may be meant after all: it was said to export it, and that was refused."""

    async def are_skipped(count: int) -> bool:
        events = await world.running.stores.overview.by_key(number, flow="orders")
        return [event.state for event in events] == [EventState.SKIPPED] * count

    for count in (1, 2):
        assert (await d365_sync("export", number)).exit_code == 0
        await world.until(partial(are_skipped, count))


async def _export(world: World, d365_sync: CommandLine, number: str, told: str, memo: int) -> None:
    """Send an old refund: its order has to go first, which its event says."""

    async def ended(state: EventState) -> None:
        async def is_so() -> bool:
            events = await world.running.stores.overview.by_document("returns", str(memo))
            return any(event.state is state for event in events)

        await world.until(is_so)

    planned = await d365_sync("export-return", told, "--plan")
    assert "would be put in line" in planned.stdout
    assert (await d365_sync("export-return", told)).exit_code == 0
    await ended(EventState.SKIPPED)
    [event] = await world.running.stores.overview.by_document("returns", str(memo))
    assert f"d365-sync export {number}" in event.note
    assert (await d365_sync("export", number)).exit_code == 0
    await world.arrived(number)
    assert (await d365_sync("export-return", told)).exit_code == 0
    await ended(EventState.DONE)
    [returned] = world.sandbox.documents.returns.told()
    assert returned["header"]["CustomersOrderReference"].endswith(told)
    once_more = await d365_sync("export-return", told)
    assert (once_more.exit_code, "entered before" in once_more.stderr) == (1, True)
    nobody = await d365_sync("export-return", "999999999")
    assert (nobody.exit_code, "no refunded credit memo" in nobody.stderr) == (1, True)
