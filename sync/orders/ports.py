"""What the orders flow needs of the two systems."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Protocol

from pricing_proxy.d365.fo.bodies import FieldValue
from pricing_proxy.d365.fo.order_models import (
    SalesOrderHeaderBody,
    SalesOrderHeaderRow,
    SalesOrderLineBody,
    SalesOrderLineRow,
    SalesOrderTotalsRow,
)
from pricing_proxy.http_exchange import Guard
from sync.engine.odd_rows import Rereading
from sync.engine.windows import Window
from sync.magento.odd_rows import RowPage
from sync.magento.order_models import Order, OrderHead, ShippedOrder
from sync.orders.selling import Sellable, SoldThing
from sync.sales.references import Numbered


class ErpOrders(Protocol):
    """Sales orders of the ERP; every method raises `UpstreamError`."""

    async def find(self, company: str, reference: str) -> list[SalesOrderHeaderRow]:
        """Return all headers with a reference, the lowest number first."""
        ...

    async def stopped(self, company: str) -> list[SalesOrderHeaderRow]:
        """Return all open headers whose processing is stopped."""
        ...

    async def totals(self, company: str, number: str) -> SalesOrderTotalsRow | None:
        """Return what the ERP computes of an order."""
        ...

    async def lines(self, company: str, number: str) -> list[SalesOrderLineRow]:
        """Return an order's lines."""
        ...

    async def create_header(
        self,
        company: str,
        body: SalesOrderHeaderBody,
        *,
        reference: str,
        guard: Guard | None = None,
    ) -> str:
        """Create a stopped header and return its number."""
        ...

    async def add_line(
        self,
        company: str,
        number: str,
        body: SalesOrderLineBody,
        *,
        guard: Guard | None = None,
    ) -> str:
        """Add a line and return its lot."""
        ...

    async def change_line(
        self,
        company: str,
        lot: str,
        changes: Mapping[str, FieldValue],
        *,
        guard: Guard | None = None,
    ) -> None:
        """Change fields of a line."""
        ...

    async def delete_line(self, company: str, lot: str, *, guard: Guard | None = None) -> None:
        """Delete a line."""
        ...

    async def release(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        """Let the ERP process an order."""
        ...

    async def stop(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        """Keep the ERP from processing an order."""
        ...

    async def delete_header(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        """Delete an order with its lines."""
        ...


class StoppedHeaders(Protocol):
    """The part of the ERP's orders that finds headers."""

    async def find(self, company: str, reference: str) -> list[SalesOrderHeaderRow]:
        """Return all headers with a reference."""
        ...

    async def stopped(self, company: str) -> list[SalesOrderHeaderRow]:
        """Return all open headers whose processing is stopped."""
        ...


class ShopOrders(Protocol):
    """Orders of the shop; every method raises `UpstreamError`."""

    async def order(self, entity_id: int) -> Order | None:
        """Return an order by its internal id."""
        ...

    async def orders_numbered(self, numbers: Collection[str]) -> Sequence[Numbered]:
        """Return the orders that have one of these numbers, in whatever spelling or store view."""
        ...

    async def set_ext_order_id(
        self, entity_id: int, erp_number: str, *, guard: Guard | None = None
    ) -> None:
        """Write the ERP's number on an order."""
        ...

    @property
    def heads(self) -> Rereading[OrderHead]:
        """Single orders, as a poll needs them."""
        ...

    def order_heads_changed(
        self, window: Window, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[OrderHead], None]:
        """Yield orders by their last change."""
        ...

    def order_heads_without_erp_number(
        self, *, after_entity_id: int, without: Collection[int]
    ) -> AsyncGenerator[RowPage[OrderHead], None]:
        """Yield the orders without an ERP number."""
        ...

    def open_orders_with_erp_number(
        self, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[ShippedOrder], None]:
        """Yield the orders with an ERP number that may still change."""
        ...

    async def first_order_head_numbered(
        self, number: str, *, stores: Sequence[int]
    ) -> OrderHead | None:
        """Return the first order whose number is this one or a later one."""
        ...


class SoldItems(Protocol):
    """Finds what the shop's products are in the ERP."""

    async def find(self, asked: Collection[SoldThing]) -> Mapping[SoldThing, Sellable]:
        """Return what each is; none is missing."""
        ...
