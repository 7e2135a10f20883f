"""What is kept in Redis belongs to what it was read from, and means what the settings said then.

Two deployments share one Redis here, or one is started again with other settings. Whatever the
keys do not tell apart shows as a hit, in the digits of a price, or in a position.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.server import Sandbox
from pricing_proxy.settings import Settings
from tests.fakes.redis_server import fake_redis_port
from tests.integration.running import MARKET, Running, serving, settings_over
from tests.sandbox.conftest import settings as sandbox_settings

__all__ = ["fake_redis_port"]

SMALL = CatalogSize(skus=60, customers=8)


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(sandbox_settings(tmp_path, size=SMALL)) as running:
        yield running


@pytest.fixture
def settings(sandbox: Sandbox, fake_redis_port: int) -> Settings:
    return settings_over(sandbox, f"redis://127.0.0.1:{fake_redis_port}/0")


async def test_what_was_kept_is_found_by_whoever_reads_the_same(
    sandbox: Sandbox, settings: Settings
) -> None:
    """Under whatever name the environment has, and however its address is spelled."""
    document = settings.model_dump()
    document["environments"] = {"renamed": document["environments"]["sandbox"]}
    document["markets"][MARKET] |= {"environment": "renamed", "legal_entity": "DEMF"}
    document["environments"]["renamed"]["url"] += "/"
    async with serving(sandbox, settings) as before:
        await before.warm()
    async with serving(sandbox, Settings.model_validate(document)) as after:
        assert "hit" in await _cache_status(after)


@pytest.mark.parametrize("change", [{"tax_included": True}, {"price_decimals": 2}])
async def test_prices_that_were_meant_otherwise_are_not_found(
    sandbox: Sandbox, settings: Settings, change: Mapping[str, Any]
) -> None:
    async with serving(sandbox, settings) as before:
        await before.warm()
    async with serving(sandbox, _changed(settings, market=change)) as after:
        assert "miss" in await _cache_status(after)


async def test_two_deployments_on_one_redis_never_mix(
    tmp_path: Path, sandbox: Sandbox, settings: Settings
) -> None:
    """Everything is called alike in both; only the ERPs are two."""
    async with AsyncExitStack() as stack:
        second = await stack.enter_async_context(
            Sandbox(sandbox_settings(tmp_path / "second", size=SMALL))
        )
        ours = await stack.enter_async_context(serving(sandbox, settings))
        of_second = settings_over(second, settings.redis.url)
        theirs = await stack.enter_async_context(serving(second, of_second))
        for running, price in ((ours, "11.11"), (theirs, "12.12")):
            await running.post_price(
                account_type="table",
                account="C-1001",
                sku="LAMP-01",
                price=price,
                from_quantity="10",
            )
        seen = [(await running.warm()).content["lines"][0] for running in (ours, theirs, ours)]
        before = await _ledger(theirs)
        body = {"market": MARKET, "scope": {"all": True}, "level": "soft", "reason": "a test"}
        answer = await ours.post_admin(body)

        assert [line["price"] for line in seen] == ["11.11", "12.12", "11.11"]
        assert answer.status == 202
        assert await _ledger(theirs) == before


async def test_a_market_that_moved_elsewhere_knows_nobody_of_before(
    sandbox: Sandbox, settings: Settings
) -> None:
    """While its new ERP is away there are no maps: the old ones are another company's."""
    async with serving(sandbox, settings) as before:
        await before.warm()
    elsewhere = _changed(settings, environment={"url": "https://127.0.0.1:9"})
    async with serving(sandbox, elsewhere, is_ready=False) as after:
        assert (await after.get("/health/ready", key=None)).status == 503
        status = await after.status()
        assert status["markets"][MARKET]["maps"] == {}


def _changed(
    settings: Settings,
    *,
    environment: Mapping[str, Any] | None = None,
    market: Mapping[str, Any] | None = None,
) -> Settings:
    document = settings.model_dump()
    document["environments"]["sandbox"] |= environment or {}
    document["markets"][MARKET] |= market or {}
    return Settings.model_validate(document)


async def _cache_status(running: Running) -> str:
    return str((await running.warm()).headers["Cache-Status"])


async def _ledger(running: Running) -> Any:
    return (await running.status())["markets"][MARKET]["ledger"]["position"]
