"""The orders flow: what it is to all others, and how it is built."""

from collections.abc import Sequence
from datetime import timedelta

from pricing_proxy.d365.fo.models import (
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
)
from sync.description import Built, Description
from sync.engine.odd_rows import LOOK_AGAIN
from sync.engine.schedules import Schedule
from sync.given import ConfiguredMarket, Given, companies
from sync.magento import resources
from sync.orders.check import guest_row, shop_rows
from sync.orders.comparing import ComparedMarket, OrderComparison
from sync.orders.contracts import contracts
from sync.orders.edited_payload import bad_edit
from sync.orders.flow import OrderFlow, OrderMarket
from sync.orders.late_changes import LateChanges
from sync.orders.late_doubles import LateDoubles, SweptMarket
from sync.orders.mapping import VERSION
from sync.orders.number_ranges import RangeWatch
from sync.orders.own_headers import LINK, OwnHeaders
from sync.orders.reducing import Reducer
from sync.orders.rule_mistakes import mistakes
from sync.orders.rules import FLOW, OrderRules
from sync.orders.selling import Selling
from sync.orders.sold_products import SoldProducts
from sync.orders.source import OrderSource
from sync.orders.starts import Starts
from sync.orders.writer import OrderWriter
from sync.reconciliation.healing import Reconciled

# Who chooses where numbers begin does not do so often.
_DAILY = timedelta(days=1)


def order_flow(given: Given) -> OrderFlow:
    """Return what carries orders."""
    markets = {code: _market(given, market) for code, market in given.markets.items()}
    return OrderFlow(given.shop.orders, markets=markets, starts=starts(given), locks=given.locks)


def order_source(given: Given) -> OrderSource:
    """Return what enters orders."""
    having = given.having(FLOW)
    return OrderSource(
        given.shop.orders,
        given.polling,
        market_of_store=given.market_of_store(FLOW),
        rules={code: each.own.rules(OrderRules) for code, each in having.items()},
        starts=starts(given),
        links={code: given.links.of_market(code) for code in having},
    )


def starts(given: Given) -> Starts:
    """Return what says which orders are history."""
    return Starts(
        given.shop.orders,
        rules={code: each.own.rules(OrderRules) for code, each in given.markets.items()},
        stores={code: each.own.store_ids for code, each in given.markets.items()},
    )


def late_doubles(given: Given) -> LateDoubles:
    """Return what finds headers that came late."""
    markets = {
        code: SweptMarket(
            erp=given.sales_orders(market),
            company=market.company,
            stores=market.own.store_ids,
            links=given.links.of_market(code),
            of_company=[given.links.of_market(each) for each in market.of_company],
        )
        for code, market in given.having(FLOW).items()
    }
    return LateDoubles(
        given.shop.orders, markets=markets, forms=given.forms, events=given.polling.events
    )


def reconciled(given: Given) -> list[Reconciled]:
    """Return what compares the orders of each market that has them on."""
    source = order_source(given)
    return [_reconciled(given, each, source) for each in given.having(FLOW).values()]


def _reconciled(given: Given, market: ConfiguredMarket, source: OrderSource) -> Reconciled:
    comparison = OrderComparison(
        ComparedMarket(
            code=market.code,
            company=market.company,
            stores=market.own.store_ids,
            rules=market.own.rules(OrderRules),
            links=given.links.of_market(market.code),
            others=[
                given.links.of_market(each) for each in market.of_company if each != market.code
            ],
            references=given.references(market, given.shop.orders.orders_numbered),
        ),
        shop=given.shop.orders,
        erp=given.sales_orders(market),
        starts=starts(given),
        events=given.document_events,
        clock=given.polling.clock,
    )

    async def heal(numbers: Sequence[str]) -> None:
        for number in numbers:
            await source.hint(comparison.ids[number])

    return Reconciled(
        comparison=comparison,
        every=given.sweep_every,
        heal=heal,
        by_hand="see first what keeps polls from finding them: d365-sync status",
    )


def build(given: Given) -> Built:
    """Return the flow with its sources."""
    source, ranges = order_source(given), RangeWatch(given.shop.orders, companies(given.markets))
    return Built(
        flow=order_flow(given),
        schedules=(
            given.poll(FLOW, source.poll, is_awaited=True),
            Schedule("look at odd orders", LOOK_AGAIN, source.look_again),
            given.sweep(FLOW, source.sweep),
            Schedule("sweep unclaimed headers", given.sweep_every, late_doubles(given).sweep),
            Schedule("compare order numbers", _DAILY, ranges.look),
        ),
        hint=source.hint,
    )


ORDERS = Description(
    name=FLOW,
    goes_to="the ERP",
    rules=OrderRules,
    build=build,
    mapping_version=VERSION,
    is_usual=True,
    is_promised=True,
    hints=("order.placed", "order.changed"),
    contracts=contracts,
    reads=(ReleasedProductRow, ReleasedProductVariantRow, OrderSettingsRow),
    resources=(resources.ORDERS, resources.PRODUCTS),
    erp_rows=guest_row,
    shop_rows=shop_rows,
    mistakes=mistakes,
    reconciles=reconciled,
    bad_edit=bad_edit,
)


def _market(given: Given, market: ConfiguredMarket) -> OrderMarket:
    rules, erp = market.own.rules(OrderRules), given.sales_orders(market)
    section = market.section
    writer = OrderWriter(
        erp,
        own=OwnHeaders(
            erp,
            company=market.company,
            market=market.code,
            field=market.reference_field,
            references=given.references(market, given.shop.orders.orders_numbered),
            owners=given.owners(market, LINK),
        ),
        company=market.company,
        rules=rules,
    )
    return OrderMarket(
        selling=Selling(
            market=market.code,
            company=market.company,
            currencies=frozenset(section.currencies or [section.currency]),
        ),
        rules=rules,
        store_ids=frozenset(market.own.store_ids),
        sold=SoldProducts(
            given.shop.products,
            given.erp(market),
            company=market.company,
            unit_attribute=rules.unit_attribute,
            clock=given.polling.clock,
        ),
        writer=writer,
        changes=LateChanges(
            writer,
            reducer=Reducer(erp, company=market.company, rules=rules),
            market=market.code,
            rules=rules,
        ),
    )
