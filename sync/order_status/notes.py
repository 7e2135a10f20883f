"""Write on an order of the shop what happened to it in the ERP, once.

A comment ends with its mark, the ERP's number of the order and that of the event, by which it is
found again: the same words may be true twice.
"""

from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Work
from sync.engine.writes import Doubts, written
from sync.magento.answers import MagentoRejectedError
from sync.magento.order_turns import turn_of
from sync.magento.stock_ports import LocksOfSkus
from sync.order_status.ports import ShopOrderNotes
from sync.order_status.rules import Notice

COMMENT = "comment on an order"
_SHOP = "magento"


class OrderNotes:
    """Writes on the orders of one shop.

    Args:
        shop: Its orders.
        locks: One write at a time for each order.
    """

    def __init__(self, shop: ShopOrderNotes, *, locks: LocksOfSkus) -> None:
        self._shop = shop
        self._locks = locks

    async def write(
        self,
        work: Work,
        doubts: Doubts,
        notice: Notice,
        *,
        order_id: int,
        order: str,
        part: str = "",
    ) -> bool:
        """Write a notice unless it stands there, and return whether its status was taken.

        Args:
            work: The event.
            doubts: Read before anything was looked up.
            notice: What is told.
            order_id: The shop's id of the order.
            order: The ERP's number of it.
            part: Which of several comments of the event it is.
        """
        mark = f"[{order}/{work.event.id}{part}]"
        comments = await self._shop.comments_of(order_id)
        if any(mark in each.comment for each in comments):
            return True
        doubts.wait_out(COMMENT)
        text = f"{notice.comment} {mark}".lstrip()
        try:
            await self._send(work, notice, order_id, text, notice.status)
        except MagentoRejectedError as error:
            # Of another state than the order's, in whatever language; else it is refused again.
            if not notice.status or error.concerns_all:
                raise
            await self._send(work, notice, order_id, text, "")
            return False
        return True

    async def _send(
        self, work: Work, notice: Notice, order_id: int, text: str, status: str
    ) -> None:
        async def send(*, guard: Guard) -> None:
            await self._shop.add_comment(
                order_id, text, is_visible=notice.is_visible, status=status, guard=guard
            )

        request = {"order_id": order_id, "comment": text, "status": status}
        async with self._locks.hold([turn_of(order_id)]):
            await written(work, _SHOP, COMMENT, request, send)
