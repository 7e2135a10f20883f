"""What stock asks of Magento's orders and shipments: what is reserved, and what changed of it."""

from collections.abc import AsyncGenerator, Collection

from sync.engine.windows import Window
from sync.magento.calls import V1, Calls
from sync.magento.listing import ShopList
from sync.magento.odd_rows import RowPage
from sync.magento.orders import OPEN_STATES
from sync.magento.places import ById
from sync.magento.reserving_models import ReservingOrder, ShipmentHead
from sync.magento.search import Search, any_code

_ORDERS, _SHIPMENTS = f"{V1}/orders", f"{V1}/shipments"
_LINE = (
    "item_id,parent_item_id,product_id,product_type,sku,is_virtual,qty_ordered,qty_canceled,"
    "qty_invoiced,qty_shipped,qty_refunded"
)
_ORDER = "entity_id,increment_id,store_id,state,ext_order_id,created_at,updated_at"
_ORDER_FIELDS = f"items[{_ORDER},items[{_LINE}]]"
_SHIPMENT_FIELDS = "items[entity_id,order_id,updated_at]"


class ReservingOrderCalls:
    """Reads the orders and shipments of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._orders = self._listing(Search(fields=_ORDER_FIELDS))
        shipments = Search(fields=_SHIPMENT_FIELDS)
        self._shipments = ShopList(calls, "shipment_head", ShipmentHead, _SHIPMENTS, shipments)

    def changed(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        """Yield orders by their last change: cancelled, invoiced, refunded, first shipped."""
        return self._orders.within(window, without=without)

    def shipped(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[ShipmentHead], None]:
        """Yield shipments by their last change."""
        return self._shipments.within(window, without=without)

    async def shipment_count(self) -> int:
        """Return how many shipments there are; none is loaded."""
        return await self._shipments.count(())

    def open(self) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        """Yield all orders that may have something reserved, by rising id."""
        search = Search(groups=[any_code("state", OPEN_STATES)], fields=_ORDER_FIELDS)
        return self._listing(search).pages(ById())

    def of(self, ids: Collection[int]) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        """Yield the orders of these ids."""
        return self._orders.of(ids)

    def _listing(self, search: Search) -> ShopList[ReservingOrder]:
        return ShopList(self._calls, "reserving_order", ReservingOrder, _ORDERS, search)
