"""What an order's lines sell, where the shop's products are spelled, renamed and deleted."""

import pytest

from sync.engine.outcomes import HeldError
from tests.integration.flow_world import FlowWorld, world

__all__ = ["world"]


def items_of(world: FlowWorld, key: str) -> list[str]:
    """Return the item numbers of an order's goods in the ERP."""
    return [line["ItemNumber"] for line in world.told()[key]["lines"]][:1]


async def key_of_line(world: FlowWorld, key: str) -> int:
    """Return the shop's id of an order's first line."""
    orders = [one for one in world.sandbox.shop.orders.values() if one["increment_id"] == key]
    return int(orders[0]["items"][0]["item_id"])


def rename(world: FlowWorld, sku: str, new: str) -> None:
    """Give a product another SKU."""
    world.sandbox.shop.catalog.rename(sku, new, now=world.sandbox.shop.now())


async def test_a_product_in_other_letters_is_sent_as_the_erp_spells_it(world: FlowWorld) -> None:
    rename(world, "LAMP-13", "Lamp-13")
    (key,) = await world.place(1, kind="guest", lines=[{"sku": "Lamp-13", "quantity": 1}])

    await world.carry_order(key)

    assert items_of(world, key) == ["LAMP-13"]


async def test_a_renamed_product_holds_the_orders_of_its_old_name_until_it_is_named(
    world: FlowWorld,
) -> None:
    """Renamed to the number of another item, that one would have been delivered."""
    (key,) = await world.place(1, kind="guest", lines=[{"sku": "LAMP-13", "quantity": 1}])
    world.sandbox.shop.catalog.remove("LAMP-14")
    rename(world, "LAMP-13", "LAMP-14")

    with pytest.raises(HeldError, match=r"LAMP-13.*is now LAMP-14"):
        await world.carry_order(key)
    assert world.told() == {}

    named = {str(await key_of_line(world, key)): "lamp-13"}
    await world.carry(world.flows.orders, key, items=named)
    assert items_of(world, key) == ["LAMP-13"]


async def test_a_deleted_product_is_sold_by_the_lines_own_sku(world: FlowWorld) -> None:
    (key,) = await world.place(1, kind="guest", lines=[{"sku": "LAMP-13", "quantity": 1}])
    world.sandbox.shop.catalog.remove("LAMP-13")

    await world.carry_order(key)

    assert items_of(world, key) == ["LAMP-13"]


async def test_a_deleted_product_that_is_no_item_is_told_and_can_be_named(
    world: FlowWorld,
) -> None:
    rename(world, "LAMP-13", "SPECIAL")
    (key,) = await world.place(1, kind="guest", lines=[{"sku": "SPECIAL", "quantity": 1}])
    world.sandbox.shop.catalog.remove("SPECIAL")

    with pytest.raises(HeldError, match="was deleted in the shop") as caught:
        await world.carry_order(key)
    line = await key_of_line(world, key)
    assert f'"items": {{"{line}": "ITEM"}}' in caught.value.advice
    with pytest.raises(HeldError, match="NOTHING, named for line"):
        await world.carry(world.flows.orders, key, items={str(line): "NOTHING"})
    with pytest.raises(HeldError, match="no item_id"):
        await world.carry(world.flows.orders, key, items={"first": "LAMP-13"})

    await world.carry(world.flows.orders, key, items={str(line): "LAMP-13"})
    assert items_of(world, key) == ["LAMP-13"]
