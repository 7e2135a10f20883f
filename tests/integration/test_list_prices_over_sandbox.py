"""The third copy of prices: what the running price service says beside a customer's own price."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pricing_proxy.clock import SystemClock
from pricing_proxy.diagnosis.board import Finding, RowState
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamUnavailableError,
)
from sync.check.prices import check_prices
from sync.price_service.list_prices import price_service
from sync.price_service.section import PriceServiceSection
from sync.serve.building import configured_markets
from sync.settings import SyncSettings
from tests.integration.running import KEY, MARKET, Running, running_service
from tests.integration.sync_running import sync_settings

SKUS = ["LAMP-01", "LAMP-02", "NO-SUCH-LAMP"]
NOBODY = "http://127.0.0.1:9"


def section(url: str, key: str = KEY, **members: Any) -> PriceServiceSection:
    return PriceServiceSection(url=url, key=SecretStr(key), **members)


async def asked(its: PriceServiceSection, customer: str = "C-1001") -> dict[str, Decimal]:
    async with price_service(its, clock=SystemClock()) as service:
        found = await service.list_prices(MARKET, customer, SKUS)
    assert all(each.read_at.endswith("Z") for each in found.values())
    return {sku: each.price for sku, each in found.items()}


async def checked(running: Running, its: PriceServiceSection, customer: str | None) -> Finding:
    document = sync_settings(running.sandbox, "embedded").model_dump()
    document["markets"][MARKET].update(probe_customer=customer, probe_skus=SKUS)
    markets = configured_markets(SyncSettings.model_validate(document))
    board = await check_prices(its, markets, clock=SystemClock())
    [row] = board.rows()
    assert row.name == MARKET
    return row.finding


async def test_base_prices_are_those_of_the_erp_and_refusals_are_told(tmp_path: Path) -> None:
    async with running_service(tmp_path) as running:
        await running.warm(SKUS[:2])
        items, here = running.sandbox.book.items, section(running.public)
        erp = {sku: items[sku.lower()].base_price for sku in SKUS[:2]}
        assert await asked(here) == erp
        with pytest.raises(UpstreamDeniedError):
            await asked(section(running.public, "another key"))
        with pytest.raises(UpstreamContractError) as refused:
            await asked(here, customer="C-9999")
        assert refused.value.status == 404
        with pytest.raises(UpstreamUnavailableError):
            await asked(section(NOBODY))


async def test_the_check_says_what_it_was_told_and_what_to_correct(tmp_path: Path) -> None:
    async with running_service(tmp_path) as running:
        await running.warm(SKUS[:2])
        here = section(running.public)
        fine = await checked(running, here, "C-1001")
        assert (fine.state, fine.found) == (RowState.OK, "2 of 3 base prices")
        nobody = await checked(running, here, None)
        assert (nobody.state, "probe_customer" in nobody.next_step) == (RowState.WARNED, True)
        for its, advice in (
            (section(running.public, "another key"), "PRICE_SERVICE__KEY"),
            (section(NOBODY), "sync.price_service.url"),
            (section(running.public, ca_file=tmp_path / "none.pem"), "price_service.ca_file"),
        ):
            found = await checked(running, its, "C-1001")
            assert found.state is RowState.FAILED
            assert advice in found.next_step
