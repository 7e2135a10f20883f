"""What the flows write on Magento's orders beside documents: comments, a status, a cancellation.

A comment moves nothing of the order, not even `updated_at`; Magento writes it as often as it is
asked, so whoever writes looks for it first. A write whose end is unclear is looked up by the
caller.
"""

from typing import Annotated, Any

from pricing_proxy.http_exchange import Guard
from sync.magento.calls import V1, Calls
from sync.magento.wire_types import Flag, InstantOrNone, Rows, ShopModel, Text

_ORDERS = f"{V1}/orders"


class OrderComment(ShopModel):
    """What somebody wrote on an order.

    Attributes:
        status: The order's when it was written.
    """

    comment: Text = ""
    status: Text = ""
    is_visible_on_front: Flag = False
    created_at: InstantOrNone = None


class _Comments(ShopModel):
    items: Annotated[tuple[OrderComment, ...], Rows] = ()


class OrderNoteCalls:
    """Reads and writes what stands on the orders of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def comments_of(self, order_id: int) -> list[OrderComment]:
        """Return an order's comments."""
        found = await self._calls.one("order_comments", _Comments, f"{_ORDERS}/{order_id}/comments")
        return [] if found is None else [*found.items]

    async def add_comment(
        self,
        order_id: int,
        text: str,
        *,
        is_visible: bool,
        status: str = "",
        guard: Guard | None = None,
    ) -> None:
        """Write a comment; the customer is not notified.

        Args:
            order_id: The shop's id of the order.
            text: What stands there.
            is_visible: Whether the customer finds it in their account.
            status: A status of the order's state that it is given; refused where it is none.
            guard: Asked last before the wire.
        """
        entry: dict[str, Any] = {
            "comment": text,
            "is_customer_notified": 0,
            "is_visible_on_front": int(is_visible),
        }
        if status:
            entry["status"] = status
        target = f"{_ORDERS}/{order_id}/comments"
        await self._calls.write(
            "add_order_comment", "POST", target, {"statusHistory": entry}, guard=guard
        )

    async def cancel(self, order_id: int, *, guard: Guard | None = None) -> str:
        """Cancel what is not invoiced; return "true", or "false" where nothing was.

        An order on hold, one that is cancelled and one that is invoiced are answered with 200 too.
        """
        answer = await self._calls.write(
            "cancel_order", "POST", f"{_ORDERS}/{order_id}/cancel", {}, guard=guard
        )
        return "true" if answer is True else "false"
