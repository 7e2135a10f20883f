"""What the flows ask of Magento's credit memos."""

from collections.abc import AsyncGenerator, Collection

from sync.engine.windows import Window
from sync.magento.calls import V1, Calls
from sync.magento.credit_memo_models import CreditMemo, CreditMemoHead
from sync.magento.listing import ShopList
from sync.magento.numbered import NumberedDocument, numbered
from sync.magento.odd_rows import RowPage
from sync.magento.places import ById
from sync.magento.search import Search, equals

_ROUTE = f"{V1}/creditmemos"
_HEAD_FIELDS = "items[entity_id,increment_id,store_id,state,updated_at]"


class CreditMemoCalls:
    """Reads the credit memos of one Magento.

    Attributes:
        heads: Its list, for what a poll needs.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        heads = Search(fields=_HEAD_FIELDS)
        self.heads = ShopList(calls, "credit_memo_head", CreditMemoHead, _ROUTE, heads)

    async def credit_memo(self, entity_id: int) -> CreditMemo | None:
        """Return a credit memo by its internal id."""
        return await self._calls.one("credit_memo", CreditMemo, f"{V1}/creditmemo/{entity_id}")

    async def credit_memos_of(self, order_id: int) -> list[NumberedDocument]:
        """Return an order's credit memos."""
        search = Search(groups=[equals("order_id", order_id)])
        return await ShopList(self._calls, "credit_memo", NumberedDocument, _ROUTE, search).whole(
            ById()
        )

    def credit_memos_changed(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[CreditMemoHead], None]:
        """Yield what a poll needs of the credit memos, by their last change; see `listing`."""
        return self.heads.within(window, without=without)

    async def credit_memos_numbered(self, numbers: Collection[str]) -> list[NumberedDocument]:
        """Return the credit memos that have one of these numbers, in whatever store view."""
        return await numbered(self._calls, "credit_memo_number", _ROUTE, numbers)
