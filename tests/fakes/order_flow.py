"""The orders flow of one market, over whatever shop and ERP a test has."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from sync.orders.flow import OrderFlow, OrderMarket
from sync.orders.late_changes import LateChanges
from sync.orders.own_headers import OwnHeaders
from sync.orders.ports import ErpOrders, ShopOrders
from sync.orders.reducing import Reducer
from sync.orders.rules import OrderRules
from sync.orders.selling import Sellable, SoldThing
from sync.orders.starts import Starts
from sync.orders.writer import OrderWriter
from tests.fakes.order_shop import FakeSold
from tests.fakes.references import COMPANY, MARKET
from tests.fakes.stock_store import FakeLocks
from tests.orders import recorded


def order_flow(
    shop: ShopOrders,
    erp: ErpOrders,
    own: OwnHeaders,
    rules: OrderRules,
    *,
    stores: Collection[int],
    market: str = MARKET,
    sold: Mapping[SoldThing, Sellable] = MappingProxyType({}),
) -> OrderFlow:
    """Return the flow of a process that remembers nothing.

    Args:
        shop: The shop's orders.
        erp: The ERP's.
        own: Finds those of the shop among them.
        rules: The market's.
        stores: Its store views.
        market: Its code.
        sold: What is sold beside what any recorded order names.
    """
    writer = OrderWriter(erp, own=own, company=COMPANY, rules=rules)
    changes = LateChanges(
        writer,
        reducer=Reducer(erp, company=COMPANY, rules=rules),
        market=market,
        rules=rules,
    )
    only = OrderMarket(
        selling=recorded.SELLING,
        rules=rules,
        store_ids=frozenset(stores),
        sold=FakeSold(sold),
        writer=writer,
        changes=changes,
    )
    return OrderFlow(
        shop,
        markets={market: only},
        starts=starts(shop, rules, stores, market),
        locks=FakeLocks(),
    )


def starts(
    shop: ShopOrders, rules: OrderRules, stores: Collection[int] = (1,), market: str = MARKET
) -> Starts:
    """Return what says which orders of one market are history."""
    return Starts(shop, rules={market: rules}, stores={market: stores})
