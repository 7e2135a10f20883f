"""Count the orders that a market leaves in the shop because they are from before its start."""

from datetime import datetime, timedelta

from sync.magento.orders import OrderCalls
from sync.magento.search import SearchCondition, SearchFilter, any_id, wire_instant
from sync.orders.rules import OrderRules
from sync.sections import SyncMarket

_A_MOMENT = timedelta(microseconds=1)


async def count_left_out(orders: OrderCalls, market: SyncMarket) -> int:
    """Return how many have no ERP number and are too old; raises `UpstreamError`."""
    groups = [
        any_id("store_id", market.store_ids),
        (SearchFilter("ext_order_id", SearchCondition.MISSING),),
        (_before(market.rules(OrderRules).start_at),),
    ]
    return await orders.order_count(groups)


def _before(start: str | datetime) -> SearchFilter:
    if isinstance(start, datetime):
        return SearchFilter("created_at", SearchCondition.AT_MOST, wire_instant(start - _A_MOMENT))
    # The shop compares texts: right among numbers of one width, as one store view's are.
    last = str(int(start) - 1).zfill(len(start))
    return SearchFilter("increment_id", SearchCondition.AT_MOST, last)
