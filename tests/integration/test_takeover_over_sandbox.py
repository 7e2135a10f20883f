"""Two registrations with one tax number: the second and its orders are held, then delivered once.

Shop, ERP, sync, price service and the command line are the real programs' parts over HTTP.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.server import Sandbox
from sync.serve.application import running
from sync.settings import SyncSettings
from sync.store.states import EventState
from tests.fakes.redis_server import fake_redis_port
from tests.integration.running import Running, serving, settings_of_two_markets
from tests.integration.sync_running import MARKET, World, sync_settings
from tests.sandbox.conftest import settings as sandbox_settings
from tests.sync_console.between_systems import configured
from tests.sync_console.conftest import CommandLine

__all__ = ["fake_redis_port"]

SMALL = CatalogSize(skus=60, customers=8)
VAT = "DE999888777"
# What README promises of a changed link and of a new customer's price.
FOLLOWS_SECONDS = 10


@pytest.fixture
def redis_url(fake_redis_port: int) -> str:
    return f"redis://127.0.0.1:{fake_redis_port}/0"


@asynccontextmanager
async def two_systems(
    folder: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[World, CommandLine]]:
    async with (
        Sandbox(sandbox_settings(folder, size=SMALL, account_attribute=True)) as sandbox,
        ClientSession() as control,
    ):
        document = sync_settings(sandbox, database_url).model_dump(exclude_unset=True)
        document["redis"] = {"url": redis_url}
        settings = SyncSettings.model_validate(document)
        async with running(settings, clock=SystemClock()) as parts:
            yield World(sandbox, control, parts), configured(folder, settings, monkeypatch)


async def ended(world: World, customer: int, *states: EventState) -> None:
    """Wait until the customer's newest event is in one of the states."""

    async def is_so() -> bool:
        events = await world.running.stores.overview.by_key(str(customer))
        return bool(events) and events[-1].state in states

    await world.until(is_so)


async def price_of(service: Running, customer: int) -> str | None:
    """Return what a customer of the shop pays for a lamp; None while nobody knows them."""
    path = f"/v1/prices?market={MARKET}&magento_id={customer}&sku=LAMP-01&wait_ms=5000"
    answer = await service.get(path)
    assert answer.status in (200, 404), answer.text
    return None if answer.status == 404 else str(answer.content["lines"][0]["price"])


def account_of(world: World, customer: int) -> str:
    attributes = world.sandbox.shop.customers.get(customer).get("custom_attributes", ())
    found = [each["value"] for each in attributes if each["attribute_code"] == "erp_account"]
    return str(found[0]) if found else ""


def _unfolded(table: str) -> str:
    """Return a table's last but one column as one text."""
    cells = [line.split("│")[-3].strip() for line in table.splitlines() if line.count("│") > 3]
    return " ".join(cells)


def booked(world: World) -> dict[str, str]:
    """Return the account of each released order by reference."""
    return {reference: order["customer"] for reference, order in world.erp_orders().items()}


async def test_the_second_registration_waits_for_a_person_and_its_orders_with_it(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_systems(tmp_path, database_url, redis_url, monkeypatch) as (world, d365_sync):
        first = world.register("one@shop.example", taxvat=VAT)
        await ended(world, first, EventState.DONE)
        second = world.register("two@shop.example", taxvat="de 999 888 777")
        await ended(world, second, EventState.HELD)
        [number] = await world.place(1, kind="simple", customer=second)
        await ended(world, int(number), EventState.BLOCKED)
        account = account_of(world, first)

        said = (await d365_sync("failed")).stdout
        for part in (account, f"customer {MARKET}/{first} has it", "taxvat", "approve", "reject"):
            assert part in said
        assert f"{account} e-mail: shop t…@shop.example, ERP o…@shop.example" in _unfolded(said)
        assert number not in world.erp_orders()
        approved = await d365_sync("approve", f"{MARKET}/{second}", "--yes", "--reason", "phoned")

        assert approved.exit_code == 0, approved.output
        await world.arrived(number)
        assert booked(world)[number] == account
        [order] = [o for o in world.sandbox.documents.orders.told() if o["reference"] == number]
        assert not order["is_stopped"]
        listed = await d365_sync.json("links", "--market", MARKET)
        by_customer = {each["customer_id"]: each for each in listed}
        assert by_customer[str(second)]["origin"] == "person"
        assert by_customer[str(first)]["origin"] == "created"
        assert await d365_sync.json("links", "--unreviewed") == []


async def test_of_two_registrations_at_one_instant_one_owns_and_one_is_held(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_systems(tmp_path, database_url, redis_url, monkeypatch) as (world, _):
        # Long enough that both look for an account before either is there.
        await world.dial("fo", latency_ms=40)
        both = [
            world.register("one@shop.example", taxvat=VAT),
            world.register("two@shop.example", taxvat="999 888 777"),
        ]
        for customer in both:
            await ended(world, customer, EventState.DONE, EventState.HELD)

        events = [
            (await world.running.stores.overview.by_key(str(customer)))[-1] for customer in both
        ]
        assert sorted(event.state for event in events) == [EventState.DONE, EventState.HELD]
        rows = [each["customer"] for each in world.sandbox.documents.customers.told()]
        assert len([row for row in rows if row["TaxExemptNumber"].endswith("777")]) == 1


async def test_a_rejected_one_gets_an_account_of_its_own(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with two_systems(tmp_path, database_url, redis_url, monkeypatch) as (world, d365_sync):
        stranger = world.register(
            "eve@shop.example",
            custom_attributes=[{"attribute_code": "erp_account", "value": "C-1001"}],
        )
        await ended(world, stranger, EventState.HELD)
        [number] = await world.place(1, kind="simple", customer=stranger)
        await ended(world, int(number), EventState.BLOCKED)
        [waiting] = await world.running.stores.overview.by_key(number)

        # By the order's event, as an operator finds it first.
        declined = await d365_sync("reject", str(waiting.id), answer="n\n")
        assert declined.exit_code == 1
        assert "Nothing was changed" in declined.output
        rejected = await d365_sync("reject", str(waiting.id), "--yes")

        assert rejected.exit_code == 0, rejected.output
        await world.arrived(number)
        assert booked(world)[number] == account_of(world, stranger)
        assert account_of(world, stranger) != "C-1001"


async def test_prices_follow_each_link_within_seconds(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No restart and no new map between the registration and the price, nor after a change."""
    async with two_systems(tmp_path, database_url, redis_url, monkeypatch) as (world, d365_sync):
        settings = settings_of_two_markets(world.sandbox, redis_url, "main")
        async with serving(world.sandbox, settings) as service:
            for account, price in (("C-1001", "11.11"), ("C-1002", "22.22")):
                await service.post_price(
                    account_type="table", account=account, sku="LAMP-01", price=price
                )
            customer = world.register("new@shop.example")
            assert await price_of(service, customer) is None
            await ended(world, customer, EventState.DONE)
            made = account_of(world, customer)
            own = await price_of(service, customer)
            assert own not in (None, "11.11", "22.22")

            async def follows(price: str | None) -> None:
                async def is_so() -> bool:
                    found = await price_of(service, customer)
                    assert found in {price, before}
                    return found == price

                await world.until(is_so, seconds=FOLLOWS_SECONDS)

            before = own
            for account, price in (("C-1001", "11.11"), ("C-1002", "22.22")):
                linked = await d365_sync("link", MARKET, str(customer), account, "--yes")
                assert linked.exit_code == 0, linked.output
                await follows(price)
                before = price

                async def is_told(named: str = account) -> bool:
                    return account_of(world, customer) == named

                await world.until(is_told)
            unlinked = await d365_sync("unlink", MARKET, str(customer), "--yes")
            assert unlinked.exit_code == 0, unlinked.output
            await follows(None)
            # Not even the attribute, which a module of the shop may go by, names it any more.
            assert account_of(world, customer) == ""
            await ended(world, customer, EventState.HELD)
            assert made not in {"C-1001", "C-1002"}


async def test_an_account_that_was_taken_away_goes_from_the_attribute_in_any_letters(
    tmp_path: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A customer may write it there in letters of its own, which are the account as well."""
    async with two_systems(tmp_path, database_url, redis_url, monkeypatch) as (world, d365_sync):
        customer = world.register("new@shop.example")
        await ended(world, customer, EventState.DONE)
        typed = f" {account_of(world, customer).lower()}"
        attribute = {"attribute_code": "erp_account", "value": typed}
        world.sandbox.shop.customers.change(customer, {"custom_attributes": [attribute]})
        assert account_of(world, customer) == typed

        unlinked = await d365_sync("unlink", MARKET, str(customer), "--yes")

        assert unlinked.exit_code == 0, unlinked.output
        assert account_of(world, customer) == ""
