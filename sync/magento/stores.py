"""What is asked of Magento's store views and websites."""

from sync.magento.calls import V1, Calls
from sync.magento.store_models import StoreView, Website


class StoreCalls:
    """Reads the store views and websites of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def store_views(self) -> list[StoreView]:
        """Return the store views, which say what website an order's store belongs to."""
        body = await self._calls.read("store_views", f"{V1}/store/storeViews")
        return self._calls.rows(StoreView, body)

    async def websites(self) -> list[Website]:
        """Return the websites."""
        body = await self._calls.read("websites", f"{V1}/store/websites")
        return self._calls.rows(Website, body)
