"""One person on two websites is two accounts or one, as configured, and prices follow.

Shop, ERP, sync and price service are the real programs' parts over HTTP; both customers
register at the same instant, so that both are looked for in the ERP at once.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from pricing_proxy.clock import SystemClock
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.settings import Settings
from pricing_proxy.shared_state.maps import SharedMaps
from pricing_proxy.shared_state.provenance import provenances
from sync.customers.publishing import publish_customers
from sync.serve.application import running
from sync.settings import SyncSettings
from sync.store.all_links import AllLinks
from sync.store.states import EventState
from tests.fakes.redis_server import fake_redis_port
from tests.integration.running import serving, settings_of_two_markets
from tests.integration.sync_running import MARKET, World, sync_settings
from tests.sandbox.conftest import settings as sandbox_settings

__all__ = ["fake_redis_port"]

OTHER, OTHER_WEBSITE = "main", 1
SMALL = CatalogSize(skus=60, customers=8)
EMAIL = "nora@shop.example"


@pytest.fixture
def redis_url(fake_redis_port: int) -> str:
    return f"redis://127.0.0.1:{fake_redis_port}/0"


def two_markets(sandbox: Sandbox, database_url: str, redis_url: str, **rules: Any) -> SyncSettings:
    """Return the sync's settings for two websites of one company; `rules` are the other's.

    Both confirm e-mail addresses.
    """
    document = sync_settings(sandbox, database_url).model_dump()
    document["redis"] = {"url": redis_url}
    document["markets"][OTHER] = document["markets"][MARKET]
    own = document["sync"]["markets"]
    own[MARKET]["customers"]["email_is_guarded"] = True
    own[OTHER] = {
        **own[MARKET],
        "website_id": OTHER_WEBSITE,
        "store_ids": [OTHER_WEBSITE],
        "customers": {**own[MARKET]["customers"], **rules},
    }
    return SyncSettings.model_validate(document)


@asynccontextmanager
async def two_websites(
    folder: Path, database_url: str, redis_url: str, **rules: Any
) -> AsyncIterator[World]:
    async with (
        Sandbox(sandbox_settings(folder, size=SMALL, account_attribute=True)) as sandbox,
        ClientSession() as control,
    ):
        # Long enough that both look for an account before either is there.
        sandbox.systems["fo"].dials.patch({"latency_ms": 40})
        settings = two_markets(sandbox, database_url, redis_url, **rules)
        async with running(settings, clock=SystemClock()) as parts:
            yield World(sandbox, control, parts)


async def carried(world: World, *customers: int) -> None:
    """Wait until the events of customers are done."""

    async def are_done() -> bool:
        for customer in customers:
            events = await world.running.stores.overview.by_key(str(customer))
            assert not any(event.state is EventState.HELD for event in events)
            if not any(event.state is EventState.DONE for event in events):
                return False
        return True

    await world.until(are_done)


def accounts(world: World) -> list[str]:
    """Return the ERP's accounts of the person."""
    rows = [each["customer"] for each in world.sandbox.documents.customers.told()]
    return [row["CustomerAccount"] for row in rows if row["PrimaryContactEmail"] == EMAIL]


async def publish_again(world: World, redis_url: str, settings: Settings) -> None:
    """Empty Redis, and have the customers flow fill it, as after a Redis that was lost."""
    async with Redis.from_url(redis_url) as client:
        await client.flushall()
        maps = SharedMaps(client, provenances(settings.environments, settings.markets))
        links = AllLinks(world.running.stores.opened.database, {})
        count = await publish_customers(links, maps, markets=[MARKET, OTHER])
        assert count >= 2


@pytest.mark.parametrize(
    ("rules", "count"),
    [({}, 2), ({"shared_with": MARKET}, 1)],
    ids=["two accounts", "one account"],
)
async def test_one_person_on_two_websites_and_their_prices(
    tmp_path: Path, database_url: str, redis_url: str, rules: dict[str, str], count: int
) -> None:
    async with two_websites(tmp_path, database_url, redis_url, **rules) as world:
        first = world.register(EMAIL)
        second = world.register(EMAIL, website=OTHER_WEBSITE)
        await carried(world, first, second)

        assert len(accounts(world)) == count
        of_first, of_second = (_account(world, each) for each in (first, second))
        assert {of_first, of_second} == set(accounts(world))
        prices = dict(zip(sorted(accounts(world)), ("11.11", "22.22"), strict=False))
        world.sandbox.systems["fo"].dials.patch({"latency_ms": 0})
        settings = settings_of_two_markets(world.sandbox, redis_url, OTHER)
        await publish_again(world, redis_url, settings)
        async with serving(world.sandbox, settings) as service:
            for account, price in prices.items():
                await service.post_price(
                    account_type="table", account=account, sku="LAMP-01", price=price
                )
            for market, customer, account in (
                (MARKET, first, of_first),
                (OTHER, second, of_second),
            ):
                path = f"/v1/prices?market={market}&magento_id={customer}&sku=LAMP-01&wait_ms=5000"
                answer = await service.get(path)
                assert answer.status == 200, answer.text
                [line] = answer.content["lines"]
                assert line["price"] == prices[account]


@pytest.mark.parametrize("websites", [(3, 1), (1, 3)])
async def test_whichever_website_comes_first_the_account_is_shared(
    tmp_path: Path, database_url: str, redis_url: str, websites: tuple[int, int]
) -> None:
    """Sharing is named by one of the two markets, and holds for both."""
    async with two_websites(tmp_path, database_url, redis_url, shared_with=MARKET) as world:
        for website in websites:
            await carried(world, world.register(EMAIL, website=website))
        assert len(accounts(world)) == 1


def _account(world: World, customer: int) -> str:
    """Return the account that the shop was told."""
    attributes = world.sandbox.shop.customers.get(customer)["custom_attributes"]
    [found] = [each["value"] for each in attributes if each["attribute_code"] == "erp_account"]
    return str(found)
