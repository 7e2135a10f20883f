"""What the returns flow needs of the two systems; every method raises `UpstreamError`."""

from collections.abc import AsyncGenerator, Collection
from typing import Protocol

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.d365.fo.return_models import (
    ReturnHeaderBody,
    ReturnHeaderRow,
    ReturnLineBody,
    ReturnLineRow,
)
from pricing_proxy.http_exchange import Guard
from sync.engine.new_rows import WholeList
from sync.engine.windows import Window
from sync.magento.credit_memo_models import CreditMemo, CreditMemoHead
from sync.magento.odd_rows import RowPage
from sync.magento.order_models import Order


class ErpReturns(Protocol):
    """Return orders of the ERP; every method raises `UpstreamError`."""

    async def find(self, company: str, reference: str) -> list[ReturnHeaderRow]:
        """Return all with a reference, the lowest number first."""
        ...

    async def lines(self, company: str, number: str) -> list[ReturnLineRow]:
        """Return the lines of one."""
        ...

    async def create_header(
        self,
        company: str,
        body: ReturnHeaderBody,
        *,
        reference: str,
        guard: Guard | None = None,
    ) -> str:
        """Create one."""
        ...

    async def add_line(
        self, company: str, number: str, body: ReturnLineBody, *, guard: Guard | None = None
    ) -> str:
        """Add a line."""
        ...

    async def delete_header(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        """Delete one with its lines."""
        ...


class ErpSales(Protocol):
    """Sales orders of the ERP, to be read."""

    async def find(self, company: str, reference: str) -> list[SalesOrderHeaderRow]:
        """Return all headers with a reference."""
        ...

    async def lines(self, company: str, number: str) -> list[SalesOrderLineRow]:
        """Return an order's lines."""
        ...


class ShopMemos(Protocol):
    """Credit memos of the shop."""

    async def credit_memo(self, entity_id: int) -> CreditMemo | None:
        """Return a credit memo by its internal id."""
        ...


class MemoChanges(Protocol):
    """The part of the shop's credit memos that says what changed."""

    @property
    def heads(self) -> WholeList[CreditMemoHead]:
        """Single credit memos, as a poll needs them."""
        ...

    def credit_memos_changed(
        self, window: Window, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[CreditMemoHead], None]:
        """Yield credit memos by their last change."""
        ...


class SoldInShop(Protocol):
    """Orders of the shop."""

    async def order(self, entity_id: int) -> Order | None:
        """Return an order by its internal id."""
        ...
