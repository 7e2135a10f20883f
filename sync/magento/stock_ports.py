"""What flows need of the shop's sources and SKUs; calls raise `UpstreamError`.

Stock writes what sources hold, and shipments, cancellations and refunds move it: all of them
under the lock of the SKU.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from pricing_proxy.http_exchange import Guard
from sync.magento.source_items import SourceQuantity
from sync.magento.stock_models import SourceItem


class ShopSources(Protocol):
    """What the shop's sources hold."""

    async def source_items(
        self, skus: Collection[str], *, sources: Sequence[str]
    ) -> list[SourceItem]:
        """Return what there is of some SKUs."""
        ...

    async def write_source_items(
        self, quantities: Sequence[SourceQuantity], *, guard: Guard | None = None
    ) -> None:
        """Write quantities, all or none."""
        ...


class SkusById(Protocol):
    """The shop's SKUs."""

    async def skus_by_id(self, ids: Sequence[int]) -> dict[int, str]:
        """Return the SKUs of products by id."""
        ...


class LocksOfSkus(Protocol):
    """One at a time for each SKU."""

    def hold(self, folded: Collection[str]) -> AbstractAsyncContextManager[None]:
        """Hold the locks of SKUs."""
        ...
