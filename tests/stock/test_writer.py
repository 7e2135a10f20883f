"""What a batch writes, when something happens under it, or its numbers cannot be meant."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pricing_proxy.resilience.errors import UpstreamRejectedError
from pricing_proxy.sandbox.stock.ledger import place_of
from sync.sales.value_lines import line_reference
from sync.stock.dangers import EMPTIED, LOWERED, ORDERED, limits, risks
from sync.stock.layout import Stock
from sync.store.order_writes import OrderWrite
from tests.fakes.stock_world import ERP, StockWorld

SKU, MARKET, SOURCE = "LAMP-01", "b2b_de", "berlin"
STOCK = Stock(
    market=MARKET,
    id=3,
    company=ERP,
    sources={SOURCE: ["13"]},
    default=SOURCE,
    stores=frozenset({3, 4}),
)
FROM_HERE = {"arguments": {"extension_attributes": {"source_code": SOURCE}}}


class Shelf:
    """One SKU in one source, and what happens at some call of the flow."""

    def __init__(self, stock: Stock = STOCK, *, on_hand: int = 100) -> None:
        self.at: dict[str, Callable[[], object]] = {}
        self.world = StockWorld(stock, before=self.before)
        self.world.erp.per_sold = {SKU: 1}
        self.world.erp.ledger.put(place_of(SKU, "13"), Decimal(on_hand))

    async def before(self, name: str) -> None:
        """Let it happen, once."""
        happens = self.at.pop(name, None)
        if happens is not None:
            happens()

    @property
    def salable(self) -> Decimal:
        held = self.world.sources.held(SKU, SOURCE)
        return held - self.world.sources.reserved(SKU, 3)

    def order(self, quantity: int, *, done: bool = True) -> int:
        """Place an order that is in the ERP, whether or not that has answered."""
        number = self.world.place(MARKET, SKU, quantity)
        row, now = self.world.shop.order(number), self.world.clock.utc()
        reference = line_reference(row["increment_id"], row["items"][0]["item_id"])
        sent = OrderWrite(
            is_deletion=False, number="SO-1", reference=reference, sent_at=now, done_at=None
        )
        self.world.traces.writes[number] = [replace(sent, done_at=now) if done else sent]
        self.world.erp.order("SO-1", SKU, "13", Decimal(quantity), reference=reference)
        return number


async def test_what_is_shipped_between_plan_and_write_is_not_written_back() -> None:
    """Recorded: a planned 100 that was written after a slip oversold by 10."""
    shelf = Shelf()
    await shelf.world.settle()
    order = shelf.order(10)
    await shelf.world.settle()
    await shelf.world.plan(MARKET, {SKU: True})
    shelf.world.act("ship", order, FROM_HERE)

    await shelf.world.write(MARKET)

    assert shelf.salable == 90


async def test_what_is_shipped_during_a_write_has_its_sku_written_again() -> None:
    shelf = Shelf()
    await shelf.world.settle()
    order = shelf.order(10)
    await shelf.world.settle()
    shelf.world.erp.ledger.put(place_of(SKU, "13"), Decimal(120))
    await shelf.world.plan(MARKET, {SKU: True})
    shelf.at["write"] = lambda: shelf.world.act("ship", order, FROM_HERE)

    await shelf.world.write(MARKET)

    assert shelf.salable == 120
    assert shelf.world.is_wanted(MARKET, SKU)
    await shelf.world.settle()
    assert shelf.salable == 110


async def test_an_order_in_doubt_counts_as_absent_and_is_looked_at_again() -> None:
    shelf = Shelf()
    await shelf.world.settle()
    order = shelf.order(10, done=False)
    shelf.world.clock.advance(timedelta(seconds=5))
    await shelf.world.orders.watch()
    await shelf.world.plan_wanted(MARKET)
    await shelf.world.write(MARKET)
    # Taken off by both: too little is offered, never too much.
    assert shelf.salable == 80
    assert shelf.world.is_wanted(MARKET, SKU)

    shelf.world.traces.whole[order] = shelf.world.clock.utc()
    await shelf.world.settle()
    assert shelf.salable == 90


async def test_an_order_of_somebody_else_is_looked_up_once() -> None:
    shelf = Shelf()
    await shelf.world.settle()
    number = shelf.world.place(MARKET, SKU, 10)
    row = shelf.world.shop.order(number)
    row["ext_order_id"] = "SO-OTHERS"
    shelf.world.shop.touch(row)
    reference = f"{row['increment_id']}-1"
    shelf.world.erp.order("SO-OTHERS", SKU, "13", Decimal(10), reference=reference)

    await shelf.world.settle()

    assert shelf.salable == 90
    [line] = shelf.world.lines.kept.values()
    assert line.asked_as == "SO-OTHERS"


async def test_negative_stock_sells_nothing_and_still_ships_what_was_ordered() -> None:
    shelf = Shelf(replace(STOCK, safety_stock=Decimal(3)))
    await shelf.world.settle()
    order = shelf.order(10)
    await shelf.world.settle()
    shelf.world.erp.ledger.put(place_of(SKU, "13"), Decimal(-5))

    await shelf.world.settle()

    assert shelf.salable == 0
    assert shelf.world.sources.held(SKU, SOURCE) == 10
    shelf.world.act("ship", order, FROM_HERE)


async def test_refunded_goods_that_no_source_sells_stay_reserved_and_are_never_oversold() -> None:
    """The shop frees what it takes off a source, and takes nothing off one set not to sell."""
    shelf = Shelf()
    await shelf.world.settle()
    order = shelf.order(10)
    await shelf.world.settle()
    shelf.world.act("invoice", order)
    for source in (SOURCE, "hamburg"):
        held = shelf.world.sources.held(SKU, source)
        shelf.world.sources.edit(SKU, source, held, status=0)
    shelf.world.act("refund", order)
    shelf.world.erp.ledger.close("LOT-1")

    await shelf.world.settle()

    assert shelf.world.sources.reserved(SKU, 3) == 10
    assert shelf.world.sources.held(SKU, SOURCE) == 100
    assert shelf.salable == 90


async def test_a_sku_that_the_shop_does_not_have_is_left_out_and_the_rest_flows() -> None:
    shelf = Shelf()
    shelf.world.erp.per_sold = {SKU: 1, "NOBODY": 1}
    shelf.world.erp.ledger.put(place_of("NOBODY", "13"), Decimal(7))
    await shelf.world.plan(MARKET)

    assert await shelf.world.write(MARKET, missing={"NOBODY"}) == [SKU]

    assert shelf.salable == 100
    assert shelf.world.sources.held("NOBODY", SOURCE) == 0


async def test_a_batch_that_was_stored_and_then_failed_is_done() -> None:
    shelf = Shelf()

    def fail() -> None:
        raise UpstreamRejectedError("Could not ping search engine", system="magento", status=400)

    shelf.at["written"] = fail
    await shelf.world.plan(MARKET)

    assert await shelf.world.write(MARKET) == [SKU]
    assert shelf.salable == 100


async def test_a_batch_that_was_not_stored_fails_as_a_whole() -> None:
    shelf = Shelf()

    def fail() -> None:
        raise UpstreamRejectedError("Could not save Source Item", system="magento", status=400)

    shelf.at["write"] = fail
    await shelf.world.plan(MARKET)

    with pytest.raises(UpstreamRejectedError):
        await shelf.world.write(MARKET)


def test_an_export_of_zeros_is_over_its_limit_and_a_days_sales_are_not() -> None:
    assert risks({"free/berlin": "5"}, {"free/berlin": "0"})[0].name == EMPTIED
    assert risks({"free/berlin": "5"}, {"free/berlin": "4"})[0].name == LOWERED
    assert risks({"free/berlin": "5", "free/hamburg": "0"}, {"free/berlin": "5"}) == []
    assert risks(None, {"free/berlin": "0"}) == []


def test_only_what_falls_beyond_the_shops_own_orders_is_dangerous() -> None:
    known = {"free/berlin": "5", ORDERED: "3"}
    assert risks(known, {"free/berlin": "2"}) == []
    assert risks(known, {"free/berlin": "1"})[0].name == LOWERED
    assert risks({"free/berlin": "3", ORDERED: "3.0000"}, {"free/berlin": "0"}) == []
    assert risks(known, {"free/berlin": "0"})[0].name == EMPTIED


def test_the_limits_hold_for_a_share_of_all_skus() -> None:
    assert limits(25)[EMPTIED].allowed(1000) == 250
