"""Which orders are greeted: those that the shop tells of."""

from collections.abc import Mapping

from sync.engine.polling import Polling
from sync.engine.sources import ShopDocument, enter
from sync.erp_events import ErpEvent
from sync.magento.orders import OrderCalls
from tests.toy_flow.rules import FLOW


class GreetingSource:
    """Enters the greetings of all markets."""

    def __init__(
        self, orders: OrderCalls, polling: Polling, *, market_of_store: Mapping[int, str]
    ) -> None:
        self._orders = orders
        self._polling = polling
        self._market_of_store = market_of_store

    async def hint(self, entity_id: int) -> bool:
        """Enter the greeting of one order."""
        order = await self._orders.order(entity_id)
        market = None if order is None else self._market_of_store.get(order.store_id)
        if order is None or market is None:
            return False
        document = ShopDocument(FLOW, market, entity_id, order.increment_id)
        return await enter(self._polling.events, document, {})

    async def erp_hint(self, event: ErpEvent) -> bool:
        """Enter the greeting of the order that the ERP names."""
        found = await self._orders.orders_by_increment_id(event.members["Number"])
        return any([await self.hint(each.entity_id) for each in found])

    async def poll(self) -> int:
        """Enter nothing: whom the shop does not tell of is not greeted."""
        return 0
