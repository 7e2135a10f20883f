"""The invoices flow: what it is to all others, and how it is built."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from pricing_proxy.d365.fo.invoices import InvoiceReads
from sync.description import Built, Description, OfOrder
from sync.engine.schedules import Schedule
from sync.erp_events import ErpEvent
from sync.given import ConfiguredMarket, Given
from sync.invoices.check import lot_row
from sync.invoices.contracts import contracts
from sync.invoices.credit_carrier import CreditCarrier
from sync.invoices.crediting import MemoWriter
from sync.invoices.flow import InvoiceFlow, InvoiceMarket
from sync.invoices.invoice_carrier import InvoiceCarrier
from sync.invoices.invoicing import InvoiceWriter
from sync.invoices.line_reader import BillLines
from sync.invoices.mapping import VERSION
from sync.invoices.rules import FLOW, InvoiceRules
from sync.invoices.shop_order import BilledOrderReader
from sync.invoices.source import InvoiceSource
from sync.magento import resources
from sync.magento.shop import Shop
from sync.papers.entering import FactEntry
from sync.papers.stock_wanted import stock_wanted
from sync.papers.watched_market import WatchedMarket

# With the read itself and the write, a bill is in the shop within 90 seconds.
_LOOK = timedelta(seconds=30)
_RETURNS = "returns"


def invoice_flow(given: Given) -> InvoiceFlow:
    """Return what carries bills."""
    return InvoiceFlow({code: _market(given, each) for code, each in given.markets.items()})


def invoice_sources(given: Given) -> Mapping[str, InvoiceSource]:
    """Return what enters bills, by market."""
    return {code: _source(given, each) for code, each in given.having(FLOW).items()}


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
        credits=CreditCarrier(lines, orders=orders, writer=crediting, rules=rules),
    )


def _source(given: Given, market: ConfiguredMarket) -> InvoiceSource:
    rules, polling = market.own.rules(InvoiceRules), given.polling
    return InvoiceSource(
        InvoiceReads(given.erp(market)),
        WatchedMarket(flow=FLOW, code=market.code, company=market.company, start_at=rules.start_at),
        watch=given.watched,
        entering=FactEntry(polling.events, FLOW, market.code),
        marks=polling.watermarks,
        clock=polling.clock,
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
