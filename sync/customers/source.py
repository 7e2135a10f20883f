"""Which customers are brought over: those that change, log in, or whose order waits.

A first start brings no history: it begins with what changes from then on, and customers
with older accounts come over with their next order or login. What a write of ours made of a
customer is nothing to bring over, nor is a change of nothing but the time.
"""

from collections.abc import Mapping

from sync.customers.ports import CustomerChanges
from sync.customers.rules import FLOW
from sync.customers.versions import is_carried, is_last_version, version_of
from sync.engine.flow import Links
from sync.engine.late_rows import read_late
from sync.engine.new_rows import read_new
from sync.engine.polling import Polling
from sync.engine.sources import ShopDocument, enter
from sync.magento.customer_models import ShopCustomer

_WATERMARK = "customers.updated_at"


class CustomerSource:
    """Enters the customers of all markets of one shop.

    Args:
        shop: The shop's client.
        polling: What it is read with.
        market_of_website: Market by website.
        links: The entity map of each market.
    """

    def __init__(
        self,
        shop: CustomerChanges,
        polling: Polling,
        *,
        market_of_website: Mapping[int, str],
        links: Mapping[str, Links],
    ) -> None:
        self._shop = shop
        self._polling = polling
        self._market_of_website = market_of_website
        self._links = links

    async def poll(self) -> int:
        """Enter what changed since the last poll, and return how many are new."""
        return await self._polling.read_changes(
            _WATERMARK, self._shop.customers_changed, self._enter_changed, source=FLOW
        )

    async def look_again(self) -> int:
        """Enter whom could not be read before and can be now; return how many."""
        return await self._polling.look_again(FLOW, self._shop.listing, self._enter_changed)

    async def sweep(self) -> int:
        """Enter what polls could not see, and return how many are new."""
        late = await read_late(
            self._polling,
            _WATERMARK,
            self._shop.customers_changed,
            self._enter_changed,
            source=FLOW,
        )
        return late + await read_new(
            self._polling, _WATERMARK, self._shop.listing, self._enter_changed, source=FLOW
        )

    async def hint(self, entity_id: int) -> bool:
        """Enter a customer that the shop told of, at login for example."""
        return await self._polling.look_up(FLOW, self._shop.listing, entity_id, self._enter)

    async def _enter_changed(self, customer: ShopCustomer) -> bool:
        market = self._market_of_website.get(customer.website_id)
        if market is None or await is_carried(self._links[market], customer):
            return False
        return await self._enter(customer)

    async def _enter(self, customer: ShopCustomer) -> bool:
        market = self._market_of_website.get(customer.website_id)
        if market is None or await is_last_version(self._links[market], customer):
            return False
        document = ShopDocument(FLOW, market, customer.id, str(customer.id))
        # An event reads the customer when it begins. Each wrong password moves `updated_at` too,
        # and behind one that is held the rest would stand in line for ever.
        if await self._polling.events.is_to_begin(document.key):
            return False
        payload = {"customer_id": customer.id}
        what = version_of(customer)
        return await enter(self._polling.events, document, payload, what=what)
