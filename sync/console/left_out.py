"""Count the orders that a market leaves in the shop because they are from before its start."""

from datetime import datetime, timedelta

from sync.magento.orders import OrderCalls
from sync.magento.search import Condition, Filter, any_id, wire_instant
from sync.settings import SyncMarket

_A_MOMENT = timedelta(microseconds=1)


async def count_left_out(orders: OrderCalls, market: SyncMarket) -> int:
    """Return how many have no ERP number and are too old; raises `UpstreamError`."""
    groups = [
        any_id("store_id", market.store_ids),
        (Filter("ext_order_id", Condition.MISSING),),
        (_before(market.orders.start_at),),
    ]
    return await orders.order_count(groups)


def _before(start: str | datetime) -> Filter:
    if isinstance(start, datetime):
        return Filter("created_at", Condition.AT_MOST, wire_instant(start - _A_MOMENT))
    # The shop compares texts: right among numbers of one width, as one store view's are.
    last = str(int(start) - 1).zfill(len(start))
    return Filter("increment_id", Condition.AT_MOST, last)
