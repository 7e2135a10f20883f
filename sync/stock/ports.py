"""What stock needs of the two systems and of what is kept; calls raise `UpstreamError`."""

from collections.abc import AsyncGenerator, Awaitable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from pricing_proxy.d365.fo.mirror_reads import Chunk
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.stock_models import DemandLineRow, OnHandRow
from pricing_proxy.d365.odata import Filter
from sync.engine.windows import Window
from sync.magento.credit_memo_models import CreditMemo, CreditMemoHead
from sync.magento.odd_rows import RowPage
from sync.magento.product_models import StockSettings
from sync.magento.reserving_models import ReservingOrder, ShipmentHead
from sync.magento.shipment_models import Shipment
from sync.magento.stock_models import SalableRow, StockSourceLink
from sync.magento.stock_ports import ShopSources, SkusById
from sync.store.order_writes import OrderTrace
from sync.store.shop_line_records import ShopLine

R = TypeVar("R", bound=Row)


class ErpRows(Protocol):
    """Reads sets of the ERP at the lowest class."""

    def having(
        self,
        row: type[R],
        field: str,
        values: Iterable[str],
        *,
        company: str,
        where: Filter | None = None,
    ) -> AsyncGenerator[Chunk[R], None]:
        """Yield the rows in which a field has one of the values."""
        ...

    async def between(
        self, row: type[R], field: str, first: str, last: str, *, company: str
    ) -> Chunk[R]:
        """Return the rows in which a field lies between two values, as the ERP sorts."""
        ...

    async def whole(self, row: type[R], *, company: str, where: Filter | None = None) -> Chunk[R]:
        """Return all rows of a small set."""
        ...


class ErpStock(Protocol):
    """Reads what the ERP has on hand, and single orders' lines."""

    def on_hand(
        self, company: str, warehouses: Collection[str], *, after: str = ""
    ) -> AsyncGenerator[Chunk[OnHandRow], None]:
        """Yield all items, all rows of each in one chunk."""
        ...

    def on_hand_of(
        self, company: str, items: Iterable[str], warehouses: Collection[str]
    ) -> AsyncGenerator[Chunk[OnHandRow], None]:
        """Yield some items."""
        ...

    def lines_of(
        self, company: str, orders: Iterable[str]
    ) -> AsyncGenerator[Chunk[DemandLineRow], None]:
        """Yield the lines of orders, by the ERP's numbers."""
        ...


class ShopSkus(SkusById, Protocol):
    """The shop's SKUs, and how it spells them."""

    async def spelled(self, skus: Sequence[str]) -> list[str]:
        """Return those of some SKUs that the shop has, as it spells them."""
        ...


class ComparedSkus(ShopSkus, Protocol):
    """The shop's SKUs, and how it sells their stock."""

    async def stock_settings(self, sku: str) -> StockSettings | None:
        """Return how a SKU's stock is sold; None where the shop does not have it."""
        ...


class ReservingShop(Protocol):
    """The shop's orders and shipments, as far as stock is reserved for them."""

    def changed(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        """Yield orders by their last change."""
        ...

    def shipped(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[ShipmentHead], None]:
        """Yield shipments by their last change."""
        ...

    def open(self) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        """Yield all orders that may have something reserved."""
        ...

    def of(self, ids: Collection[int]) -> AsyncGenerator[RowPage[ReservingOrder], None]:
        """Yield the orders of these ids."""
        ...


class MemosToPost(Protocol):
    """The shop's credit memos."""

    def credit_memos_changed(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[CreditMemoHead], None]:
        """Yield what is to be known of them by their last change."""
        ...

    async def credit_memo(self, entity_id: int) -> CreditMemo | None:
        """Return one by its internal id."""
        ...


class ShipmentsToPost(Protocol):
    """The shop's shipments."""

    async def shipments_of(self, order_id: int) -> list[Shipment]:
        """Return an order's, the oldest first."""
        ...


class ShopSelling(Protocol):
    """What the shop may sell, and from where."""

    async def links(self) -> list[StockSourceLink]:
        """Return which source belongs to which stock."""
        ...

    async def salable(self, website: str, skus: Collection[str]) -> list[SalableRow]:
        """Return what a website may sell of SKUs; those without any source item are missing."""
        ...


class ComparedShop(Protocol):
    """The shop as stock is compared with it."""

    @property
    def url(self) -> str:
        """Its root address."""
        ...

    @property
    def source_items(self) -> ShopSources:
        """What its sources hold."""
        ...

    @property
    def products(self) -> ComparedSkus:
        """Its SKUs."""
        ...

    @property
    def stocks(self) -> ShopSelling:
        """What it may sell."""
        ...


class KeptLines(Protocol):
    """The shop's lines as they are kept; see `sync.store.shop_lines`."""

    async def of_orders(self, ids: Collection[int]) -> list[ShopLine]:
        """Return those of some orders."""
        ...

    async def of_skus(self, folded: Collection[str]) -> list[ShopLine]:
        """Return those of some SKUs that matter to what their sources hold."""
        ...

    async def watched(
        self, stores: Collection[int], *, dropped_since: datetime
    ) -> list[tuple[str, bool]]:
        """Return the SKUs to be read often, and which of them to be written in any case."""
        ...

    async def put(self, lines: Sequence[ShopLine]) -> None:
        """Add or change lines."""
        ...

    async def note_present(self, since: Mapping[int, datetime]) -> None:
        """Note from when on the ERP has lines."""
        ...

    async def note_asked(self, orders: Mapping[int, str]) -> None:
        """Note that orders were looked up."""
        ...

    async def note_warehouses(self, warehouses: Mapping[int, str]) -> None:
        """Note where lines are shipped from."""
        ...

    async def note_counted(self, counted: Sequence[ShopLine]) -> None:
        """Note to which sources lines were added back."""
        ...

    async def forget(self, older_than: timedelta) -> int:
        """Delete what does not matter any more."""
        ...


class OrderTraces(Protocol):
    """What the journal says of orders."""

    async def of(self, orders: Collection[int]) -> Mapping[int, OrderTrace]:
        """Return what is known of some orders."""
        ...


class ErpLookup(Protocol):
    """Looks for single orders in the ERP."""

    async def has(self, line: ShopLine) -> bool:
        """Return whether the ERP has the order of a line, under its number or reference."""
        ...


class Want(Protocol):
    """Has keys read and written soon."""

    def __call__(
        self,
        market: str,
        keys: Collection[str],
        *,
        is_forced: bool,
        reason: str,
        after: timedelta = timedelta(0),
    ) -> Awaitable[None]:
        """Have SKUs read; with force, written also where nothing changed."""
        ...
