"""A source item that the shop refuses keeps nothing else from being right."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from pricing_proxy.resilience.errors import (
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from pricing_proxy.sandbox.stock.ledger import place_of
from sync.magento.source_items import SourceQuantity
from sync.sales.value_lines import line_reference
from sync.stock.layout import Stock
from sync.stock.sending import MOST
from sync.store.mirror_records import RowEnd
from sync.store.order_writes import OrderWrite
from tests.fakes.stock_world import ERP, StockWorld

SKU, OTHER, MARKET = "LAMP-01", "LAMP-02", "b2b_de"
STOCK = Stock(
    market=MARKET,
    id=3,
    company=ERP,
    sources={"berlin": ["13"], "hamburg": ["14"]},
    default="berlin",
    stores=frozenset({3, 4}),
)


class Shelves:
    """Two SKUs in two sources."""

    def __init__(self) -> None:
        self.world = StockWorld(STOCK)
        self.world.erp.per_sold = {SKU: 1, OTHER: 1}
        self.count(berlin=100, hamburg=50)
        self.count(OTHER, berlin=7, hamburg=7)

    def count(self, sku: str = SKU, *, berlin: int, hamburg: int) -> None:
        """Have so much in the ERP."""
        for warehouse, pieces in (("13", berlin), ("14", hamburg)):
            self.world.erp.ledger.put(place_of(sku, warehouse), Decimal(pieces))

    def held(self, sku: str = SKU) -> list[Decimal]:
        """Return what both sources hold."""
        return [self.world.sources.held(sku, source) for source in STOCK.sources]

    async def bring(self, keys: Sequence[str] = (SKU,), *, is_alone: bool = False) -> None:
        """Read and write SKUs."""
        await self.world.plan(MARKET, dict.fromkeys(keys, False))
        await self.world.write(MARKET, is_alone=is_alone)


async def shelves() -> Shelves:
    """Return them, written once."""
    found = Shelves()
    await found.world.settle()
    assert found.held() == [100, 50]
    return found


async def test_what_can_be_written_of_a_sku_is_written_and_the_refused_source_is_named() -> None:
    """Or the shop goes on selling 100 where the ERP has 3."""
    both = await shelves()
    both.world.sources.refuses.add((SKU, "hamburg"))
    both.count(berlin=3, hamburg=60)
    both.count(OTHER, berlin=1, hamburg=2)

    await both.bring([SKU, OTHER])

    assert both.held() == [3, 50]
    assert both.held(OTHER) == [1, 2]
    [refused] = both.world.refused(MARKET).values()
    assert (refused.end, refused.field) == (RowEnd.REFUSED, "source hamburg")
    assert "part of a bundle" in refused.text
    known = both.world.known(MARKET, SKU)
    assert (known["free/berlin"], known["free/hamburg"]) == ("3", "50")


async def test_what_was_refused_is_not_sent_again_but_by_its_own_event_or_in_another_number() -> (
    None
):
    both = await shelves()
    shop = both.world.sources
    shop.refuses.add((SKU, "hamburg"))
    both.count(berlin=3, hamburg=60)
    await both.bring()
    first = shop.refusals

    both.count(berlin=2, hamburg=60)
    await both.bring()
    await both.bring()
    assert shop.refusals == first
    assert both.held() == [2, 50]
    assert both.world.refused(MARKET)

    await both.bring(is_alone=True)
    assert shop.refusals == first + 1
    both.count(berlin=2, hamburg=61)
    await both.bring()
    assert shop.refusals == first + 2

    shop.refuses.clear()
    await both.bring(is_alone=True)
    assert both.held() == [2, 61]
    assert not both.world.refused(MARKET)
    assert both.world.known(MARKET, SKU)["refused/hamburg"] is None


async def test_the_lowered_source_is_written_first() -> None:
    both = await shelves()
    shop = both.world.sources
    shop.refuses.add((SKU, "nobody"))
    both.count(berlin=110, hamburg=1)
    shop.written.clear()
    calls: list[str] = []

    async def before(name: str) -> None:
        calls.append(name)
        if name == "write" and calls.count("write") == 1:
            raise _refusal()

    shop._before = before
    await both.bring()

    assert [each.source for each in shop.written] == ["hamburg", "berlin"]
    assert both.held() == [110, 1]


@pytest.mark.parametrize(
    "error",
    [
        UpstreamTimeoutError("no answer", system="magento"),
        UpstreamUnavailableError("500", system="magento"),
    ],
    ids=["silent", "broken"],
)
async def test_a_shop_that_takes_nothing_refuses_no_source(error: UpstreamError) -> None:
    both = await shelves()

    async def before(name: str) -> None:
        if name == "write":
            raise error

    both.world.sources._before = before
    both.count(berlin=3, hamburg=60)
    with pytest.raises(type(error)):
        await both.bring()
    assert not both.world.refused(MARKET)


async def test_a_source_at_which_the_shop_breaks_is_refused_if_it_takes_the_others() -> None:
    both = await shelves()
    shop, write = both.world.sources, both.world.sources.write_source_items

    async def breaks(quantities: Sequence[SourceQuantity], **_: object) -> None:
        if any(each.source == "hamburg" for each in quantities):
            raise UpstreamUnavailableError("500 Internal Server Error", system="magento")
        await write(quantities)

    shop.write_source_items = breaks  # type: ignore[method-assign]
    both.count(berlin=3, hamburg=60)
    await both.bring()

    assert both.held() == [3, 50]
    assert both.world.refused(MARKET)[SKU.casefold()].field == "source hamburg"


async def test_a_number_that_the_shop_cannot_keep_is_held_by_name_and_the_rest_flows() -> None:
    """The shop's column has eight digits before the point; it stores a larger number as those."""
    both = await shelves()
    both.count(berlin=3, hamburg=999_999_999_999)
    await both.bring()
    assert both.held() == [3, 50]
    assert "999999999999" in both.world.refused(MARKET)[SKU.casefold()].text

    both.count(berlin=3, hamburg=int(MOST))
    await both.bring()
    assert both.held() == [3, int(MOST)]
    assert not both.world.refused(MARKET)


async def test_a_refused_source_keeps_what_orders_have_in_it() -> None:
    """Its lines were not added back anew: shipped, they take from what was written before."""
    both = await shelves()
    order = both.world.place(MARKET, SKU, 10)
    row, now = both.world.shop.order(order), both.world.clock.utc()
    reference = line_reference(row["increment_id"], row["items"][0]["item_id"])
    sent = OrderWrite(
        is_deletion=False, number="SO-1", reference=reference, sent_at=now, done_at=None
    )
    both.world.traces.writes[order] = [replace(sent, done_at=now)]
    both.world.erp.order("SO-1", SKU, "14", Decimal(10), reference=reference)
    row["ext_order_id"] = "SO-1"
    both.world.shop.touch(row)
    await both.world.settle()
    [line] = both.world.lines.kept.values()
    assert line.counted == "hamburg"
    assert line.inside == 10

    both.world.sources.refuses.add((SKU, "hamburg"))
    both.count(berlin=90, hamburg=30)
    await both.world.settle()

    [line] = both.world.lines.kept.values()
    assert line.counted == "hamburg"
    assert line.inside == 10
    assert both.held() == [90, 50]


def _refusal() -> UpstreamRejectedError:
    return UpstreamRejectedError(
        "Could not save Source Item", system="magento", status=400, reasons=("no",)
    )
