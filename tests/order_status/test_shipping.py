"""What a packing slip becomes in the shop, whatever the shop and people did meanwhile."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from pricing_proxy.resilience.errors import UpstreamConflictError
from sync.magento.answers import MagentoRejectedError
from sync.magento.fault_messages import ShopFault
from sync.magento.order_turns import turn_of
from sync.order_status.rules import Notice, OrderStatusRules
from sync.store.states import EventState
from tests.fakes.fulfilment_world import VARIANT, FulfilmentWorld, Sold

D = Decimal


def only(sold: Sold, row: int = 0) -> str:
    return list(sold.lots)[row]


async def test_a_slip_in_two_parts_from_two_sources_is_two_shipments() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5), ("LAMP-02", 2))
    first, second = sold.lots
    world.erp.lines[1]["ShippingWarehouseId"] = "14"
    await world.step()
    world.erp.post("PS-1", {first: D(2), second: D(2)})

    await world.settle(3)

    shipments = world.shipments.all_of(sold.order)
    assert [each.source for each in shipments] == ["berlin", "hamburg"]
    assert world.shipped(sold) == {sold.lots[first]: D(2), sold.lots[second]: D(2)}
    day = f"{world.clock.utc():%Y-%m-%d}"
    assert world.marks_of(sold) == [
        f"demf/SO-1/PS-1/{day}/berlin",
        f"demf/SO-1/PS-1/{day}/hamburg",
    ]
    world.erp.post("PS-2", {first: D(3)})
    await world.settle(3)
    assert world.shipped(sold)[sold.lots[first]] == 5
    assert world.shop.order(sold.order)["state"] == "processing"
    assert sorted(set(world.wanted)) == ["lamp-01", "lamp-02"]


async def test_a_source_that_holds_too_little_is_raised_before_it_ships() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    world.shop.inventory.write("LAMP-01", "berlin", D(2))
    await world.step()
    world.erp.post("PS-1", {only(sold): D(5)})
    await world.settle(3)
    assert world.shipped(sold) == {sold.lots[only(sold)]: D(5)}
    assert world.held("LAMP-01", "berlin") == 0


async def test_slips_of_equal_number_are_told_apart_by_order_and_day() -> None:
    world = FulfilmentWorld()
    one, other = world.sell(("LAMP-01", 2)), world.sell(("LAMP-01", 3))
    await world.step()
    today = world.clock.utc().date()
    world.erp.post("PS-1", {only(one): D(1), only(other): D(3)})
    world.erp.post("PS-1", {only(one): D(1)}, day=today - timedelta(days=1))
    await world.settle(3)
    assert list(world.shipped(one).values()) == [2]
    assert list(world.shipped(other).values()) == [3]


async def test_a_slip_filed_under_another_order_ships_each_line_in_its_own() -> None:
    world = FulfilmentWorld()
    one, other = world.sell(("LAMP-01", 2)), world.sell(("LAMP-02", 3))
    await world.step()
    world.erp.post("PS-1", {only(one): D(2), only(other): D(3)}, filed_under=one.erp_number)
    world.erp.parcel(one.erp_number, "PS-1", "JD01")
    await world.settle(10)
    assert list(world.shipped(one).values()) == [2]
    assert list(world.shipped(other).values()) == [3]
    for sold in (one, other):
        [shipment] = world.shipments.all_of(sold.order)
        assert [track.track_number for track in shipment.tracks] == ["JD01"]


async def test_more_than_is_left_ships_what_is_left_and_is_told() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2))
    await world.step()
    world.erp.post("PS-1", {only(sold): D(3)})
    await world.settle(3)
    assert list(world.shipped(sold).values()) == [2]
    [event] = world.events(sold)
    assert event.state is EventState.DONE
    assert event.caution is not None
    assert event.caution.diff == [(f"row {sold.lots[only(sold)]}", "3", "2")]


async def test_a_lot_that_the_shop_does_not_know_stops_no_other_line() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2))
    await world.step()
    added = world.erp.line(sold.erp_number, "")
    world.erp.post("PS-1", {only(sold): D(2), added: D(1)})
    await world.settle(3)
    assert list(world.shipped(sold).values()) == [2]
    [event] = world.events(sold)
    assert event.caution is not None
    assert added in event.caution.text


async def test_a_slip_of_unknown_lots_alone_is_held() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2))
    await world.step()
    world.erp.post("PS-1", {world.erp.line(sold.erp_number, "elsewhere-1"): D(1)})
    await world.settle(3)
    [event] = world.events(sold)
    assert event.state is EventState.HELD
    assert "no line of slip PS-1" in event.reason


async def test_a_slip_of_an_order_that_nobody_knows_enters_nothing() -> None:
    world = FulfilmentWorld()
    await world.step()
    world.erp.post("PS-1", {"LOT-X": D(1)})
    await world.settle(3)
    assert not world.engine.entered


async def test_an_order_on_hold_waits_and_ships_when_it_goes_on() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2))
    world.act("hold", sold.order)
    await world.step()
    world.erp.post("PS-1", {only(sold): D(2)})
    await world.settle(180)
    [event] = world.events(sold)
    assert event.state is EventState.WAITING
    assert world.shop.order(sold.order)["state"] == "holded"
    world.act("unhold", sold.order)
    await world.settle(10)
    assert list(world.shipped(sold).values()) == [2]


async def test_what_is_delivered_of_a_cancelled_order_is_a_persons_affair() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2))
    world.act("cancel", sold.order)
    await world.step()
    world.erp.post("PS-1", {only(sold): D(2)})
    await world.settle(3)
    [event] = world.events(sold)
    assert event.state is EventState.HELD
    assert "canceled in the shop" in event.reason


async def test_a_warehouse_that_fills_no_source_is_named() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2), warehouse="99")
    await world.step()
    world.erp.post("PS-1", {only(sold): D(2)})
    await world.settle(3)
    [event] = world.events(sold)
    assert event.state is EventState.HELD
    assert "warehouse 99" in event.reason


async def test_a_shipment_by_hand_with_equal_lines_is_adopted() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    await world.step()
    item = sold.lots[only(sold)]
    world.act("ship", sold.order, {"items": [{"order_item_id": item, "qty": 3}]})
    world.erp.post("PS-1", {only(sold): D(3)})
    await world.settle(3)
    assert world.shipped(sold) == {item: D(3)}
    assert len(world.marks_of(sold)) == 1
    # The same quantity once more is another slip.
    world.erp.post("PS-2", {only(sold): D(2)})
    await world.settle(3)
    assert world.shipped(sold) == {item: D(5)}


async def test_a_shipment_by_hand_with_other_lines_is_held_until_somebody_says() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    await world.step()
    item = sold.lots[only(sold)]
    made = int(world.act("ship", sold.order, {"items": [{"order_item_id": item, "qty": 1}]}))
    world.erp.post("PS-1", {only(sold): D(3)})
    await world.settle(3)
    [event] = world.events(sold)
    assert event.state is EventState.HELD
    assert world.shipped(sold) == {item: D(1)}
    event.replay(other_shipments=[made])
    await world.settle(3)
    assert world.shipped(sold) == {item: D(4)}


async def test_a_shipment_by_hand_a_second_before_ours_is_cut_and_told() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    await world.step()
    item = sold.lots[only(sold)]
    by_hand = {"items": [{"order_item_id": item, "qty": 4}]}
    world.at["ship"] = lambda: world.act("ship", sold.order, by_hand)
    world.erp.post("PS-1", {only(sold): D(3)})
    await world.settle(3)
    assert world.shipped(sold) == {item: D(5)}
    [event] = world.events(sold)
    assert event.caution is not None
    assert event.caution.diff == [(f"row {item}", "3", "1")]


@pytest.mark.parametrize("quantity", ["1", "0"])
async def test_a_slip_that_was_corrected_is_a_persons_affair(quantity: str) -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    await world.step()
    world.erp.post("PS-1", {only(sold): D(3)})
    await world.settle(3)
    world.erp.correct("PS-1", D(quantity))
    await world.settle(20)
    first, second = world.events(sold)
    assert first.state is EventState.DONE
    assert second.state is EventState.HELD
    assert "corrected" in second.reason
    assert list(world.shipped(sold).values()) == [3]


async def test_what_was_posted_before_the_first_look_is_left_out() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    world.erp.post("PS-1", {only(sold): D(3)})
    await world.step()
    world.erp.post("PS-2", {only(sold): D(2)})
    await world.settle(20)
    assert list(world.shipped(sold).values()) == [2]


async def test_a_slip_that_is_dated_back_and_seen_late_is_found_by_its_date() -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5))
    await world.step()
    world.erp.post("PS-1", {only(sold): D(3)})
    hidden, world.erp.slips = world.erp.slips, []
    await world.settle(30)
    world.erp.slips = hidden
    await world.settle(20)
    assert list(world.shipped(sold).values()) == [3]


async def test_a_configurable_and_a_service_are_shipped_as_the_shop_has_them() -> None:
    world = FulfilmentWorld()
    sold = world.sell((VARIANT, 2), ("SERVICE-01", 1))
    await world.step()
    goods, service = sold.lots
    world.erp.post("PS-1", {goods: D(2), service: D(1)})
    await world.settle(3)
    assert world.shipped(sold) == {sold.lots[goods]: D(2)}


@pytest.mark.parametrize("bundle", ["parent", "parts"])
async def test_a_bundle_that_is_shipped_together_waits_for_its_last_part(bundle: str) -> None:
    """The shop ships whole bundles; the ERP delivers parts, in whatever slips."""
    world = FulfilmentWorld(bundle=bundle)
    sold = world.sell(("LAMP-SET", 2), ("LAMP-KIT", 1))
    order = world.shop.order(sold.order)
    rows = {row["item_id"]: row for row in order["items"]}
    parents = {row["item_id"] for row in order["items"] if row["product_type"] == "bundle"}
    await world.step()
    for number, lot in enumerate(sold.lots):
        quantity = rows[sold.lots[lot]]["qty_ordered"]
        world.erp.post(f"PS-{number}", {lot: quantity})
        await world.settle(3)
    shipped = world.shipped(sold)
    assert {row: shipped[row] for row in parents} == {
        row: rows[row]["qty_ordered"] for row in parents
    }
    assert len(world.shipments.all_of(sold.order)) == len(parents)
    assert all(event.state is EventState.DONE for event in world.events(sold))


@pytest.mark.parametrize("bundle", ["parent", "parts"])
@pytest.mark.parametrize("sku", ["LAMP-SET-SEPARATE", "LAMP-KIT-SEPARATE"])
@pytest.mark.parametrize("is_translated", [False, True])
async def test_a_bundle_that_is_shipped_separately_ships_its_parts(
    bundle: str, sku: str, *, is_translated: bool
) -> None:
    """Which kind a bundle is the shop's refusal says, once for each product; or the product does.

    A shop refuses in the language of its store view, and says nothing that can be read then.
    """
    world = FulfilmentWorld(bundle=bundle)
    world.is_translated = is_translated
    for _ in range(2):
        sold = world.sell((sku, 2))
        rows = {row["item_id"]: row for row in world.shop.order(sold.order)["items"]}
        await world.step()
        world.erp.post("PS-1", {lot: rows[row]["qty_ordered"] for lot, row in sold.lots.items()})
        await world.settle(3)
        shipped = world.shipped(sold)
        parts = [row for row in rows.values() if row.get("parent_item_id")]
        assert {each["item_id"]: shipped[each["item_id"]] for each in parts} == {
            each["item_id"]: each["qty_ordered"] for each in parts
        }
        assert len(world.shipments.all_of(sold.order)) == 1


@pytest.mark.parametrize("bundle", ["parent", "parts"])
async def test_parts_of_a_bundle_that_ships_them_by_themselves_do_not_wait_for_the_rest(
    bundle: str,
) -> None:
    """Nothing would be sent of a bundle that ships together, and so no refusal says that it is not.

    Seen at a real shop: the parts of the first slip were never shipped.
    """
    world = FulfilmentWorld(bundle=bundle)
    sold = world.sell(("LAMP-SET-SEPARATE", 2))
    first, *others = sold.lots
    ordered = {row["item_id"]: row["qty_ordered"] for row in world.shop.order(sold.order)["items"]}
    await world.step()
    world.erp.post("PS-1", {first: D(1)})
    await world.settle(3)
    assert world.shipped(sold)[sold.lots[first]] == 1
    world.erp.post("PS-2", {first: ordered[sold.lots[first]] - 1})
    world.erp.post("PS-3", {lot: ordered[sold.lots[lot]] for lot in others})
    await world.settle(3)
    shipped = world.shipped(sold)
    assert {row: shipped[row] for row in sold.lots.values()} == {
        row: ordered[row] for row in sold.lots.values()
    }


async def test_an_order_is_shipped_and_commented_under_its_own_lock() -> None:
    """Beside a comment Magento saves all of an order as it read it: documents since are lost."""
    rules = OrderStatusRules(progress={"Picked": Notice(comment="Picked.")})
    world, held = FulfilmentWorld(rules=rules), dict[str, bool]()
    await world.step()
    world.clock.advance(timedelta(minutes=6))
    sold = world.sell(("LAMP-01", 5))

    def note(name: str) -> None:
        held[name] = turn_of(sold.order) in world.locks.held

    await world.step()
    for write in ("ship", "order comment"):
        world.at[write] = partial(note, write)
    world.erp.post("PS-1", {only(sold): D(2)})
    world.erp.move(sold.erp_number, SalesOrderProcessingStatus="Picked")
    await world.settle(30)
    assert held == {"ship": True, "order comment": True}
    assert not world.locks.held


@pytest.mark.parametrize("losses", [1, 20])
async def test_the_loser_of_a_deadlock_ships_and_a_reason_that_stays_is_held(losses: int) -> None:
    """Two orders' shipments reserve at once, and the shop tells neither from other reasons."""
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2))
    told = "magento answered 400: Could not save a shipment, see error log for details"
    left = [losses]

    def lose() -> None:
        if left[0]:
            left[0] -= 1
            world.at["ship"] = lose
            raise UpstreamConflictError(told, system="magento", status=400)

    world.at["ship"] = lose
    await world.step()
    world.erp.post("PS-1", {only(sold): D(2)})
    await world.settle(400)
    [event] = world.events(sold)
    if losses == 1:
        assert event.state is EventState.DONE
        assert list(world.shipped(sold).values()) == [2]
        assert len(world.shipments.all_of(sold.order)) == 1
    else:
        assert event.state is EventState.HELD
        assert "Could not save a shipment" in event.reason
        assert losses - left[0] == 6


async def test_a_source_that_the_shop_refuses_is_held_with_its_words() -> None:
    """Recorded: a part of a bundle that is shipped together has one source alone."""
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 2), warehouse="14")
    said = 'Not able to assign "hamburg" to product "LAMP-01", as it is part of <a href="x">a</a>'
    world.shop.inventory.write("LAMP-01", "hamburg", D(0))

    def refuse() -> None:
        fault = ShopFault(template=said, parameters={})
        raise MagentoRejectedError("400", system="magento", status=400, faults=(fault,))

    world.at["write"] = refuse
    await world.step()
    world.erp.post("PS-1", {only(sold): D(2)})
    await world.settle(3)
    [event] = world.events(sold)
    assert event.state is EventState.HELD
    assert event.reason.endswith("as it is part of a")
    assert world.shipped(sold) == {}


@pytest.mark.parametrize("is_held", [False, True])
async def test_a_slip_that_the_erp_has_no_more_is_a_persons_affair_once_it_is_shipped(
    *, is_held: bool
) -> None:
    world = FulfilmentWorld()
    sold = world.sell(("LAMP-01", 5), warehouse="99" if is_held else "13")
    await world.step()
    world.erp.post("PS-1", {only(sold): D(3)})
    await world.settle(3)
    world.erp.slips.clear()
    for _ in range(2):
        world.new_process()
        await world.settle(3)
    first, gone = world.events(sold)
    if is_held:
        # Of what was never shipped nothing is left to do.
        first.replay()
        first.state = EventState.SKIPPED
        await world.settle(3)
        assert gone.state is EventState.DONE
        return
    assert gone.state is EventState.HELD
    assert "deleted" in gone.reason
    assert list(world.shipped(sold).values()) == [3]
