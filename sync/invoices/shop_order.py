"""Read the order of a bill from the shop, and the SKUs whose stock a document of it moves."""

from collections.abc import Collection, Iterable
from typing import Protocol

from sync.engine.flow import Work
from sync.engine.outcomes import HeldError, SkippedError
from sync.invoices.mapping import stocked_rows
from sync.magento.billed_order_models import BilledOrder
from sync.magento.stock_ports import SkusById


class BilledOrders(Protocol):
    """The shop's orders."""

    async def order(self, entity_id: int) -> BilledOrder | None:
        """Return an order."""
        ...


class BilledOrderReader:
    """Reads orders of one market.

    Args:
        shop: The shop's orders.
        skus: Its SKUs.
        stores: The market's store views.
    """

    def __init__(self, shop: BilledOrders, skus: SkusById, *, stores: Collection[int]) -> None:
        self._shop = shop
        self._skus = skus
        self._stores = frozenset(stores)

    async def of(self, work: Work, order_id: int) -> BilledOrder:
        """Return the event's order as it is now; raises `SkippedError` and `HeldError`."""
        order = await self._shop.order(order_id)
        if order is None:
            raise SkippedError("the shop has no such order any more")
        if order.store_id not in self._stores:
            raise HeldError(
                field="store_id",
                text=f"order #{order.entity_id} is of store view {order.store_id}, which is none "
                f"of {work.event.market}",
                advice="find out which order is meant; then skip the event",
            )
        return order

    async def skus_of(self, order: BilledOrder, items: Iterable[int]) -> list[str]:
        """Return the SKUs that are sold with some rows of an order."""
        rows = stocked_rows(order, items)
        ids = sorted({row.product_id for row in rows if row.product_id is not None})
        # A product that the shop deleted has no stock any more.
        return sorted((await self._skus.skus_by_id(ids)).values())
