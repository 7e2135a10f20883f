"""What the simulated ERP says of its products stands in the simulated shop, and no more."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.console.resync_command import look_through
from sync.engine.database import database
from sync.store.mirror_decisions import MirrorDecisions
from sync.store.mirror_plans import MirrorPlans
from tests.integration.sync_running import (
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    World,
    running_sync,
    sync_settings,
)

pytestmark = pytest.mark.timeout(240)

MARKETS: dict[str, dict[str, Any]] = {
    MARKET: {
        "website_id": WEBSITE,
        "store_ids": [STORE],
        "flows": ["products"],
        "orders": ORDER_RULES,
        "customers": {"group": {"*": "10"}},
        "products": {
            "languages": {str(STORE): "de"},
            "tax_classes": {"VAT19": 2},
            "attribute_set": 4,
            "dimensions": {"color": "color", "size": "size"},
        },
    }
}
_LOOK_NOW = (
    text("UPDATE mirror_bulk SET due_at = now()"),
    text("DELETE FROM watermark WHERE name LIKE 'schedule.look after late bulks%'"),
)
_STATE = text("SELECT state FROM mirror_run WHERE id = :run")
_HELD = text("SELECT business_key, error_field FROM sync_event WHERE state = 'held'")


async def told(world: World, sku: str, *, method: str = "POST", **members: Any) -> None:
    """Change a product in the ERP, or release a new one."""
    address = f"{world.sandbox.control_url}/systems/fo/products/{sku}"
    async with world.control.request(method, address, json=members) as answer:
        assert answer.status < 300, await answer.text()


async def shown(world: World, *skus: str) -> dict[str, dict[str, Any]]:
    """Return products of the shop, scope by scope."""
    address = f"{world.sandbox.control_url}/systems/magento/products"
    async with world.control.get(address, params={"sku": ",".join(skus)}) as answer:
        return {each["sku"]: each for each in await answer.json()}


async def ends(world: World, store: AsyncEngine, run: int, state: str) -> None:
    async def is_over() -> bool:
        async with store.connect() as connection:
            found = (await connection.execute(_STATE, {"run": run})).scalar()
        return bool(found == state)

    await world.until(is_over, seconds=100)


async def test_changes_of_the_erp_reach_the_shop_field_by_field(
    tmp_path: Path, database_url: str
) -> None:
    rules = {"markets": MARKETS, "mirror": {"change_seconds": 1}}
    async with (
        running_sync(tmp_path, database_url, **rules) as world,
        database(database_url, connections=2) as store,
    ):
        await world.dial("magento", consumer_speed=1000)
        await ends(world, store, 1, "waiting")
        await MirrorDecisions(store).adopt(1, by="a test", how="keep")
        await ends(world, store, 1, "done")
        skus = ["LAMP-01", "LAMP-02", "LAMP-04", "LAMP-99"]
        before = await shown(world, *skus)

        await told(world, "LAMP-01", name="Neue Lampe")
        await told(world, "LAMP-02", is_stopped=True)
        await told(world, "LAMP-04", tax_group="EXPORT", name="Nur die Steuer fehlt")
        await told(world, "LAMP-99", method="PUT", name="Lampe 99", base_price="12", price_unit="5")
        await MirrorPlans(store).want("products", MARKET, skus, is_forced=False, reason="a test")
        await ends(world, store, 2, "done")
        after = await shown(world, *skus)

        async def is_held() -> bool:
            async with store.connect() as connection:
                rows = (await connection.execute(_HELD)).all()
            return [(row.business_key, row.error_field) for row in rows] == [
                ("LAMP-04", "SalesSalesTaxItemGroupCode")
            ]

        await world.until(is_held)
    lamp, blocked = after["LAMP-01"], after["LAMP-02"]
    view = {"b2b_de": {"name": "Neue Lampe"}}
    assert without_times(lamp) == without_times(before["LAMP-01"]) | {"views": view}
    assert blocked["status"] == 1
    assert all(own["status"] == 2 for own in blocked["views"].values())
    held = {"b2b_de": {"name": "Nur die Steuer fehlt"}}
    assert without_times(after["LAMP-04"]) == without_times(before["LAMP-04"]) | {"views": held}
    new = after["LAMP-99"]
    assert (new["name"], float(new["price"]), new["status"]) == ("Lampe 99", 2.4, 2)


async def edited(world: World, sku: str, **members: Any) -> None:
    """Edit a product in the shop, as people do there."""
    address = f"{world.sandbox.control_url}/systems/magento/products/{sku}"
    async with world.control.patch(address, json=members) as answer:
        assert answer.status < 300, await answer.text()


async def test_what_people_change_in_the_shop_is_found_without_a_word_of_the_erp(
    tmp_path: Path, database_url: str
) -> None:
    """Disabled or renamed there, deleted and made again: written again, or kept and told."""
    products = {**MARKETS[MARKET]["products"], "status": "erp", "keep": ["weight"]}
    markets = {MARKET: {**MARKETS[MARKET], "products": products}}
    rules = {"markets": markets, "mirror": {"change_seconds": 1}}
    async with (
        running_sync(tmp_path, database_url, **rules) as world,
        database(database_url, connections=2) as store,
    ):
        await world.dial("magento", consumer_speed=1000)
        await ends(world, store, 1, "waiting")
        await MirrorDecisions(store).adopt(1, by="a test", how="overwrite")
        await ends(world, store, 1, "done")
        skus = ["LAMP-01", "LAMP-02", "LAMP-05", "LAMP-06"]
        before = await shown(world, *skus)

        await edited(world, "LAMP-01", store="b2b_de", name="Von Hand")
        await edited(world, "LAMP-02", store="b2b_de", status=2)
        await edited(world, "LAMP-05", weight=77)
        address = f"{world.sandbox.control_url}/systems/magento/products/LAMP-06/recreate"
        async with world.control.post(address) as answer:
            assert answer.status < 300
        settings = sync_settings(world.sandbox, database_url, **rules)
        [found] = await look_through(settings, "products", [MARKET])
        assert (found.edited, found.kept, found.gone > 0) == (2, 1, True)

        async def is_mended() -> bool:
            after = await shown(world, "LAMP-01", "LAMP-02")
            return all(as_seen(after[sku]) == as_seen(before[sku]) for sku in after)

        await world.until(is_mended, seconds=100)
        after = await shown(world, *skus)
        assert float(after["LAMP-05"]["weight"]) == 77
        again = await look_through(settings, "products", [MARKET])
        assert [(each.edited, each.kept, each.gone) for each in again] == [(0, 0, 0)]


def as_seen(product: dict[str, Any]) -> tuple[Any, ...]:
    """Return what the market's store view shows, whether it is its own or the shop's."""
    own = product["views"].get("b2b_de", {})
    return tuple(own.get(name, product[name]) for name in ("name", "status"))


def without_times(product: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in product.items() if name != "updated_at"}


async def test_what_the_queue_does_after_it_was_given_up_is_put_right(
    tmp_path: Path, database_url: str
) -> None:
    """A consumer died, all was written one by one, and its return undid that unseen."""
    products = {**MARKETS[MARKET]["products"], "bulk_wait_seconds": 5}
    markets = {MARKET: {**MARKETS[MARKET], "products": products}}
    rules = {"markets": markets, "mirror": {"change_seconds": 1}}
    skus = [f"LAMP-0{number}" for number in range(1, 6)]

    async def rename(name: str) -> None:
        for sku in skus:
            await told(world, sku, name=name)
        await MirrorPlans(store).want("products", MARKET, skus, is_forced=False, reason="a test")

    async def are_named(name: str) -> bool:
        found = await shown(world, *skus)
        return {each["views"].get("b2b_de", {}).get("name") for each in found.values()} == {name}

    async with (
        running_sync(tmp_path, database_url, **rules) as world,
        database(database_url, connections=2) as store,
    ):
        await world.dial("magento", consumer_speed=1000)
        await ends(world, store, 1, "waiting")
        await MirrorDecisions(store).adopt(1, by="a test", how="keep")
        await ends(world, store, 1, "done")

        await world.dial("magento", consumer_dead=True)
        await rename("Zweite")
        await world.until(partial(are_named, "Zweite"), seconds=60)
        await rename("Dritte")
        await world.until(partial(are_named, "Dritte"), seconds=60)
        await world.dial("magento", consumer_dead=False)
        await world.until(partial(are_named, "Zweite"), seconds=60)

        async with store.begin() as connection:
            for statement in _LOOK_NOW:
                await connection.execute(statement)
        await world.until(partial(are_named, "Dritte"), seconds=60)
