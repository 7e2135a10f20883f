"""The invoices flow: what it is to all others, and how it is built."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from pricing_proxy.d365.fo.fulfilment import FulfilmentReads
from pricing_proxy.d365.fo.invoices import InvoiceReads
from sync.description import Built, Description, OfOrder
from sync.engine.schedules import Schedule
from sync.erp_events import ErpEvent
from sync.given import ConfiguredMarket, Given
from sync.invoices.check import lot_row
from sync.invoices.comparing import bill_comparison
from sync.invoices.contracts import contracts
from sync.invoices.credit_carrier import CreditCarrier
from sync.invoices.crediting import MemoWriter
from sync.invoices.deliveries import Deliveries
from sync.invoices.finding import BillFinder
from sync.invoices.flow import InvoiceFlow, InvoiceMarket
from sync.invoices.invoice_carrier import InvoiceCarrier
from sync.invoices.invoicing import InvoiceWriter
from sync.invoices.line_reader import BillLines
from sync.invoices.mapping import VERSION
from sync.invoices.rules import FLOW, InvoiceRules
from sync.invoices.shop_order import BilledOrderReader
from sync.invoices.source import InvoiceSource
from sync.invoices.told_back import came_back
from sync.magento import resources
from sync.magento.shop import Shop
from sync.papers.entering import FactEntry
from sync.papers.looks import Looks
from sync.papers.odd_papers import OddPaperBook
from sync.papers.read_budget import ReadBudget
from sync.papers.stock_wanted import stock_wanted
from sync.papers.watched_market import WatchedMarket
from sync.reconciliation.healing import Reconciled

# With the read itself and the write, a bill is in the shop within 90 seconds.
_LOOK, _HOURLY = timedelta(seconds=30), timedelta(hours=1)
_RETURNS, _STATUS = "returns", "order_status"


def invoice_flow(given: Given) -> InvoiceFlow:
    """Return what carries bills."""
    return InvoiceFlow({code: _market(given, each) for code, each in given.markets.items()})


def invoice_sources(given: Given) -> Mapping[str, InvoiceSource]:
    """Return what enters bills, by market."""
    return {code: _source(given, each) for code, each in given.having(FLOW).items()}


def reconciled(given: Given) -> list[Reconciled]:
    """Return what compares the bills of each market that has them on."""
    sources = invoice_sources(given)
    return [_reconciled(given, each, sources[code]) for code, each in given.having(FLOW).items()]


def build(given: Given) -> Built:
    """Return the flow with its source."""
    markets = invoice_sources(given)
    return Built(
        flow=invoice_flow(given),
        schedules=[
            Schedule(f"look for invoices of {code}", _LOOK, each.look)
            for code, each in markets.items()
        ],
        erp_hint=_hint(given, markets),
    )


async def _itself(shop: Shop, order: int) -> Sequence[int]:
    del shop
    return [order]


INVOICES = Description(
    name=FLOW,
    goes_to="the shop",
    rules=InvoiceRules,
    build=build,
    mapping_version=VERSION,
    erp_hints=lambda rules: rules.events,
    contracts=contracts,
    relies_on=("orders",),
    resources=(
        resources.ORDERS,
        resources.INVOICES,
        resources.CREDIT_MEMOS,
        resources.PRODUCTS,
    ),
    erp_rows=lot_row,
    of_order=OfOrder("its invoices and credit notes", _itself),
    came_back=came_back,
    reconciles=reconciled,
)


def _market(given: Given, market: ConfiguredMarket) -> InvoiceMarket:
    shop, rules = given.shop, market.own.rules(InvoiceRules)
    lines, want = BillLines(InvoiceReads(given.erp(market))), stock_wanted(given, market)
    orders = BilledOrderReader(shop.invoices, shop.products, stores=market.own.store_ids)
    invoicing = InvoiceWriter(
        shop.invoices,
        orders=orders,
        rules=rules,
        locks=given.locks,
        want=want,
        market=market.code,
    )
    crediting = MemoWriter(
        shop.invoices,
        orders=orders,
        locks=given.locks,
        want=want,
        has_returns=_RETURNS in market.own.flows,
    )
    return InvoiceMarket(
        invoices=InvoiceCarrier(lines, orders=orders, writer=invoicing, rules=rules),
        credits=CreditCarrier(
            lines,
            orders=orders,
            writer=crediting,
            rules=rules,
            deliveries=_deliveries(given, market),
        ),
    )


def _deliveries(given: Given, market: ConfiguredMarket) -> Deliveries | None:
    if _STATUS not in market.own.flows:
        return None
    return Deliveries(FulfilmentReads(given.erp(market)), given.shop.reserving_orders)


def _source(given: Given, market: ConfiguredMarket) -> InvoiceSource:
    polling, its = given.polling, _watched(market)
    budget = _budget(given, market)
    return InvoiceSource(
        its,
        looks=Looks(its, watch=given.watched, marks=polling.watermarks, budget=budget),
        finder=_finder(given, market, budget),
        entering=FactEntry(polling.events, FLOW, market.code),
        marks=polling.watermarks,
        budget=budget,
        clock=polling.clock,
    )


def _reconciled(given: Given, market: ConfiguredMarket, source: InvoiceSource) -> Reconciled:
    polling = given.polling
    comparison = bill_comparison(
        _watched(market),
        finder=_finder(given, market, _budget(given, market)),
        events=given.document_events,
        marks=polling.watermarks,
        clock=polling.clock,
    )
    return Reconciled(
        comparison=comparison,
        every=_HOURLY,
        heal=source.look_again,
        by_hand="see first what keeps the flow from finding them: d365-sync status",
    )


def _watched(market: ConfiguredMarket) -> WatchedMarket:
    start_at = market.own.rules(InvoiceRules).start_at
    return WatchedMarket(flow=FLOW, code=market.code, company=market.company, start_at=start_at)


def _budget(given: Given, market: ConfiguredMarket) -> ReadBudget:
    return ReadBudget(market.own.rules(InvoiceRules).reads_a_minute, clock=given.polling.clock)


def _finder(given: Given, market: ConfiguredMarket, budget: ReadBudget) -> BillFinder:
    its = _watched(market)
    return BillFinder(
        InvoiceReads(given.erp(market)),
        its,
        watch=given.watched,
        odd_rows=OddPaperBook(given.polling.odd_rows, given.watched, its),
        budget=budget,
    )


def _hint(
    given: Given, markets: Mapping[str, InvoiceSource]
) -> Callable[[ErpEvent], Awaitable[None]]:
    """Return what looks at once, since the ERP told of something billed."""

    async def hint(event: ErpEvent) -> None:
        for code in event.markets:
            rules = given.markets[code].own.rules(InvoiceRules)
            if number := event.told(rules.events):
                await markets[code].hint([number])

    return hint
