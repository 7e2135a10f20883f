"""Hand Magento many rows at once, and follow each to its end.

A bulk that was taken is not done: a consumer works its operations off, one by one, in no fixed
order. One that kills its consumer stays open for ever, so following a bulk ends when nothing more
of it does, and what is open then is for the caller to look up, row by row. While it moves it is
followed, however slow the shop is: whoever wrote its rows too would be in the consumer's way.
"Complete" is not "done" either: what batch routes refuse stands in the operation's result. An equal
bulk that is sent twice is two.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pricing_proxy.clock import Clock
from pricing_proxy.http_exchange import Guard
from sync.magento.bulk_models import BulkOperation, BulkReceipt, BulkStatus, OperationState
from sync.magento.calls import Calls

_FIRST_PAUSE = timedelta(milliseconds=200)
# A consumer does some 16 products a second: asked less often, a small bulk would wait for us.
_LONGEST_PAUSE = timedelta(seconds=2)
_SLOWING = 1.5


@dataclass(frozen=True, slots=True)
class BulkEnd:
    """How the rows of a bulk ended.

    Attributes:
        ended: By their place in the list that was sent.
        is_overdue: Whether some are open still.
    """

    ended: Mapping[int, BulkOperation]
    is_overdue: bool


class BulkCalls:
    """Sends bulks to one Magento.

    Args:
        calls: Asks the shop.
        clock: Time.
    """

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def change_products(
        self, products: Sequence[Mapping[str, Any]], *, store: str, guard: Guard | None = None
    ) -> str:
        """Change members of products, each named by its `sku`, and return the bulk's id.

        Raises:
            ValueError: A row without `sku`, at which the consumer would die.
        """
        if not all(product.get("sku") for product in products):
            raise ValueError("each product is named by a sku inside it")
        return await self._send(
            "PUT", f"/rest/{store}/async/bulk/V1/products/bySku", products, guard
        )

    async def create_products(
        self, products: Sequence[Mapping[str, Any]], *, guard: Guard | None = None
    ) -> str:
        """Create products, and return the bulk's id."""
        return await self._send("POST", "/rest/all/async/bulk/V1/products", products, guard)

    async def has(self, bulk: str) -> bool:
        """Return whether the shop knows a bulk."""
        target = f"/rest/V1/bulk/{bulk}/status"
        return await self._calls.one("bulk_status", BulkStatus, target) is not None

    async def operations(self, bulk: str) -> tuple[BulkOperation, ...]:
        """Return how far the rows of a bulk have come, with their results."""
        body = await self._calls.read("bulk_status", f"/rest/V1/bulk/{bulk}/detailed-status")
        return self._calls.checked(BulkStatus, body).operations_list

    async def ends(self, bulk: str) -> tuple[BulkOperation, ...] | None:
        """Return the same of a bulk of long ago; None where the shop knows it no more."""
        target = f"/rest/V1/bulk/{bulk}/detailed-status"
        found = await self._calls.one("bulk_status", BulkStatus, target)
        return None if found is None else found.operations_list

    async def follow(self, bulk: str, *, rows: int, wait: timedelta) -> BulkEnd:
        """Wait for the rows of a bulk to end.

        Args:
            bulk: Its id.
            rows: How many it has.
            wait: For how long no more of them may end.
        """
        wait_us = wait // timedelta(microseconds=1)
        until_us, most, pause = self._clock.monotonic_us() + wait_us, 0, _FIRST_PAUSE
        while True:
            operations = await self.operations(bulk)
            ended = {each.id: each for each in operations if each.status != OperationState.OPEN}
            if len(ended) >= rows:
                return BulkEnd(ended, is_overdue=False)
            if len(ended) > most:
                until_us, most = self._clock.monotonic_us() + wait_us, len(ended)
            if self._clock.monotonic_us() >= until_us:
                return BulkEnd(ended, is_overdue=True)
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * _SLOWING, _LONGEST_PAUSE)

    async def _send(
        self,
        method: Literal["POST", "PUT"],
        target: str,
        products: Sequence[Mapping[str, Any]],
        guard: Guard | None,
    ) -> str:
        rows = [{"product": product} for product in products]
        body = await self._calls.write("product_bulk", method, target, rows, guard=guard)
        return self._calls.checked(BulkReceipt, body).bulk_uuid
