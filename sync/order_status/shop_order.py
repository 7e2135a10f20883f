"""Read the order of an event from the shop, and say whether anything may still happen to it."""

from collections.abc import Collection
from contextlib import aclosing

from sync.engine.flow import Work
from sync.engine.outcomes import HeldError, SkippedError
from sync.magento.reserving_models import ReservingOrder
from sync.order_status.ports import ShopOrdersOf


class ShopOrderReader:
    """Reads orders of one market.

    Args:
        shop: The shop's orders.
        stores: The market's store views.
    """

    def __init__(self, shop: ShopOrdersOf, *, stores: Collection[int]) -> None:
        self._shop = shop
        self._stores = frozenset(stores)

    async def of(self, work: Work, order_id: int) -> ReservingOrder:
        """Return the event's order as it is now; raises `SkippedError` and `HeldError`."""
        async with aclosing(self._shop.of([order_id])) as pages:
            async for page in pages:
                for row in page.odd:
                    raise HeldError(
                        field=row.member,
                        text=f"the shop's order #{order_id} cannot be read: {row.text}",
                        advice="mend it in the shop, then replay",
                    )
                for order in page.rows:
                    return self._checked(work, order)
        raise SkippedError("the shop has no such order any more")

    def _checked(self, work: Work, order: ReservingOrder) -> ReservingOrder:
        if order.store_id not in self._stores:
            raise HeldError(
                field="store_id",
                text=f"order #{order.entity_id} is of store view {order.store_id}, which is none "
                f"of {work.event.market}",
                advice="find out which order is meant; then skip the event",
            )
        return order
