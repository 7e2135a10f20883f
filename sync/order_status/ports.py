"""What order status needs of the two systems and of what is kept; calls raise `UpstreamError`."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from pricing_proxy.d365.fo.row_reading import OddRows
from pricing_proxy.d365.fo.slip_models import (
    OrderChangeRow,
    OrderStatusRow,
    PackingSlipLineRow,
    PackingSlipRow,
    TrackingRow,
)
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.http_exchange import Guard
from sync.magento.odd_rows import RowPage
from sync.magento.order_notes import OrderComment
from sync.magento.reserving_models import ReservingOrder
from sync.magento.shipment_models import Shipment
from sync.magento.shipments import Parcel
from sync.store.watched_order_record import OrderLook, WatchedRecord


class ErpSlips(Protocol):
    """What one order's slips say; see `pricing_proxy.d365.fo.fulfilment`."""

    async def slips_of(self, company: str, orders: Sequence[str]) -> list[PackingSlipLineRow]:
        """Return the lines of all slips of orders."""
        ...

    async def heads_of(self, company: str, order: str, slip: str) -> list[PackingSlipRow]:
        """Return the slips of a number that one order has."""
        ...

    async def lines_of(self, company: str, order: str) -> list[DemandLineRow]:
        """Return an order's own lines."""
        ...


class ShopBundles(Protocol):
    """The shop's bundles."""

    async def shipped_in_parts(self, ids: Sequence[int]) -> frozenset[int]:
        """Return the bundles among these products that are shipped part by part now."""
        ...


class ErpProgress(Protocol):
    """How far all orders are; likewise. Rows that are odd are told, and left out."""

    def groups(self, orders: Collection[str]) -> Sequence[Sequence[str]]:
        """Return order numbers in groups that one request asks for."""
        ...

    async def statuses(
        self, company: str, orders: Sequence[str], odd: OddRows | None = None
    ) -> list[OrderStatusRow]:
        """Return the headers of one group."""
        ...

    async def lines_of_group(
        self, company: str, orders: Sequence[str], odd: OddRows
    ) -> Mapping[str, Sequence[DemandLineRow]]:
        """Return the lines of one group, by what all spellings of an order's number share."""
        ...

    async def changed(
        self, company: str, since: datetime, odd: OddRows
    ) -> list[OrderChangeRow] | None:
        """Return the orders that changed since an instant; None where nothing tells."""
        ...

    async def slips_of(
        self, company: str, orders: Sequence[str], odd: OddRows | None = None
    ) -> list[PackingSlipLineRow]:
        """Return the lines of all slips of one group."""
        ...

    async def slips_made(
        self, company: str, since: datetime, odd: OddRows
    ) -> list[PackingSlipLineRow]:
        """Return the lines of slips that were posted since an instant."""
        ...

    async def slips_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[PackingSlipLineRow]:
        """Return the lines of slips that are dated a day or later, until the last day."""
        ...

    async def parcels_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[TrackingRow]:
        """Return the parcels of slips that are dated a day or later, until the last day."""
        ...

    async def parcels_of(
        self, company: str, orders: Sequence[str], odd: OddRows
    ) -> list[TrackingRow]:
        """Return the parcels of one group of orders."""
        ...


class ShopOrdersOf(Protocol):
    """The shop's orders, as far as there is anything to ship."""

    def of(self, ids: Collection[int]) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        """Yield the orders of these ids."""
        ...


class ShopShipments(Protocol):
    """The shop's shipments."""

    async def shipments_of(self, order_id: int) -> list[Shipment]:
        """Return an order's, the oldest first."""
        ...

    async def ship(
        self,
        order_id: int,
        quantities: Mapping[int, Decimal],
        *,
        mark: str,
        source: str,
        guard: Guard | None = None,
    ) -> str:
        """Ship lines, and return the shipment's id."""
        ...

    async def add_comment(self, shipment: int, text: str, *, guard: Guard | None = None) -> None:
        """Write on one what no customer sees."""
        ...

    async def add_track(
        self, shipment: int, order_id: int, parcel: Parcel, *, guard: Guard | None = None
    ) -> None:
        """Add a parcel's number to one."""
        ...


class ShopOrderNotes(Protocol):
    """What is written on the shop's orders."""

    async def comments_of(self, order_id: int) -> list[OrderComment]:
        """Return an order's comments."""
        ...

    async def add_comment(
        self,
        order_id: int,
        text: str,
        *,
        is_visible: bool,
        status: str = "",
        guard: Guard | None = None,
    ) -> None:
        """Write a comment, and give the order a status of its state where one is named."""
        ...

    async def cancel(self, order_id: int, *, guard: Guard | None = None) -> str:
        """Cancel what is not invoiced; return "true", or "false" where nothing was."""
        ...


class KeptWatch(Protocol):
    """The watched orders; see `sync.store.watched_orders`."""

    async def numbered(self, market: str, numbers: Collection[str]) -> Mapping[str, WatchedRecord]:
        """Return the orders that the ERP calls so, by what all spellings of a number share."""
        ...

    async def slips_told(
        self, market: str, since: date, last: date | None = None
    ) -> Sequence[tuple[str, Mapping[str, str]]]:
        """Return the slips dated a day or later, until the last one, that events tell of.

        With each its order, by what all spellings of its number share.
        """
        ...

    async def due(self, market: str, *, now: datetime, most: int) -> Sequence[WatchedRecord]:
        """Return orders that are to be looked at now."""
        ...

    async def want(self, market: str, numbers: Collection[str], *, now: datetime) -> int:
        """Have orders looked at next; return how many are ours."""
        ...

    async def note(self, market: str, looks: Sequence[OrderLook]) -> None:
        """Keep how orders were seen; one that somebody else touched meanwhile stays as it is."""
        ...
