"""The returns flow: what it is to all others, and how it is built."""

from collections.abc import Sequence
from functools import partial

from pricing_proxy.d365.fo.returns import Returns
from sync.description import Built, Description, OfOrder
from sync.engine.odd_rows import LOOK_AGAIN
from sync.engine.schedules import Schedule
from sync.given import ConfiguredMarket, Given
from sync.magento import resources
from sync.magento.shop import Shop
from sync.returns.contracts import contracts
from sync.returns.flow import ReturnFlow, ReturnMarket
from sync.returns.mapping import VERSION
from sync.returns.own_documents import OwnReturns, SoldOrders
from sync.returns.rules import FLOW, ReturnRules, mistakes
from sync.returns.source import ReturnSource
from sync.sales.references import RETURN_LINK, RETURN_MARK


def return_flow(given: Given) -> ReturnFlow:
    """Return what carries returns."""
    markets = {code: _market(given, market) for code, market in given.markets.items()}
    return ReturnFlow(given.shop.credit_memos, orders=given.shop.orders, markets=markets)


def return_source(given: Given) -> ReturnSource:
    """Return what enters returns."""
    begins = [market.begins_at for market in given.having(FLOW).values()]
    return ReturnSource(
        given.shop.credit_memos,
        given.polling,
        market_of_store=given.market_of_store(FLOW),
        first=None if None in begins else min(filter(None, begins), default=None),
    )


def build(given: Given) -> Built:
    """Return the flow with its source."""
    source = return_source(given)
    return Built(
        flow=return_flow(given),
        schedules=(
            given.poll(FLOW, source.poll),
            Schedule("look at odd returns", LOOK_AGAIN, source.look_again),
            given.sweep(FLOW, source.sweep),
        ),
        hint=source.hint,
    )


async def _memos(shop: Shop, order: int) -> Sequence[int]:
    return [memo.entity_id for memo in await shop.credit_memos.credit_memos_of(order)]


RETURNS = Description(
    name=FLOW,
    goes_to="the ERP",
    rules=ReturnRules,
    build=build,
    mapping_version=VERSION,
    is_usual=True,
    hints=("creditmemo.created",),
    mistakes=mistakes,
    contracts=contracts,
    relies_on=("orders",),
    resources=(resources.ORDERS, resources.CREDIT_MEMOS),
    of_order=OfOrder("its credit memos", _memos),
)


def _market(given: Given, market: ConfiguredMarket) -> ReturnMarket:
    orders, memos, returns = given.shop.orders, given.shop.credit_memos, Returns(given.erp(market))
    references = given.references(market, memos.credit_memos_numbered, mark=RETURN_MARK)
    return ReturnMarket(
        company=market.company,
        store_ids=frozenset(market.own.store_ids),
        rules=market.own.rules(ReturnRules),
        splitting=market.splitting,
        returns=returns,
        orders=SoldOrders(
            given.sales_orders(market),
            company=market.company,
            references=given.references(market, orders.orders_numbered),
        ),
        own=OwnReturns(
            returns,
            company=market.company,
            market=market.code,
            references=references,
            owners=given.owners(market, RETURN_LINK),
        ),
        references=references,
        expects=partial(given.expects, market.code),
    )
