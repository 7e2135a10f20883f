"""Reconciliation through everything: two simulated systems, a database, the flows' own ways."""

from decimal import Decimal
from pathlib import Path

from pricing_proxy.sandbox.stock.ledger import place_of
from sync.console.reconcile_page import drawn
from sync.reconciliation.causes import Cause
from sync.reconciliation.comparing import DriftReport
from sync.reconciling import reconciling_of
from sync.stock.building import reconciled
from tests.integration.sync_running import MARKET
from tests.integration.test_stock_over_sandbox import (
    OTHER,
    SKU,
    adopted,
    held,
    is_so,
    stocked,
)


def told(report: DriftReport) -> dict[tuple[str, str], list[Cause]]:
    return {(each.key, each.field): list(each.names) for each in report.found}


async def test_drift_of_stock_is_explained_healed_and_kept(
    tmp_path: Path, database_url: str
) -> None:
    async with stocked(tmp_path, database_url) as (world, given):
        opened = world.running.stores
        reconciling = reconciling_of(given, opened.reconciliations)
        [stock] = reconciled(given)
        assert not await stock.is_ready()
        await adopted(world, given.mirroring)
        await is_so(world, lambda: held(world, SKU, "berlin") == 118)
        await is_so(world, lambda: held(world, OTHER, "berlin") > 0)
        await world.until(stock.is_ready)
        # What the shop refuses, of a part of a bundle, is held by name and no drift.
        assert (await reconciling.reconcile(stock, is_plan=True)).found == []

        await opened.control.set_paused("stock", is_paused=True, reason="a test", by="a test")
        await opened.control.set_paused("orders", is_paused=True, reason="a test", by="a test")
        world.sandbox.shop.inventory.write(SKU, "berlin", Decimal(99))
        was = held(world, OTHER, "berlin")
        world.sandbox.documents.stock.put(place_of(OTHER, "13"), Decimal(7))
        [number] = await world.place(lines=[{"sku": OTHER, "quantity": 1}], customer=1)
        found = await reconciling.reconcile(stock, is_plan=True)
        assert told(found) == {
            (SKU, "source berlin"): [Cause.EDITED],
            (OTHER, "source berlin"): [Cause.ERP_CHANGED],
            (OTHER, "salable"): [Cause.IN_FLIGHT],
        }
        page = drawn([found])
        assert f"order {number}" in page
        assert "http" not in page.replace("http-equiv", "")
        assert await opened.reconciliations.last_of_each() == []

        assert not (await reconciling.reconcile(stock, is_plan=False)).is_significant
        [kept] = await opened.reconciliations.last_of_each()
        assert (kept.kind, kept.market, kept.differed) == ("stock", MARKET, 3)
        await opened.control.set_paused("stock", is_paused=False, reason="", by="a test")
        await is_so(world, lambda: held(world, SKU, "berlin") == 118)
        await is_so(world, lambda: held(world, OTHER, "berlin") == 5)
        assert was != 5
