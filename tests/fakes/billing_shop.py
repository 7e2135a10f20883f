"""The simulated shop as invoices write to it, in process and without HTTP."""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.http_exchange import Guard
from pricing_proxy.sandbox.shop.invoices import invoice
from pricing_proxy.sandbox.shop.refunds import refund
from pricing_proxy.sandbox.shop.tables import Shop
from sync.magento.billed_order_models import BilledOrder, ShopInvoice
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.document_bodies import hidden_comment, item_bodies
from sync.magento.invoices import Refund
from tests.fakes.late_shop import LateShop, Write


class BillingShop(LateShop):
    """Plays `BillsInShop`.

    Attributes:
        captured: How often the gateway was told to take money.
    """

    def __init__(
        self,
        shop: Shop,
        *,
        before: Callable[[str], Awaitable[None]],
        send: Callable[[str, Write], Awaitable[Any]],
    ) -> None:
        super().__init__(shop, before=before, send=send)
        self.captured = 0

    async def order(self, entity_id: int) -> BilledOrder | None:
        await self._before("order")
        row = self._shop.orders.get(entity_id)
        return None if row is None else BilledOrder.model_validate(row)

    async def invoices_of(self, order_id: int) -> list[ShopInvoice]:
        await self._before("invoices")
        return self.all_invoices(order_id)

    async def memos_of(self, order_id: int) -> list[CreditMemo]:
        await self._before("memos")
        return self.all_memos(order_id)

    def all_invoices(self, order_id: int) -> list[ShopInvoice]:
        """Return what is there."""
        rows = [each for each in self._shop.invoices.values() if each["order_id"] == order_id]
        return [ShopInvoice.model_validate(row) for row in rows]

    def all_memos(self, order_id: int) -> list[CreditMemo]:
        """Return what is there."""
        rows = [each for each in self._shop.credit_memos.values() if each["order_id"] == order_id]
        return [CreditMemo.model_validate(row) for row in rows]

    async def invoice(
        self,
        order_id: int,
        quantities: Mapping[int, Decimal],
        *,
        mark: str,
        capture: bool,
        guard: Guard | None = None,
    ) -> str:
        body = {"items": item_bodies(quantities), "comment": hidden_comment(mark)}

        def write() -> str:
            self.captured += capture
            return invoice(self._shop, order_id, body)

        return str(await self._written("invoice", write, guard))

    async def refund(
        self, order_id: int, wanted: Refund, *, mark: str, guard: Guard | None = None
    ) -> str:
        body = {
            "items": item_bodies(wanted.quantities),
            "comment": hidden_comment(mark),
            "arguments": {
                "shipping_amount": wanted.shipping,
                "adjustment_positive": wanted.given,
                "adjustment_negative": wanted.kept,
            },
        }
        return str(await self._written("refund", lambda: refund(self._shop, order_id, body), guard))
