"""What the products flow needs of the two systems; every method raises `UpstreamError`."""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from pricing_proxy.d365.fo.mirror_reads import Chunk
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.http_exchange import Guard
from sync.magento.attributes import ProductAttribute
from sync.magento.base_prices import BasePrice, PriceFaults
from sync.magento.bulk import BulkEnd
from sync.magento.bulk_models import BulkOperation
from sync.magento.catalog import StoreView
from sync.magento.configurables import Axis
from sync.magento.product_models import CatalogProduct
from sync.products.mapped import Born
from sync.store.mirror_bulks import BulkRow, SentBulk

R = TypeVar("R", bound=Row)


class ErpSets(Protocol):
    """Sets of the ERP, read for mirrors."""

    def along(
        self, row: type[R], field: str, *, company: str, after: str = ""
    ) -> AsyncGenerator[Chunk[R], None]:
        """Yield all rows, in chunks along a field."""
        ...

    def having(
        self, row: type[R], field: str, values: Iterable[str], *, company: str
    ) -> AsyncGenerator[Chunk[R], None]:
        """Yield the rows in which a field has one of the values."""
        ...

    async def between(
        self, row: type[R], field: str, first: str, last: str, *, company: str
    ) -> Chunk[R]:
        """Return the rows in which a field is one of two values, or lies between them."""
        ...

    async def count(self, row: type[Row], *, company: str) -> int:
        """Return how many rows there are."""
        ...


class Births(Protocol):
    """Knows what products are made with."""

    async def born(self, skus: Sequence[str]) -> Mapping[str, Born]:
        """Return it by SKU; those that cannot be made are missing."""
        ...


class ShopCatalog(Protocol):
    """Products of the shop."""

    async def store_views(self) -> Sequence[StoreView]:
        """Return all store views."""
        ...

    async def listed(self, skus: Sequence[str], *, store: str) -> Sequence[CatalogProduct]:
        """Return the products among these SKUs that exist."""
        ...

    async def product(self, sku: str) -> CatalogProduct | None:
        """Return one product with its stock settings."""
        ...

    async def save(
        self, sku: str, members: Mapping[str, Any], *, store: str, guard: Guard | None = None
    ) -> CatalogProduct:
        """Change members of a product."""
        ...

    async def create(
        self, members: Mapping[str, Any], *, guard: Guard | None = None
    ) -> CatalogProduct:
        """Create a product."""
        ...


class ShopBulks(Protocol):
    """The shop's queue."""

    async def change_products(
        self, products: Sequence[Mapping[str, Any]], *, store: str, guard: Guard | None = None
    ) -> str:
        """Change members of products."""
        ...

    async def create_products(
        self, products: Sequence[Mapping[str, Any]], *, guard: Guard | None = None
    ) -> str:
        """Create products."""
        ...

    async def follow(self, bulk: str, *, rows: int, wait: timedelta) -> BulkEnd:
        """Wait for the rows of a bulk to end."""
        ...


class BulkEnds(Protocol):
    """What the shop's queue tells of bulks of long ago."""

    async def ends(self, bulk: str) -> Sequence[BulkOperation] | None:
        """Return how far the rows of a bulk have come; None where the shop knows it no more."""
        ...


class BulkBook(Protocol):
    """The bulks that were sent: `sync.store.mirror_bulks.MirrorBulks`."""

    async def sent(
        self, bulk: str, rows: Sequence[BulkRow], *, makes: bool, within: timedelta
    ) -> None:
        """Keep a bulk that is on its way, and will be followed so long."""
        ...

    async def ended(self, bulk: str) -> None:
        """Forget a bulk: what became of each row is known."""
        ...

    async def due(self) -> Sequence[SentBulk]:
        """Return the bulks after which somebody has to look now."""
        ...

    async def keep(self, sent: SentBulk, left: Collection[BulkRow]) -> None:
        """Note which rows of a bulk are open still."""
        ...

    async def know(self, rows: Sequence[BulkRow]) -> None:
        """Note that the shop was given the values of rows late."""
        ...


class ShopAttributes(Protocol):
    """Attributes of the shop's products."""

    async def attribute(self, code: str) -> ProductAttribute | None:
        """Return an attribute with its options."""
        ...

    async def add_option(self, code: str, label: str, *, guard: Guard | None = None) -> str:
        """Add an option and return its id."""
        ...


class ShopConfigurables(Protocol):
    """Configurable products of the shop."""

    async def variants(self, sku: str) -> Sequence[str]:
        """Return the SKUs of a configurable's variants."""
        ...

    async def axes(self, sku: str) -> Sequence[Axis]:
        """Return what they differ in."""
        ...

    async def add_axis(
        self,
        sku: str,
        attribute_id: int,
        *,
        label: str,
        position: int,
        values: Sequence[int],
        guard: Guard | None = None,
    ) -> str:
        """Let them differ in an attribute."""
        ...

    async def add_variant(self, sku: str, variant: str, *, guard: Guard | None = None) -> None:
        """Add a variant."""
        ...


class ShopBasePrices(Protocol):
    """Base prices of the shop."""

    async def set_prices(
        self, prices: Sequence[BasePrice], *, guard: Guard | None = None
    ) -> PriceFaults:
        """Write prices, and return what was refused."""
        ...


class AttributeLocks(Protocol):
    """Lets one of many processes at a time do something."""

    def hold(self, folded: Collection[str]) -> AbstractAsyncContextManager[None]:
        """Wait for the locks of these keys, and hold them within the block."""
        ...
