"""Stock in ERP, sources and salable: each cause planted in the two simulated systems is named."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pricing_proxy.sandbox.stock.ledger import place_of
from sync.mirror.keys import folded
from sync.reconciliation.causes import Cause
from sync.sales.value_lines import line_reference
from sync.stock.layout import Stock
from sync.store.order_writes import OrderWrite
from tests.stock.compared_world import HERE, MARKET, STOCK, THERE, ComparedWorld

SKU, OTHER = "LAMP-01", "LAMP-02"


async def world_of(stock: Stock = STOCK) -> ComparedWorld:
    """Return two systems that are alike."""
    world = ComparedWorld(stock)
    world.world.erp.per_sold = {SKU: 1, OTHER: 1}
    for sku, on_hand in ((SKU, 100), (OTHER, 40)):
        world.world.erp.ledger.put(place_of(sku, "13"), Decimal(on_hand))
        world.world.erp.ledger.put(place_of(sku, "14"), Decimal(on_hand // 2))
    await world.settle()
    return world


def enter(world: ComparedWorld, order: int, number: str = "SO-1") -> None:
    """Have the ERP get an order of the shop."""
    row, now = world.world.shop.order(order), world.world.clock.utc()
    line = row["items"][0]
    reference = line_reference(row["increment_id"], line["item_id"])
    write = OrderWrite(
        is_deletion=False, number=number, reference=reference, sent_at=now, done_at=now
    )
    world.world.traces.writes[order] = [write]
    world.world.erp.order(number, SKU, "13", Decimal(line["qty_ordered"]), reference=reference)


async def found(world: ComparedWorld) -> list[tuple[str, str, list[Cause], str]]:
    world.world.clock.advance(timedelta(minutes=1))
    report = await world.compare()
    assert report.compared == 6
    return [
        (each.key, each.field, list(each.names), "; ".join(share.text for share in each.causes))
        for each in report.found
    ]


async def test_systems_that_are_alike_have_nothing_to_report() -> None:
    world = await world_of(replace(STOCK, safety_stock=Decimal(3)))
    order = world.world.place(MARKET, SKU, 10)
    enter(world, order)
    await world.settle()
    assert await found(world) == []
    world.world.act("ship", order, from_here())
    assert await found(world) == []


def from_here() -> dict[str, object]:
    return {"arguments": {"extension_attributes": {"source_code": HERE}}}


async def unknown(world: ComparedWorld) -> None:
    world.world.erp.per_sold["LAMP-NEW"] = 1
    world.world.erp.ledger.put(place_of("LAMP-NEW", "13"), Decimal(5))


async def unit(world: ComparedWorld) -> None:
    for source in (HERE, THERE):
        world.edit(SKU, source, world.world.sources.held(SKU, source) * 12)


async def in_flight(world: ComparedWorld) -> None:
    world.world.place(MARKET, SKU, 4)


async def memo(world: ComparedWorld) -> None:
    order = world.world.place(MARKET, SKU, 4)
    enter(world, order)
    await world.settle()
    world.world.act("ship", order, from_here())
    world.world.act("invoice", order)
    await world.settle()
    item = world.world.shop.order(order)["items"][0]["item_id"]
    returned = {"shipping_amount": 0, "extension_attributes": {"return_to_stock_items": [item]}}
    body = {"items": [{"order_item_id": item, "qty": 3}], "arguments": returned}
    world.world.clock.advance(timedelta(minutes=1))
    world.world.act("refund", order, body)


async def shipment(world: ComparedWorld) -> None:
    order = world.world.place(MARKET, SKU, 4)
    await world.world.orders.look()
    world.world.clock.advance(timedelta(minutes=1))
    world.world.act("ship", order, from_here())


async def changed(world: ComparedWorld) -> None:
    world.world.erp.ledger.put(place_of(SKU, "13"), Decimal(90))


async def other_run(world: ComparedWorld) -> None:
    world.wrote(SKU, 3, {"free/berlin": "77"})
    world.edit(SKU, HERE, 77)


async def edited(world: ComparedWorld) -> None:
    world.edit(SKU, HERE, 55)


async def unexplained(world: ComparedWorld) -> None:
    del world.known.rows[STOCK.scope, folded(SKU)]
    world.edit(SKU, HERE, 55)


CASES: list[tuple[Callable[[ComparedWorld], Awaitable[None]], list[str], list[Cause], str]] = [
    (unit, ["source berlin", "source hamburg"], [Cause.UNIT], "12 times of what the ERP says"),
    (in_flight, ["salable"], [Cause.IN_FLIGHT], "order 3000000001"),
    (memo, ["source berlin"], [Cause.NOT_POSTED], "credit memo 3000000001 of order"),
    (shipment, ["source berlin"], [Cause.NOT_POSTED], "shipment 3000000001 of order"),
    (changed, ["source berlin"], [Cause.ERP_CHANGED], ""),
    (other_run, ["source berlin"], [Cause.OTHER_RUN], "as run 3 wrote it"),
    (edited, ["source berlin"], [Cause.EDITED], ""),
    (unexplained, ["source berlin"], [Cause.UNEXPLAINED], ""),
]


@pytest.mark.parametrize(("plant", "fields", "causes", "text"), CASES)
async def test_a_cause_is_named_where_it_is(
    plant: Callable[[ComparedWorld], Awaitable[None]],
    fields: list[str],
    causes: list[Cause],
    text: str,
) -> None:
    world = await world_of()
    await plant(world)
    told = await found(world)
    assert [(key, field, names) for key, field, names, _ in told] == [
        (SKU, field, causes) for field in fields
    ]
    assert all(text in words for *_, words in told)


async def test_a_sku_that_the_shop_does_not_have_is_named() -> None:
    world = await world_of()
    await unknown(world)
    [unknown_one] = (await world.compare()).found
    assert (unknown_one.key, unknown_one.field) == ("LAMP-NEW", "product")
    assert unknown_one.names == [Cause.UNKNOWN_SKU]


async def test_a_deleted_product_is_named_though_its_source_items_stay() -> None:
    world = await world_of()
    shop = world.world.shop
    assert shop.catalog.remove(SKU)
    [found_one] = (await world.compare()).found
    assert (found_one.key, found_one.names) == (SKU, [Cause.UNKNOWN_SKU])


@pytest.mark.parametrize("hours", [-2, 2])
async def test_papers_are_dated_by_the_shops_own_clock(hours: int) -> None:
    world = await world_of()
    world.clock_behind = timedelta(hours=hours)
    await memo(world)
    [(_, _, names, _)] = await found(world)
    assert names == [Cause.NOT_POSTED]


async def test_a_shipment_from_before_the_last_write_explains_nothing_since() -> None:
    """Whatever it moved, the write was an absolute number."""
    world = await world_of()
    await shipment(world)
    world.world.clock.advance(timedelta(minutes=1))
    await world.settle()
    world.edit(SKU, HERE, world.world.sources.held(SKU, HERE) - 4)
    [(_, _, names, _)] = await found(world)
    assert names == [Cause.EDITED]


async def test_two_causes_of_one_source_are_both_named() -> None:
    world = await world_of()
    await changed(world)
    await memo(world)
    await edited(world)
    world.edit(SKU, HERE, 55)
    [(_, field, names, _)] = await found(world)
    assert field == "source berlin"
    assert names == [Cause.NOT_POSTED, Cause.EDITED]


async def test_what_the_shop_keeps_back_by_its_threshold_is_no_difference() -> None:
    """The shop's own is asked for once; a product may have another, above or below zero."""
    world = await world_of()
    world.keep_back(SKU, min_qty=5)
    world.keep_back(OTHER, min_qty=5)
    assert await found(world) == []
    assert world.world.sources.settings_asked == 1
    world.keep_back(OTHER, min_qty=-10, use_config_min_qty=False)
    assert await found(world) == []
    world.world.place(MARKET, SKU, 4)
    assert await found(world) == [(SKU, "salable", [Cause.IN_FLIGHT], "order 3000000001")]


async def test_stock_that_the_shop_does_not_count_is_told_as_its_setting() -> None:
    """It shows that as nothing that is for sale, and sells what the ERP does not have."""
    world = await world_of()
    world.keep_back(SKU, manage_stock=False, use_config_manage_stock=False)
    [(key, field, names, text)] = await found(world)
    assert (key, field, names) == (SKU, "salable", [Cause.SETTING])
    assert "sells any number" in text


async def test_more_is_ordered_than_there_is() -> None:
    """The shop then says that nothing is salable, not how much is lacking."""
    world = await world_of(replace(STOCK, sources={HERE: ["13"]}))
    world.world.erp.ledger.put(place_of(SKU, "13"), Decimal(5))
    await world.settle()
    world.world.place(MARKET, SKU, 5)
    world.edit(SKU, HERE, 3)
    told = await world.compare()
    by_field = {each.field: each.names for each in told.found}
    assert by_field == {"source berlin": [Cause.EDITED], "salable": [Cause.IN_FLIGHT]}


async def test_what_the_shop_refuses_is_told_as_refused_and_not_as_news_of_the_erp() -> None:
    world = await world_of()
    world.world.sources.refuses.add((SKU, THERE))
    world.world.erp.ledger.put(place_of(SKU, "14"), Decimal(500))
    await world.settle()
    # With the very number that the shop refused, it is held by name.
    assert await found(world) == []
    world.world.erp.ledger.put(place_of(SKU, "14"), Decimal(501))
    [(_, field, causes, text)] = await found(world)
    assert (field, causes) == (f"source {THERE}", [Cause.SETTING])
    assert "the shop refused" in text


async def test_pieces_that_left_though_they_were_refunded_are_not_sold_once_more() -> None:
    """The shop ends what is reserved for them a second time, and takes so much less off."""
    world = await world_of()
    order = world.world.place(MARKET, SKU, 10)
    enter(world, order)
    await world.settle()
    [line] = world.world.shop.order(order)["items"]

    def some(quantity: int) -> dict[str, object]:
        return {"items": [{"order_item_id": line["item_id"], "qty": quantity}]}

    world.world.act("invoice", order)
    world.world.act("refund", order, some(4) | {"arguments": {"shipping_amount": 0}})
    world.world.act("ship", order, some(6) | from_here())
    await world.settle()
    assert await found(world) == []
    world.world.act("ship", order, some(4) | from_here())
    await world.settle()
    assert await found(world) == []
    free = sum(world.world.erp.free(SKU, each) for each in STOCK.sources.values())
    sources, reserved = world.world.sources, world.world.sources.reserved(SKU, STOCK.id)
    assert sum(sources.sold_from(SKU, each) for each in STOCK.sources) - reserved == free
