"""What fakes of the shop share that write to the simulated one, in process and without HTTP.

A write may be late: it was sent, and is done some time later, whoever has stopped waiting.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from pricing_proxy.http_exchange import Guard
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import RefusedError
from sync.magento.answers import MagentoRejectedError
from sync.magento.fault_messages import ShopFault

Write = Callable[[], Any]


class LateShop:
    """Reads that may fail, and writes that may be late.

    Args:
        shop: The sandbox's.
        before: Happens before each read, and may raise.
        send: Does a write of a name, or loses it, or does it later.
    """

    def __init__(
        self,
        shop: Shop,
        *,
        before: Callable[[str], Awaitable[None]],
        send: Callable[[str, Write], Awaitable[Any]],
    ) -> None:
        self._shop = shop
        self._before = before
        self._send = send

    async def _written(self, name: str, write: Write, guard: Guard | None) -> Any:
        """Return what a write answers; raises what the client raises where the shop refuses it."""
        if guard is not None:
            await guard()
        try:
            return await self._send(name, write)
        except RefusedError as error:
            fault = ShopFault(template=str(error), parameters={})
            raise MagentoRejectedError(
                "refused", system="magento", status=error.status, faults=(fault,)
            ) from error
