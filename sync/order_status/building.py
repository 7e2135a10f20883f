"""The order status flow: what it is to all others, and how it is built."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from pricing_proxy.d365.fo.fulfilment import FulfilmentReads
from pricing_proxy.names import same_name_key
from sync.description import Built, Description, OfOrder
from sync.engine.schedules import Schedule
from sync.erp_events import ErpEvent
from sync.given import ConfiguredMarket, Given
from sync.magento import resources
from sync.magento.shop import Shop
from sync.order_status.cancelling import Canceller
from sync.order_status.comparing import delivery_comparison
from sync.order_status.contracts import contracts
from sync.order_status.flow import OrderStatusFlow, StatusMarket
from sync.order_status.headers import Headers
from sync.order_status.line_changes import LineChanges
from sync.order_status.mapping import VERSION
from sync.order_status.notes import OrderNotes
from sync.order_status.papers import Papers
from sync.order_status.parcel_carrier import ParcelCarrier
from sync.order_status.rules import FLOW, OrderStatusRules
from sync.order_status.shipping import ShipmentWriter
from sync.order_status.shop_order import ShopOrderReader
from sync.order_status.slip_carrier import SlipCarrier
from sync.order_status.source import StatusSource
from sync.order_status.sources import Sources
from sync.order_status.step_carrier import StepCarrier
from sync.order_status.told_back import came_back
from sync.papers.entering import FactEntry
from sync.papers.looks import Looks
from sync.papers.odd_papers import OddPaperBook
from sync.papers.read_budget import ReadBudget
from sync.papers.stock_wanted import stock_wanted
from sync.papers.watched_market import WatchedMarket
from sync.reconciliation.healing import Reconciled

# With the read itself and the write, a slip is in the shop within 90 seconds.
_LOOK, _HOURLY = timedelta(seconds=30), timedelta(hours=1)


def status_flow(given: Given) -> OrderStatusFlow:
    """Return what carries facts."""
    return OrderStatusFlow({code: _market(given, each) for code, each in given.markets.items()})


def watching(given: Given) -> Mapping[str, StatusSource]:
    """Return what enters facts, by market."""
    return {code: _watching(given, each) for code, each in given.having(FLOW).items()}


def reconciled(given: Given) -> list[Reconciled]:
    """Return what compares the deliveries of each market that has them on."""
    sources = watching(given)
    return [_reconciled(given, each, sources[code]) for code, each in given.having(FLOW).items()]


def _reconciled(given: Given, market: ConfiguredMarket, source: StatusSource) -> Reconciled:
    comparison = delivery_comparison(
        _watched(market),
        erp=FulfilmentReads(given.erp(market)),
        watch=given.watched,
        events=given.document_events,
        marks=given.polling.watermarks,
        clock=given.polling.clock,
    )

    async def heal(numbers: Sequence[str]) -> None:
        await source.hint([comparison.erp_numbers[number] for number in numbers])

    return Reconciled(
        comparison=comparison,
        every=_HOURLY,
        heal=heal,
        by_hand="see first what keeps the flow from finding them: d365-sync status",
    )


def _watched(market: ConfiguredMarket) -> WatchedMarket:
    start_at = market.own.rules(OrderStatusRules).start_at
    return WatchedMarket(flow=FLOW, code=market.code, company=market.company, start_at=start_at)


def build(given: Given) -> Built:
    """Return the flow with its source."""
    markets = watching(given)
    return Built(
        flow=status_flow(given),
        schedules=[
            Schedule(f"watch orders of {code}", _LOOK, each.look) for code, each in markets.items()
        ],
        erp_hint=_hint(given, markets),
    )


async def _itself(shop: Shop, order: int) -> Sequence[int]:
    del shop
    return [order]


ORDER_STATUS = Description(
    name=FLOW,
    goes_to="the shop",
    rules=OrderStatusRules,
    build=build,
    mapping_version=VERSION,
    erp_hints=lambda rules: rules.events,
    contracts=contracts,
    relies_on=("orders",),
    resources=(resources.ORDERS, resources.SHIPMENTS, resources.PRODUCTS, resources.SOURCE_ITEMS),
    of_order=OfOrder("its way back", _itself),
    came_back=came_back,
    reconciles=reconciled,
)


def _market(given: Given, market: ConfiguredMarket) -> StatusMarket:
    shop, erp = given.shop, FulfilmentReads(given.erp(market))
    orders = ShopOrderReader(shop.reserving_orders, stores=market.own.store_ids)
    sources = Sources(shop.shipping_sources, shop.products)
    shipping = ShipmentWriter(
        shop.shipments,
        orders=orders,
        sources=sources,
        bundles=shop.products,
        locks=given.locks,
        want=stock_wanted(given, market),
    )
    return StatusMarket(
        slips=SlipCarrier(
            erp,
            orders=orders,
            shipping=shipping,
            warehouses={
                same_name_key(warehouse): source
                for source, warehouses in market.own.warehouses_of_sources.items()
                for warehouse in warehouses
            },
            market=market.code,
        ),
        parcels=ParcelCarrier(
            erp,
            shipments=shop.shipments,
            carriers=market.own.rules(OrderStatusRules).carriers,
            market=market.code,
        ),
        steps=_steps(given, market, orders, sources),
    )


def _steps(
    given: Given, market: ConfiguredMarket, orders: ShopOrderReader, sources: Sources
) -> StepCarrier:
    erp, shop = FulfilmentReads(given.erp(market)), given.shop.order_notes
    notes = OrderNotes(shop, locks=given.locks)
    return StepCarrier(
        erp,
        company=market.company,
        market=market.code,
        rules=market.own.rules(OrderStatusRules),
        orders=orders,
        notes=notes,
        canceller=Canceller(
            shop,
            orders=orders,
            notes=notes,
            sources=sources,
            locks=given.locks,
            want=stock_wanted(given, market),
        ),
        lines=LineChanges(erp, company=market.company, orders=orders, notes=notes),
    )


def _watching(given: Given, market: ConfiguredMarket) -> StatusSource:
    rules, polling = market.own.rules(OrderStatusRules), given.polling
    its = _watched(market)
    erp = FulfilmentReads(given.erp(market))
    budget = ReadBudget(rules.reads_a_minute, clock=polling.clock)
    entering = FactEntry(polling.events, FLOW, market.code)
    odd_rows = OddPaperBook(polling.odd_rows, given.watched, its)
    looks = Looks(its, watch=given.watched, marks=polling.watermarks, budget=budget)
    return StatusSource(
        looks,
        papers=Papers(
            erp,
            its,
            watch=given.watched,
            entering=entering,
            odd_rows=odd_rows,
            marks=polling.watermarks,
            budget=budget,
            clock=polling.clock,
        ),
        headers=Headers(
            erp,
            its,
            watch=given.watched,
            entering=entering,
            odd_rows=odd_rows,
            named=rules.progress,
            marks=polling.watermarks,
            budget=budget,
            clock=polling.clock,
        ),
        budget=budget,
    )


def _hint(
    given: Given, markets: Mapping[str, StatusSource]
) -> Callable[[ErpEvent], Awaitable[None]]:
    """Return what looks at orders at once that the ERP told of."""

    async def hint(event: ErpEvent) -> None:
        for code in event.markets:
            rules = given.markets[code].own.rules(OrderStatusRules)
            if number := event.told(rules.events):
                await markets[code].hint([number])

    return hint
