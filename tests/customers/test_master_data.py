"""What the ERP makes of names and addresses is written once more at most, and then left alone."""

from datetime import timedelta
from typing import Any

import pytest

from tests.customers.test_flow import HOME, World, customer

UPDATES = ("update", "add_address", "change_address")


def shouted(name: str, value: Any) -> Any:
    """Return a value as an ERP that writes it in capital letters keeps it."""
    kept = name.endswith(("Roles", "RegionId", "Description")) or not isinstance(value, str)
    return value if kept else value.upper()


def cut(_: str, value: Any) -> Any:
    """Return a value as an ERP with short fields keeps it."""
    return value[:8] if isinstance(value, str) else value


def dropped(name: str, value: Any) -> Any:
    """Return what an ERP keeps that drops a field without a word."""
    return "" if name in ("PersonLastName", "AddressCity") else value


def composed(_: str, value: Any) -> Any:
    """Return a value as an ERP that trims and ends lines in its own way keeps it."""
    if value in ("Yes", "No") or not isinstance(value, str):
        return value
    return f"{value} ".replace("\n", "\r\n")


def written(world: World) -> int:
    return sum(world.erp.calls[name] for name in UPDATES)


@pytest.mark.parametrize("keeps", [shouted, cut, dropped])
async def test_what_the_erp_spells_in_its_own_way_is_not_written_at_each_event(keeps: Any) -> None:
    """Each login wrote the name again, for ever; and an address whose mark is cut was doubled."""
    world = World(customer())
    await world.carry()
    world.erp.keeps = keeps
    moved = {**HOME, "street": ["Long Street 77", "Back yard"], "city": "Springfield"}
    world.shop.customers[7] = customer(lastname="Byron-Lovelace", addresses=[moved])
    world.erp.calls.clear()

    notes = [(await world.carry()).note for _ in range(30)]

    assert written(world) <= 4
    told = [note for note in notes if "does not keep" in note]
    assert len(told) <= 2
    assert sum(note.count("does not keep") for note in told) == 2
    assert set(world.wishes["b2b_de"].told) == {"names and contact", "address"}


async def test_an_address_that_cannot_be_found_again_is_added_once() -> None:
    world = World(customer())
    world.erp.keeps = cut

    for _ in range(10):
        await world.carry()

    assert world.erp.calls["add_address"] == 1
    assert (
        "AddressDescription"
        in world.wishes["b2b_de"]
        .records[
            next(place for place in world.wishes["b2b_de"].records if place.field == "address")
        ]
        .advice
    )


async def test_blanks_and_line_ends_are_no_difference() -> None:
    world = World(customer(addresses=[{**HOME, "street": ["Side 2", "Back"]}]))
    world.erp.keeps = composed
    world.shop.customers[7] = world.shop.customers[7].model_copy(update={"lastname": "Byron"})
    await world.carry()
    world.shop.customers[7] = world.shop.customers[7].model_copy(update={"lastname": "King"})
    world.erp.calls.clear()

    for _ in range(5):
        await world.carry()

    assert written(world) == 1
    assert world.wishes["b2b_de"].told == {}


async def test_a_later_change_is_written_though_an_earlier_one_did_not_stay() -> None:
    world = World(customer())
    await world.carry()
    world.erp.keeps = shouted
    for name in ("Byron", "King", "Milbanke"):
        world.shop.customers[7] = world.shop.customers[7].model_copy(update={"lastname": name})
        for _ in range(4):
            await world.carry()
        assert world.row.PersonLastName == name.upper()
        world.clock.advance(timedelta(hours=1))


async def test_two_websites_that_share_an_account_do_not_write_in_turn_for_ever() -> None:
    """Two persons with one account, each of whose names is to stand there."""
    other = customer(8, website_id=2, lastname="Byron", addresses=[])
    world = World(customer(addresses=[]), other, is_shared=True, update="all")
    await world.carry()
    await world.carry(8, "b2c")
    world.erp.calls.clear()

    for _ in range(30):
        await world.carry()
        await world.carry(8, "b2c")

    assert written(world) <= 10
    assert "names and contact" in world.wishes["b2c"].told
