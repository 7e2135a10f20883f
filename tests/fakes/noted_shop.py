"""The simulated shop as order status comments on its orders and cancels them, in process."""

from typing import Any

from pricing_proxy.http_exchange import Guard
from pricing_proxy.sandbox.shop import states
from sync.magento.order_notes import OrderComment
from tests.fakes.late_shop import LateShop


class NotedShop(LateShop):
    """Plays `ShopOrderNotes`."""

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
        await self._written("order comment", write, guard)

    async def cancel(self, order_id: int, *, guard: Guard | None = None) -> str:
        write = lambda: states.cancel(self._shop, order_id)  # noqa: E731
        return "true" if await self._written("cancel", write, guard) is True else "false"
