"""What the flows ask of Magento's invoices and refunds, and what they write of them.

An invoice of the same lines is refused once nothing is left, and a credit memo is not; both are
repeated gladly while something is. Whoever writes looks for what is there first, and reads back
afterwards. A write whose end is unclear is looked up by the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pricing_proxy.http_exchange import Guard
from sync.magento.billed_order_models import BilledOrder, ShopInvoice
from sync.magento.calls import V1, Calls
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.document_bodies import hidden_comment, item_bodies, number
from sync.magento.listing import ShopList
from sync.magento.places import ById
from sync.magento.search import Search, equals

_INVOICES, _MEMOS = f"{V1}/invoices", f"{V1}/creditmemos"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """What is given back of an order; amounts are in the shop's currency.

    Attributes:
        quantities: By the row that was invoiced.
        shipping: Net.
        given: Beside goods and shipping, tax included.
        kept: Likewise.
    """

    quantities: Mapping[int, Decimal] = field(default_factory=dict)
    shipping: Decimal = Decimal(0)
    given: Decimal = Decimal(0)
    kept: Decimal = Decimal(0)


class InvoiceCalls:
    """Reads and writes the invoices and refunds of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def order(self, entity_id: int) -> BilledOrder | None:
        """Return an order with what was invoiced and refunded of it."""
        return await self._calls.one("billed_order", BilledOrder, f"{V1}/orders/{entity_id}")

    async def invoices_of(self, order_id: int) -> list[ShopInvoice]:
        """Return an order's invoices, the oldest first."""
        search = Search(groups=[equals("order_id", order_id)])
        return await ShopList(self._calls, "invoice", ShopInvoice, _INVOICES, search).whole(ById())

    async def memos_of(self, order_id: int) -> list[CreditMemo]:
        """Return an order's credit memos in full, the oldest first."""
        search = Search(groups=[equals("order_id", order_id)])
        return await ShopList(self._calls, "credit_memo", CreditMemo, _MEMOS, search).whole(ById())

    async def invoice(
        self,
        order_id: int,
        quantities: Mapping[int, Decimal],
        *,
        mark: str,
        capture: bool,
        guard: Guard | None = None,
    ) -> str:
        """Invoice lines of an order, and return the invoice's id; the customer is not notified.

        Args:
            order_id: The shop's id of it.
            quantities: By the id of the line that carries the value; at least one, as the shop
                invoices all that is left where none is named.
            mark: A comment that no customer sees.
            capture: Whether the payment's gateway is told to take the money.
            guard: Asked last before the wire.
        """
        if not quantities:
            raise ValueError("an invoice without lines invoices everything")
        body = {
            "capture": capture,
            "items": item_bodies(quantities),
            "notify": False,
            "comment": hidden_comment(mark),
        }
        target = f"{V1}/order/{order_id}/invoice"
        answer = await self._calls.write("invoice", "POST", target, body, guard=guard)
        return str(answer)

    async def refund(
        self, order_id: int, refund: Refund, *, mark: str, guard: Guard | None = None
    ) -> str:
        """Refund an order outside of any gateway, and return the credit memo's id.

        Without lines the shop refunds all of them, and without an amount all of the shipping: so
        both are always named.

        Args:
            order_id: The shop's id of it.
            refund: What is given back; at least one line, if only with the quantity 0.
            mark: A comment that no customer sees.
            guard: Asked last before the wire.
        """
        if not refund.quantities:
            raise ValueError("a refund without lines gives back everything")
        arguments: dict[str, Any] = {
            "shipping_amount": number(refund.shipping),
            "adjustment_positive": number(refund.given),
            "adjustment_negative": number(refund.kept),
        }
        body = {
            "items": item_bodies(refund.quantities),
            "notify": False,
            "comment": hidden_comment(mark),
            "arguments": arguments,
        }
        target = f"{V1}/order/{order_id}/refund"
        answer = await self._calls.write("refund", "POST", target, body, guard=guard)
        return str(answer)
