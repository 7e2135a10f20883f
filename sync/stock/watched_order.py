"""The test order of `d365-sync check --prove-stock`, as both systems show it; only read."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.d365.fo.stock import StockReads
from pricing_proxy.names import same_name_key
from sync.given import ConfiguredMarket, Given
from sync.magento.reserving_models import ReservingOrder
from sync.stock.layout import Layout
from sync.stock.proving import Free, NotProvableError, Stage
from sync.stock.reservations import reservations
from sync.stock.rules import FLOW, StockRules
from sync.stock.source import FREE, OnHand

# Exact: rounded down, a part of a box more or less would not be seen.
_DECIMALS = 4
_OPEN = "Backorder"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedOrder:
    """One order of the shop.

    Attributes:
        given: The ways to both systems.
        market: Where it was placed.
        order: The shop's id of it.
        ordered: What it has reserved, by SKU.
        reader: Reads what is free.
    """

    given: Given
    market: ConfiguredMarket
    order: int
    ordered: Mapping[str, Decimal]
    reader: OnHand

    async def free(self) -> Free:
        """Return what is free of its SKUs in all sources; raises `UpstreamError`."""
        found: dict[str, Decimal] = {}
        names = {same_name_key(sku): sku for sku in self.ordered}
        async for page in self.reader.pages(keys=[*self.ordered]):
            for row in page.rows:
                fields = (value for name, value in row.values.items() if name.startswith(FREE))
                sku = names[same_name_key(row.key)]
                found[sku] = sum((Decimal(str(each)) for each in fields), Decimal(0))
        return found

    async def stage(self) -> Stage:
        """Return how far it is; raises `UpstreamError`."""
        order = await self.given.shop.orders.order(self.order)
        if order is None or not order.ext_order_id:
            return Stage.PLACED
        reads = StockReads(self.given.reads_of(self.market))
        lines = [
            row
            async for chunk in reads.lines_of(self.market.company, [order.ext_order_id])
            for row in chunk.rows
        ]
        is_open = not lines or any(row.SalesOrderLineStatus == _OPEN for row in lines)
        return Stage.ENTERED if is_open else Stage.DELIVERED


async def watched_order(given: Given, layout: Layout, number: str) -> WatchedOrder:
    """Return an order by its number; raises `NotProvableError` and `UpstreamError`."""
    markets = given.having(FLOW)
    for found in await given.shop.orders.orders_by_increment_id(number):
        for code, market in markets.items():
            if found.store_id not in market.own.store_ids:
                continue
            rules = market.own.rules(StockRules)
            reads = given.reads_of(market)
            reader = OnHand(
                StockReads(reads),
                reads,
                company=market.company,
                stock=layout.stocks[code],
                measure=rules.measure,
                decimals=_DECIMALS,
            )
            return WatchedOrder(
                given=given,
                market=market,
                order=found.entity_id,
                ordered=await _ordered(given, found.entity_id),
                reader=reader,
            )
    raise NotProvableError(f"no market with {FLOW} on has an order {number}")


async def _ordered(given: Given, order: int) -> Mapping[str, Decimal]:
    rows: list[ReservingOrder] = []
    async for page in given.shop.reserving_orders.of([order]):
        rows += page.rows
    found = [each for row in rows for each in reservations(row, {}) if each.quantity > 0]
    names = await given.shop.products.skus_by_id(
        sorted({each.row.product_id for each in found if each.row.product_id is not None})
    )
    ordered: dict[str, Decimal] = {}
    for each in found:
        sku = names.get(each.row.product_id or 0, each.row.sku)
        ordered[sku] = ordered.get(sku, Decimal(0)) + each.quantity
    return ordered
