"""Greetings: one for each order, written where tests read it."""

from collections.abc import Mapping

from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Work
from sync.engine.outcomes import Done, SkippedError
from sync.engine.writes import written
from sync.magento.orders import OrderCalls
from tests.toy_flow.rules import FLOW, GreetingRules

SAID: list[str] = []


class GreetingFlow:
    """A `sync.engine.flow.Flow`.

    Args:
        orders: The shop's orders.
        markets: Rules by code.
    """

    name = FLOW

    def __init__(self, orders: OrderCalls, *, markets: Mapping[str, GreetingRules]) -> None:
        self._orders = orders
        self._markets = markets

    async def carry(self, work: Work) -> Done:
        """Greet whoever placed one order."""
        order = await self._orders.order(int(work.event.document_id or 0))
        if order is None:
            raise SkippedError("the shop has no such order any more")
        text = f"{self._markets[work.event.market].word}, {order.increment_id}"

        async def say(*, guard: Guard) -> None:
            await guard()
            SAID.append(text)

        await written(work, "magento", "greet", {"text": text}, say)
        return Done(f"said {text}")
