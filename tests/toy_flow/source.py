"""Which orders are greeted: those that the shop tells of."""

from collections.abc import Mapping

from sync.engine.polling import Polling
from sync.magento.orders import OrderCalls
from sync.store.document_keys import document_key
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
        key = document_key(FLOW, market, str(entity_id))
        return await self._polling.events.receive(
            flow=FLOW,
            market=market,
            document_id=str(entity_id),
            business_key=order.increment_id,
            source_key=key,
            payload={},
            lock_key=key,
        )

    async def poll(self) -> int:
        """Enter nothing: whom the shop does not tell of is not greeted."""
        return 0
