"""Which returns are brought over: each refunded credit memo of the orders that are.

The first poll begins where the orders begin, if that is an instant, else with what changes
from then on. Any other is entered by `export` alone. Where the shop is Adobe Commerce it also
has RMAs, which are not read.
"""

from collections.abc import Mapping
from datetime import datetime

from sync.engine.late_rows import read_late
from sync.engine.new_rows import read_new
from sync.engine.polling import Polling
from sync.engine.sources import ShopDocument, enter
from sync.magento.credit_memo_models import CreditMemoHead
from sync.returns.ports import MemoChanges
from sync.returns.rules import FLOW

_WATERMARK = "returns.updated_at"
REFUNDED = 2
"""A credit memo's state; an open or cancelled one gives nothing back."""


class ReturnSource:
    """Enters the credit memos of all markets of one shop.

    Args:
        shop: The shop's client.
        polling: What it is read with.
        market_of_store: Market by store view.
        first: Where the very first poll begins; with what changes from then on when left out.
    """

    def __init__(
        self,
        shop: MemoChanges,
        polling: Polling,
        *,
        market_of_store: Mapping[int, str],
        first: datetime | None = None,
    ) -> None:
        self._first = first
        self._shop = shop
        self._polling = polling
        self._market_of_store = market_of_store

    async def poll(self) -> int:
        """Enter what changed since the last poll, and return how many are new."""
        return await self._polling.read_changes(
            _WATERMARK,
            self._shop.credit_memos_changed,
            self._enter,
            source=FLOW,
            first=self._first,
        )

    async def look_again(self) -> int:
        """Enter what could not be read before and can be now; return how many."""
        return await self._polling.look_again(FLOW, self._shop.heads, self._enter)

    async def sweep(self) -> int:
        """Enter what polls could not see, and return how many are new."""
        late = await read_late(
            self._polling,
            _WATERMARK,
            self._shop.credit_memos_changed,
            self._enter,
            source=FLOW,
        )
        return late + await read_new(
            self._polling, _WATERMARK, self._shop.heads, self._enter, source=FLOW
        )

    async def hint(self, entity_id: int) -> int:
        """Enter what changed: a credit memo is new whenever the shop tells of one."""
        del entity_id
        return await self.poll()

    async def export(self, memo: CreditMemoHead, *, what: str = "") -> bool:
        """Enter one credit memo whatever its age.

        Args:
            memo: One that is refunded, of a market.
            what: What tells the event from earlier ones of the credit memo.
        """
        return await self._enter(memo, what=what)

    async def _enter(self, memo: CreditMemoHead, *, what: str = "") -> bool:
        market = self._market_of_store.get(memo.store_id)
        if market is None or memo.state != REFUNDED:
            return False
        document = ShopDocument(FLOW, market, memo.entity_id, memo.increment_id)
        payload = {"entity_id": memo.entity_id}
        return await enter(self._polling.events, document, payload, what=what)
