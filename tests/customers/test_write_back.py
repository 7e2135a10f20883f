"""What the shop does not keep is written once, told once, and comes back as nothing."""

from datetime import timedelta

import pytest

from pricing_proxy.resilience.errors import UpstreamRejectedError
from tests.customers.test_flow import World, customer

GROUPS = {"GOLD": 4}


async def test_a_shop_without_the_attribute_is_told_of_once_and_never_written() -> None:
    """Each write would move the customer's time of change, and so come back for ever."""
    world = World(customer(), customer(8, email="bob@shop.test"))
    world.shop.says_it_has_it = False

    notes = [(await world.carry(one)).note for one in (7, 8, 7, 8, 7)]

    assert world.shop.writes == []
    assert "create the customer attribute erp_account in the shop" in notes[0]
    assert not any("erp_account" in note for note in notes[1:])
    assert list(world.wishes["b2b_de"].told) == ["erp_account"]


async def test_an_attribute_that_drops_what_is_written_is_tried_once_a_day_for_everybody() -> None:
    """The shop knows it, and hides it from the API: only the answer to a write shows that."""
    world = World(customer(), customer(8, email="bob@shop.test"))
    world.shop.has_attribute = False

    notes = [(await world.carry(one)).note for one in (7, 8, 7, 8)]
    assert len(world.shop.writes) == 1
    assert "is dropped by the shop" in notes[0]
    assert not any("dropped" in note for note in notes[1:])

    world.clock.advance(timedelta(days=1))
    world.shop.has_attribute = True
    for one in (7, 8, 7, 8):
        await world.carry(one)
    assert len(world.shop.writes) == 3
    assert world.wishes["b2b_de"].told == {}


async def test_an_attribute_created_since_is_written() -> None:
    world = World(customer())
    world.shop.says_it_has_it = False
    await world.carry()
    world.shop.says_it_has_it = True

    await world.carry()
    await world.carry()

    assert len(world.shop.writes) == 1
    assert world.wishes["b2b_de"].told == {}


async def test_another_spelling_of_the_account_is_the_account() -> None:
    world = World(customer())
    await world.carry()
    await world.shop.set_customer_attribute(customer(), "erp_account", " c-2001 ")
    world.shop.writes.clear()

    await world.carry()

    assert world.shop.writes == []


async def test_a_group_that_somebody_else_sets_back_is_written_three_times_and_told() -> None:
    world = World(customer(), shop_group=GROUPS)
    await world.carry()
    world.erp.put("C-2001", DiscountPriceGroupId="GOLD")
    world.shop.writes.clear()

    notes = []
    for _ in range(20):
        notes.append((await world.carry()).note)
        world.shop.customers[7] = world.shop.customers[7].model_copy(update={"group_id": 1})

    assert world.shop.writes == [{"group_id": 4}] * 3
    assert [note for note in notes if "set back" in note] == [notes[3]]
    assert "VAT number" in notes[3]


async def test_a_group_that_flips_between_many_is_written_five_times_an_hour() -> None:
    """Something that never comes to rest costs a handful of writes, not one at each poll."""
    world = World(customer(), shop_group=GROUPS)
    await world.carry()
    world.erp.put("C-2001", DiscountPriceGroupId="GOLD")
    world.shop.writes.clear()

    for other in range(10, 40):
        world.shop.customers[7] = world.shop.customers[7].model_copy(update={"group_id": other})
        await world.carry()
    assert len(world.shop.writes) == 5
    assert "five times" in world.wishes["b2b_de"].told["group_id"]

    world.clock.advance(timedelta(hours=1))
    await world.carry()
    assert len(world.shop.writes) == 6
    assert world.wishes["b2b_de"].told == {}


async def test_two_markets_that_write_one_customer_in_turn_stop_and_tell() -> None:
    """Each undoes what the other wrote; the shop's customer would never come to rest."""
    world = World(customer())
    await world.carry()
    await world.carry(market="b2c")
    world.shop.writes.clear()

    for _ in range(30):
        await world.carry()
        await world.carry(market="b2c")

    assert len(world.shop.writes) <= 6
    told = [wishes.told for wishes in world.wishes.values() if wishes.told]
    assert told
    assert all("set back" in each["erp_account"] for each in told)


def refused(status: int) -> UpstreamRejectedError:
    return UpstreamRejectedError("magento answered", system="magento", status=status)


async def test_what_the_shop_refuses_is_written_once_told_and_keeps_no_order_waiting() -> None:
    """The group does not exist: the customer was held, and all that waits for it."""
    world = World(customer(), shop_group=GROUPS)
    await world.carry()
    world.erp.put("C-2001", DiscountPriceGroupId="GOLD")
    world.shop.refusal = refused(400)
    world.shop.writes.clear()

    notes = [(await world.carry()).note for _ in range(5)]

    assert world.shop.writes == [{"group_id": 4}]
    assert "group_id is refused" in notes[0]
    assert not any("refused" in note for note in notes[1:])
    assert world.wishes["b2b_de"].told == {"group_id": "is refused whenever it is written"}
    world.erp.put("C-2001", DiscountPriceGroupId="SILVER")
    await world.carry()
    assert world.wishes["b2b_de"].told == {}


async def test_a_customer_who_is_gone_when_written_is_no_matter_of_the_field() -> None:
    world = World(customer(), shop_group=GROUPS)
    await world.carry()
    world.erp.put("C-2001", DiscountPriceGroupId="GOLD")
    world.shop.refusal = refused(404)

    with pytest.raises(UpstreamRejectedError):
        await world.carry()
