"""Count the orders that a market leaves in the shop because they are from before its start.

A start by number began when the first order of such a number was made: what is older is left.
"""

from dataclasses import dataclass
from datetime import timedelta

from sync.magento.orders import OrderCalls
from sync.magento.search import SearchCondition, SearchFilter, any_id, wire_instant
from sync.orders.rules import OrderRules
from sync.orders.starts import Starts
from sync.sections import SyncMarket

_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many orders a market leaves in the shop.

    Attributes:
        count: All of them.
        undecided: Those of them whose numbers cannot be compared with the start, as the shop has
            none yet that it could be.
    """

    count: int
    undecided: int = 0


async def count_left_out(orders: OrderCalls, code: str, market: SyncMarket) -> LeftOut:
    """Return how many have no ERP number and are not from after the start.

    Raises:
        UpstreamError: The shop did not say.
    """
    rules = market.rules(OrderRules)
    starts = Starts(orders, rules={code: rules}, stores={code: market.store_ids})
    groups = [
        any_id("store_id", market.store_ids),
        (SearchFilter("ext_order_id", SearchCondition.MISSING),),
    ]
    made_at = await starts.made_at(code)
    if made_at is not None:
        last = wire_instant(made_at - _A_MOMENT)
        before = (SearchFilter("created_at", SearchCondition.AT_MOST, last),)
        return LeftOut(await orders.order_count([*groups, before]))
    whole = await orders.order_count(groups)
    # The shop compares texts: right among numbers of one width, as one store view's are.
    first = str(rules.start_at)
    last_number = str(int(first) - 1).zfill(len(first))
    lower = (SearchFilter("increment_id", SearchCondition.AT_MOST, last_number),)
    return LeftOut(whole, undecided=whole - await orders.order_count([*groups, lower]))
