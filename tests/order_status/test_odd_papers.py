"""Rows of the ERP that cannot be read: visible, and nobody else's slips wait for them."""

from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.fulfilment_world import FulfilmentWorld, Sold

D = Decimal


async def posted(world: FulfilmentWorld) -> tuple[Sold, Sold]:
    one, other = world.sell(("LAMP-01", 5)), world.sell(("LAMP-02", 2))
    await world.step()
    world.erp.post("PS-1", {next(iter(one.lots)): D(2)})
    world.erp.post("PS-2", {next(iter(other.lots)): D(2)})
    return one, other


@pytest.mark.parametrize(
    ("member", "value"),
    [("Qty", "two"), ("InventTransId", 3), ("SourceDocumentLine", None)],
)
async def test_a_slip_that_cannot_be_read_is_told_and_ships_once_it_can(
    member: str, value: Any
) -> None:
    world = FulfilmentWorld()
    one, other = await posted(world)
    before = world.erp.slips[0][member]
    world.erp.slips[0][member] = value
    await world.settle(20)
    assert world.shipped(one) == {}
    assert list(world.shipped(other).values()) == [2]
    [record] = world.odd_rows.kept.values()
    assert (record.source, record.member) == ("order_status", member)
    assert record.number == f"{one.erp_number}/PS-1"
    assert not world.engine.failed_looks
    world.erp.slips[0][member] = before
    await world.settle(20)
    assert list(world.shipped(one).values()) == [2]
    if member != "SourceDocumentLine":
        assert not world.odd_rows.kept


async def test_a_row_of_an_order_that_is_none_of_ours_is_nobodys_affair() -> None:
    world = FulfilmentWorld()
    await posted(world)
    world.erp.slips[0] |= {"Qty": "two", "SalesId": "SO-OTHERS"}
    await world.settle(20)
    assert not world.odd_rows.kept


async def test_a_header_or_parcel_that_cannot_be_read_keeps_no_other_from_being_told() -> None:
    world = FulfilmentWorld()
    one, other = await posted(world)
    for each in (one, other):
        world.erp.move(each.erp_number, SalesOrderProcessingStatus="Picked")
    world.erp.move(one.erp_number, SalesOrderProcessingStatus=4)
    world.erp.parcel(one.erp_number, "PS-1", "JD01")
    world.erp.parcels[0]["TrackingNumber"] = None
    world.erp.parcel(other.erp_number, "PS-2", "JD02")
    await world.settle(20)
    tracks = [t.track_number for s in world.shipments.all_of(other.order) for t in s.tracks]
    assert tracks == ["JD02"]
    members = {each.member for each in world.odd_rows.kept.values()}
    assert members == {"SalesOrderProcessingStatus", "TrackingNumber"}
