"""The stock flow: what it is to all others, and how it is built."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from pricing_proxy.d365.fo.stock import StockReads
from sync.description import Built, Description
from sync.engine.schedules import Schedule
from sync.erp_events import ErpEvent
from sync.given import ConfiguredMarket, Given
from sync.magento import resources
from sync.magento.reserving_models import ReservingOrder
from sync.mirror.ports import Mirror
from sync.mirror_flows import mirror_flow
from sync.reconciliation.healing import Reconciled
from sync.stock.check import shop_rows, warehouse_row
from sync.stock.comparing import StockComparison
from sync.stock.contracts import contracts
from sync.stock.dangers import ORDERED, limits, risks
from sync.stock.judged_rows import JudgedRows
from sync.stock.judging import Judging
from sync.stock.layout import Layout, Stock
from sync.stock.line_warehouses import LineWarehouses
from sync.stock.lookup import LookedIn, OrderLookup
from sync.stock.mapping import VERSION
from sync.stock.open_orders import OpenOrders
from sync.stock.ports import Want
from sync.stock.rules import FLOW, StockRules, mistakes
from sync.stock.source import FREE, OnHand
from sync.stock.unposted import UnpostedPapers
from sync.stock.writer import StockWriter
from sync.store.mirror_records import Values
from sync.store.order_writes import ORDERS

# SKUs that somebody waits for: with the read itself, a change is in the shop within 90 seconds.
_WATCH, _READ_WANTED = timedelta(minutes=1), timedelta(seconds=10)
_NIGHTLY = timedelta(days=1)


def build(given: Given) -> Built:
    """Return the flow with its schedules."""
    built = mirror_flow(given, FLOW, mirrors(given))
    if not given.having(FLOW):
        return built
    orders = open_orders(given, layout_of(given))
    watch = Schedule("watch stock of open orders", _WATCH, orders.watch)
    return replace(built, schedules=(*built.schedules, watch), erp_hint=_hint(given))


def mirrors(given: Given) -> list[Mirror]:
    """Return one for each market that has stock on."""
    layout = layout_of(given)
    orders = open_orders(given, layout)
    return [_mirror(given, market, layout, orders) for market in given.having(FLOW).values()]


def layout_of(given: Given) -> Layout:
    """Return which source of which stock is filled from where."""
    return Layout([_stock(given, market) for market in given.having(FLOW).values()])


def open_orders(given: Given, layout: Layout) -> OpenOrders:
    """Return what follows the shop's open orders."""
    market_of = {
        store: code for code, each in given.markets.items() for store in each.own.store_ids
    }

    async def expects(order: ReservingOrder) -> bool:
        market = market_of.get(order.store_id)
        is_brought = market is not None and ORDERS in given.markets[market].own.flows
        return is_brought and market is not None and await given.expects(market, order)

    return OpenOrders(
        given.shop.reserving_orders,
        given.shop.products,
        lines=given.lines,
        polling=given.polling,
        want=_want(given),
        layout=layout,
        expects=expects,
    )


def reconciled(given: Given) -> list[Reconciled]:
    """Return what compares the stock of each market that has it on."""
    layout = layout_of(given)
    orders = open_orders(given, layout)
    return [_reconciled(given, each, layout, orders) for each in given.having(FLOW).values()]


def _reconciled(
    given: Given, market: ConfiguredMarket, layout: Layout, orders: OpenOrders
) -> Reconciled:
    stock, reader = layout.stocks[market.code], _reader(given, market, layout)
    comparison = StockComparison(
        stock,
        layout,
        reader=reader,
        judged=_judged(given, market, layout=layout, reader=reader),
        orders=orders,
        shop=given.shop,
        known=given.mirroring.plans.known,
        erp=given.reads_of(market),
        company=market.company,
        papers=UnpostedPapers(
            given.shop.reserving_orders,
            memos=given.shop.credit_memos,
            shipments=given.shop.shipments,
            lines=given.lines,
            traces=given.traces,
            stores=stock.stores,
            clock=given.polling.clock,
        ),
    )
    want = _want(given)
    return Reconciled(
        comparison=comparison,
        every=_NIGHTLY,
        heal=partial(want, market.code, is_forced=True, reason="reconciliation"),
        by_hand=f"d365-sync resync {FLOW} --market {market.code} --force",
        is_ready=partial(given.mirroring.plans.runs.is_adopted, FLOW, market.code),
    )


def _reader(given: Given, market: ConfiguredMarket, layout: Layout) -> OnHand:
    rules = market.own.rules(StockRules)
    return OnHand(
        StockReads(given.reads_of(market)),
        given.reads_of(market),
        company=market.company,
        stock=layout.stocks[market.code],
        measure=rules.measure,
        decimals=rules.decimals,
    )


def _judged(
    given: Given, market: ConfiguredMarket, *, layout: Layout, reader: OnHand
) -> JudgedRows:
    on_hand, stock = StockReads(given.reads_of(market)), layout.stocks[market.code]
    return JudgedRows(
        stock,
        layout,
        reader=reader,
        lines=given.lines,
        judging=Judging(given.lines, given.traces, _lookup(given), clock=given.polling.clock),
        warehouses=LineWarehouses(on_hand, company=market.company, stock=stock, lines=given.lines),
    )


def _mirror(given: Given, market: ConfiguredMarket, layout: Layout, orders: OpenOrders) -> Mirror:
    rules, stock = market.own.rules(StockRules), layout.stocks[market.code]
    reader = _reader(given, market, layout)
    rotation = _rotation(rules)
    return Mirror(
        flow=FLOW,
        market=market.code,
        shop=given.shop.url,
        scopes=[stock.scope],
        reader=reader,
        writer=_writer(given, market, stock=stock, layout=layout, reader=reader, orders=orders),
        risks=risks,
        beside=partial(_ordered, given, layout, stock),
        limits=limits(rules.lowered_per_cent),
        absent={f"{FREE}{source}": "0" for source in stock.sources},
        decides_itself=True,
        change_every=_READ_WANTED,
        full_every=rotation,
        # What others write there, or an earlier write late, is found within the same time.
        look_every=rotation,
    )


async def _ordered(given: Given, layout: Layout, stock: Stock) -> Mapping[str, Values]:
    """Return what open orders take that the last write of their SKUs did not know of."""
    others = layout.stores_that_matter(stock) - stock.stores
    taken = await given.lines.not_counted(stock.stores - stock.outside, others)
    return {folded: {ORDERED: str(quantity)} for folded, quantity in taken.items()}


def _writer(
    given: Given,
    market: ConfiguredMarket,
    *,
    stock: Stock,
    layout: Layout,
    reader: OnHand,
    orders: OpenOrders,
) -> StockWriter:
    judged = _judged(given, market, layout=layout, reader=reader)
    return StockWriter(
        stock,
        judged,
        shop=given.shop.source_items,
        skus=given.shop.products,
        orders=orders,
        lines=given.lines,
        locks=given.locks,
        want=_want(given),
    )


def _hint(given: Given) -> Callable[[ErpEvent], Awaitable[None]]:
    """Return what has items read at once that the ERP told of."""
    want = _want(given)

    async def hint(event: ErpEvent) -> None:
        for code in event.markets:
            if item := event.told(given.markets[code].own.rules(StockRules).events):
                await want(code, [item], is_forced=False, reason=event.name)

    return hint


def _want(given: Given) -> Want:
    async def want(
        market: str,
        keys: Collection[str],
        *,
        is_forced: bool,
        reason: str,
        after: timedelta = timedelta(0),
    ) -> None:
        due_at = given.polling.clock.utc() + after if after else None
        await given.mirroring.plans.want(
            FLOW, market, [*keys], is_forced=is_forced, reason=reason, due_at=due_at
        )

    return want


def _rotation(rules: StockRules) -> timedelta:
    return timedelta(minutes=rules.rotation_minutes)


def _stock(given: Given, market: ConfiguredMarket) -> Stock:
    rules = market.own.rules(StockRules)
    others = [given.markets[code] for code in rules.also_sold_by]
    return Stock(
        market=market.code,
        id=rules.stock_id,
        company=_company(market),
        sources=rules.sources,
        default=rules.default_source or next(iter(rules.sources)),
        stores=_stores([market, *others]),
        outside=_stores([each for each in others if _company(each) != _company(market)]),
        safety_stock=rules.safety_stock,
    )


def _stores(markets: Collection[ConfiguredMarket]) -> frozenset[int]:
    return frozenset(store for market in markets for store in market.own.store_ids)


def _company(market: ConfiguredMarket) -> str:
    return f"{market.section.environment}/{market.company.casefold()}"


def _lookup(given: Given) -> OrderLookup:
    return OrderLookup(
        {
            store: LookedIn(
                given.sales_orders(market),
                market.company,
                given.references(market, given.shop.orders.orders_numbered),
            )
            for market in given.markets.values()
            for store in market.own.store_ids
        }
    )


STOCK = Description(
    name=FLOW,
    goes_to="the shop",
    rules=StockRules,
    build=build,
    mapping_version=VERSION,
    erp_hints=lambda rules: rules.events,
    contracts=contracts,
    resources=(resources.SOURCE_ITEMS, resources.PRODUCTS, resources.ORDERS, resources.SHIPMENTS),
    erp_rows=warehouse_row,
    shop_rows=shop_rows,
    mistakes=mistakes,
    mirrors=mirrors,
    reconciles=reconciled,
    is_undoable=False,
    rotation=_rotation,
)
