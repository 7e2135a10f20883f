"""The simulated shop as order status comments on its orders and cancels them, in process."""

from collections.abc import Awaitable, Callable
from typing import Any

from pricing_proxy.http_exchange import Guard
from pricing_proxy.sandbox.shop import states
from pricing_proxy.sandbox.shop.tables import Shop
from sync.magento.order_notes import OrderComment
from tests.fakes.shipping_shop import Write, written


class NotedShop:
    """Plays `ShopOrderNotes`.

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

    async def comments_of(self, order_id: int) -> list[OrderComment]:
        await self._before("order comments")
        entries = self._shop.order(order_id)["status_histories"]
        return [OrderComment.model_validate(entry) for entry in entries]

    async def add_comment(
        self,
        order_id: int,
        text: str,
        *,
        is_visible: bool,
        status: str = "",
        guard: Guard | None = None,
    ) -> None:
        entry: dict[str, Any] = {"comment": text, "is_visible_on_front": int(is_visible)}
        if status:
            entry["status"] = status
        body = {"statusHistory": entry}
        write = lambda: states.comment(self._shop, order_id, body)  # noqa: E731
        await written(self._send, "order comment", write, guard)

    async def cancel(self, order_id: int, *, guard: Guard | None = None) -> str:
        write = lambda: states.cancel(self._shop, order_id)  # noqa: E731
        return "true" if await written(self._send, "cancel", write, guard) is True else "false"
