"""A recorded order, from its placing to its shipment, with the flow between the two systems.

The recording shows what a shop says when whoever writes stock adds nothing back: what is picked
counts twice until the shipment is posted. The simulated shop says the same at each step; what the
flow makes of it never does.
"""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pricing_proxy.sandbox.stock.ledger import place_of
from sync.sales.value_lines import line_reference
from sync.stock.layout import Stock
from sync.store.order_writes import OrderWrite
from tests.fakes.stock_world import ERP, StockWorld

SKU, SOURCE = "LAMP-01", "berlin"
RECORDED = json.loads(
    (Path(__file__).parents[1] / "data" / "magento" / "reservation_timeline.json").read_text()
)
STOCK = Stock(
    market="b2b_de",
    id=3,
    company=ERP,
    sources={SOURCE: ["13"]},
    default=SOURCE,
    stores=frozenset({3, 4}),
)


def both(salable: int, held: int) -> list[Decimal]:
    """Return what may be sold, and what the source holds."""
    return [Decimal(salable), Decimal(held)]


class Timeline:
    """The recorded steps, one after the other."""

    def __init__(self) -> None:
        self.world = StockWorld(STOCK)
        self.world.erp.per_sold = {SKU: 1}
        self.world.erp.ledger.put(place_of(SKU, "13"), Decimal(100))
        self.steps = iter(RECORDED["steps"])

    @property
    def numbers(self) -> list[Decimal]:
        """What may be sold, and what the source holds."""
        held = self.world.sources.held(SKU, SOURCE)
        return [held - self.world.sources.reserved(SKU, STOCK.id), held]

    def recorded(self) -> list[Decimal]:
        """Return what the recording shows after its next step."""
        step = next(self.steps)
        return [Decimal(step["salable_quantity"]), Decimal(step["source_quantity"])]

    def bring_over(self, order: int) -> Any:
        """Have an order in the ERP, acknowledged, and return its lot."""
        self.world.clock.advance(timedelta(seconds=5))
        row = self.world.shop.order(order)
        [line], now = row["items"], self.world.clock.utc()
        reference = line_reference(row["increment_id"], line["item_id"])
        sent = OrderWrite(
            is_deletion=False, number="SO-1", reference=reference, sent_at=now, done_at=None
        )
        self.world.traces.writes[order] = [replace(sent, done_at=now)]
        row["ext_order_id"] = "SO-1"
        self.world.shop.touch(row)
        return self.world.erp.order("SO-1", SKU, "13", line["qty_ordered"], reference=reference).lot


async def test_the_recorded_timeline_is_right_at_each_step() -> None:
    timeline = Timeline()
    world = timeline.world
    await world.settle()
    assert timeline.numbers == timeline.recorded() == both(100, 100)

    order = world.place("b2b_de", SKU, 5)
    assert timeline.numbers == timeline.recorded() == both(95, 100)

    world.erp.ledger.ship(timeline.bring_over(order), Decimal(5))
    await world.settle()
    # Recorded, where the ERP's 95 was written as it stands.
    assert timeline.recorded() == both(90, 95)
    assert timeline.numbers == both(95, 100)

    world.act("ship", order, {"arguments": {"extension_attributes": {"source_code": SOURCE}}})
    assert timeline.recorded() == both(90, 90)
    assert timeline.numbers == both(95, 95)

    await world.settle()
    assert timeline.numbers == timeline.recorded() == both(95, 95)

    second = world.place("b2b_de", SKU, 2)
    assert timeline.numbers == timeline.recorded() == both(93, 95)
    world.act("cancel", second)
    assert timeline.numbers == timeline.recorded() == both(95, 95)

    third = world.place("b2b_de", SKU, 3)
    assert timeline.numbers == timeline.recorded() == both(92, 95)
    world.act("invoice", third)
    assert timeline.numbers == timeline.recorded() == both(92, 95)
    world.act("refund", third)
    assert timeline.numbers == timeline.recorded() == both(92, 92)

    # The shop took them off its source; the ERP has never heard of them.
    await world.settle()
    assert timeline.numbers == both(95, 95)


async def test_a_late_shipment_and_a_short_close_need_no_care() -> None:
    """As tried on a real shop: 5 of 8 are shipped late, and the rest is never delivered."""
    timeline = Timeline()
    world = timeline.world
    await world.settle()
    order = world.place("b2b_de", SKU, 8)
    lot = timeline.bring_over(order)
    await world.settle()
    assert timeline.numbers == both(92, 100)

    world.erp.ledger.ship(lot, Decimal(5))
    await world.settle()
    assert timeline.numbers == both(92, 100)
    [line] = world.shop.order(order)["items"]
    source = {"extension_attributes": {"source_code": SOURCE}}
    part = {"items": [{"order_item_id": line["item_id"], "qty": 5}], "arguments": source}
    world.act("ship", order, part)
    await world.settle()
    assert timeline.numbers == both(92, 95)

    world.erp.ledger.close(lot)
    await world.settle()
    assert timeline.numbers == both(95, 98)
    world.act("cancel", order)
    await world.settle()
    assert timeline.numbers == both(95, 95)
