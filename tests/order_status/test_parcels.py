"""A parcel's number on its way: on the shipment of its slip, once, however late or early."""

from datetime import timedelta
from decimal import Decimal

from sync.store.states import EventState
from tests.fakes.fulfilment_world import FulfilmentWorld, Sold

D = Decimal


def tracks(world: FulfilmentWorld, sold: Sold) -> list[list[str]]:
    return [
        [track.track_number for track in shipment.tracks]
        for shipment in world.shipments.all_of(sold.order)
    ]


async def slip(world: FulfilmentWorld, number: str = "PS-1") -> Sold:
    sold = world.sell(("LAMP-01", 5))
    await world.step()
    world.erp.post(number, {next(iter(sold.lots)): D(2)})
    return sold


async def test_a_number_that_comes_days_later_goes_on_its_shipment_once() -> None:
    world = FulfilmentWorld()
    sold = await slip(world)
    day = world.clock.utc().date()
    await world.settle(10)
    world.clock.advance(timedelta(days=8))
    world.erp.parcel(sold.erp_number, "PS-1", "JD01", day=day)
    await world.settle(10)
    world.erp.parcel(sold.erp_number, "PS-1", "JD02", day=day)
    world.clock.advance(timedelta(hours=6))
    await world.settle(10)
    assert tracks(world, sold) == [["JD01", "JD02"]]
    world.new_process()
    await world.settle(10)
    assert tracks(world, sold) == [["JD01", "JD02"]]


async def test_a_number_that_the_erp_tells_of_is_there_at_once_and_costs_one_request_more() -> None:
    """Without a hint the last days' numbers are read every five minutes."""
    world = FulfilmentWorld()
    sold = await slip(world)
    await world.settle(10)
    world.erp.parcel(sold.erp_number, "PS-1", "JD01")
    before = dict(world.erp.reads)
    await world.watching.hint([sold.erp_number.lower(), "SO-OTHERS"])
    reads = {name: count - before.get(name, 0) for name, count in world.erp.reads.items()}
    assert reads["parcels of"] == 1
    assert sum(reads.values()) <= 4
    await world.engine.carry_due()
    assert tracks(world, sold) == [["JD01"]]


async def test_a_number_that_comes_before_its_slip_waits_for_it() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    await world.step()
    world.erp.parcel(sold.erp_number, "PS-1", "JD01")
    await world.settle(10)
    assert not world.events(sold)
    world.erp.post("PS-1", {next(iter(sold.lots)): D(2)})
    await world.settle(40)
    assert tracks(world, sold) == [["JD01"]]


async def test_a_number_that_a_person_has_added_is_not_added_again() -> None:
    world = FulfilmentWorld()
    sold = await slip(world)
    await world.settle(3)
    [shipment] = world.shipments.all_of(sold.order)
    by_hand = {"track_number": "jd01", "title": "DHL", "carrier_code": "dhl"}
    world.shop.shipments[shipment.entity_id]["tracks"].append(by_hand)
    world.erp.parcel(sold.erp_number, "PS-1", "JD01")
    await world.settle(10)
    assert tracks(world, sold) == [["jd01"]]


async def test_a_carrier_without_an_entry_is_held_and_the_entry_named() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    await world.step()
    world.erp.post("PS-1", {next(iter(sold.lots)): D(2)}, carrier="UPS")
    world.erp.parcel(sold.erp_number, "PS-1", "1Z1")
    await world.settle(10)
    _, event = world.events(sold)
    assert event.state is EventState.HELD
    assert '"UPS"' in event.reason
    assert tracks(world, sold) == [[]]


async def test_a_parcel_that_is_held_keeps_no_later_slip_of_its_order_waiting() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    await world.step()
    lot = next(iter(sold.lots))
    world.erp.post("PS-1", {lot: D(2)}, carrier="UPS")
    world.erp.parcel(sold.erp_number, "PS-1", "1Z1")
    await world.settle(10)
    world.erp.post("PS-2", {lot: D(3)})
    await world.settle(3)
    assert list(world.shipped(sold).values()) == [5]
    world.erp.parcel(sold.erp_number, "PS-2", "JD02")
    await world.settle(10)
    assert tracks(world, sold) == [[], ["JD02"]]
