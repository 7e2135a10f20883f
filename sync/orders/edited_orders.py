"""Orders that were edited in the back office: the shop cancels the old one and makes a new one.

The new one has the old one's number and "-1". Both at work in the ERP would deliver twice, so
the new one waits until the old one is stopped there, which the old one's own event does; if the
old one was never sent there is nothing to wait for. Where the shop could cancel a part of the
old one only, or has not cancelled it after a while, both are orders.
"""

from collections.abc import Collection
from datetime import timedelta

from sync.engine.flow import Work
from sync.engine.outcomes import RetryLaterError
from sync.magento.order_models import Order
from sync.orders.ports import ShopOrders
from sync.orders.source import is_canceled
from sync.orders.writer import OrderWriter

# The old order is cancelled by the request that makes the new one.
_CANCELLED_BY = timedelta(minutes=15)
# Its event is entered by the next poll, and mostly done within seconds.
_AGAIN = timedelta(seconds=15)
_CANCELED = "Canceled"


async def check_replaced(
    work: Work,
    order: Order,
    shop: ShopOrders,
    writer: OrderWriter,
    *,
    stores: Collection[int],
) -> None:
    """Return when the order that this one replaces, if any, is at work in the ERP no longer.

    Raises:
        RetryLaterError: It still is.
        UpstreamError: A call failed.
    """
    replaced = await _replaced(order, shop)
    if replaced is None or replaced.store_id not in stores:
        return
    is_young = work.clock.utc() - order.created_at < _CANCELLED_BY
    is_about_to_be_cancelled = is_young and not replaced.cancelled
    if not is_canceled(replaced) and not is_about_to_be_cancelled:
        return
    for header in await writer.find(replaced):
        if not header.IsSalesProcessingStopped and header.SalesOrderStatus != _CANCELED:
            raise RetryLaterError(
                f"replaces {replaced.increment_id}, which is {header.SalesOrderNumber} and not "
                "stopped in the ERP yet",
                after=_AGAIN,
            )


def replaced_by(order: Order) -> str:
    """Return which order replaces a cancelled one, as the end of a sentence."""
    number = order.relation_child_real_id
    return f", and replaced by {number}" if number else ""


async def _replaced(order: Order, shop: ShopOrders) -> Order | None:
    told = order.relation_parent_id
    if not (told.isascii() and told.isdecimal()):
        return None
    return await shop.order(int(told))
