"""Reconciliation through everything: two simulated systems, a database, the flows' own ways."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from pricing_proxy.clock import SystemClock
from pricing_proxy.sandbox.stock.ledger import place_of
from sync.console.reconcile_page import drawn
from sync.order_status import building as status_building
from sync.order_status.building import watching
from sync.orders import building as order_building
from sync.products import building as product_building
from sync.reconciliation.causes import Cause
from sync.reconciliation.comparing import DriftReport
from sync.reconciling import reconciling_of
from sync.stock.building import reconciled
from tests.integration.sync_running import MARKET, followed, posted
from tests.integration.test_products_over_sandbox import MARKETS as SOLD
from tests.integration.test_shipments_over_sandbox import SYNC as SHIPPED
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

        healed = await reconciling.reconcile(stock, is_plan=False)
        assert not healed.is_significant
        # What the running program has read meanwhile is planned, and differs no more.
        assert (SKU, "source berlin") in told(healed)
        [kept] = await opened.reconciliations.last_of_each()
        assert (kept.kind, kept.market, kept.differed) == ("stock", MARKET, len(healed.found))
        await opened.control.set_paused("stock", is_paused=False, reason="", by="a test")
        await is_so(world, lambda: held(world, SKU, "berlin") == 118)
        await is_so(world, lambda: held(world, OTHER, "berlin") == 5)
        assert was != 5


class Later(SystemClock):
    """Two hours later: what happened just now is no news any more."""

    def utc(self) -> datetime:
        return super().utc() + timedelta(hours=2)


async def test_orders_and_deliveries_are_compared_over_both_systems(
    tmp_path: Path, database_url: str
) -> None:
    async with followed(tmp_path, database_url, **SHIPPED) as (world, given):
        await watching(given)[MARKET].look()
        [number, gone] = await world.place(2, lines=[{"sku": SKU, "quantity": 1}], customer=1)
        for each in (number, gone):
            await world.arrived(each)
        later = replace(given, polling=replace(given.polling, clock=Later()))
        reconciling = reconciling_of(later, world.running.stores.reconciliations)
        [orders], [status] = order_building.reconciled(later), status_building.reconciled(later)
        report = await reconciling.reconcile(orders, is_plan=True)
        assert (report.compared, report.found) == (2, [])

        # From now on they are watched.
        await watching(given)[MARKET].look()
        await posted(world, world.erp_orders()[number]["number"], "slip")
        world.sandbox.documents.orders.remove_header(world.erp_orders()[gone]["header"])
        report = await reconciling.reconcile(orders, is_plan=True)
        assert [(each.key, each.field) for each in report.found] == [(gone, "gone from the ERP")]
        report = await reconciling.reconcile(status, is_plan=False)
        # The running program may have been quicker; what it has not done yet is told, and done.
        assert report.compared == 1
        assert [each.key for each in report.found] in ([], [number])

        async def is_shipped() -> bool:
            return not (await reconciling.reconcile(status, is_plan=True)).found

        await world.until(is_shipped)
        assert len(world.sandbox.shop.shipments) == 1


async def test_products_and_prices_are_compared_field_by_field(
    tmp_path: Path, database_url: str
) -> None:
    async with followed(tmp_path, database_url, markets=SOLD) as (world, given):
        await world.dial("magento", consumer_speed=1000)
        await adopted(world, given.mirroring)
        reconciling = reconciling_of(given, world.running.stores.reconciliations)
        products, prices = product_building.reconciled(given)
        await world.until(products.is_ready)
        for each in (products, prices):
            report = await reconciling.reconcile(each, is_plan=True)
            assert (report.compared > 0, report.found) == (True, [])

        control = world.running.stores.control
        await control.set_paused("products", is_paused=True, reason="a test", by="a test")
        address = f"{world.sandbox.control_url}/systems"
        edited = world.control.patch(f"{address}/magento/products/{SKU}", json={"weight": "77"})
        repriced = world.control.post(f"{address}/fo/products/{OTHER}", json={"base_price": "7"})
        async with edited as one, repriced as other:
            assert one.ok
            assert other.ok
        assert told(await reconciling.reconcile(products, is_plan=True)) == {
            (SKU, "weight of global"): [Cause.EDITED]
        }
        assert told(await reconciling.reconcile(prices, is_plan=True)) == {
            (OTHER, "price of global"): [Cause.ERP_CHANGED]
        }
