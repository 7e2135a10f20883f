"""What the flows ask of Magento's customers, and what they write on them.

A write whose end is unclear is looked up by the caller: an attribute may be written again.
"""

from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Any
from urllib.parse import quote

from pricing_proxy.http_exchange import Guard
from sync.engine.windows import Window
from sync.magento.answers import MagentoRejectedError
from sync.magento.calls import V1, Calls
from sync.magento.customer_models import CustomerHead, ShopCustomer
from sync.magento.listing import ShopList
from sync.magento.odd_rows import RowPage
from sync.magento.places import ById
from sync.magento.search import Search, equals

_SEARCH = f"{V1}/customers/search"
_HEAD_FIELDS = "items[id,website_id,email]"


class CustomerCalls:
    """Reads and writes the customers of one Magento.

    Attributes:
        listing: Its list.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.listing = ShopList(calls, "customer", ShopCustomer, _SEARCH, Search())

    async def customer(self, number: int) -> ShopCustomer | None:
        """Return a customer by id."""
        return await self._calls.one("customer", ShopCustomer, f"{V1}/customers/{number}")

    def customers_changed(
        self, window: Window, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[ShopCustomer], None]:
        """Yield customers by their last change; see `listing`."""
        return self.listing.within(window, without=without)

    def customers_of(self, website: int) -> AsyncGenerator[RowPage[CustomerHead], None]:
        """Yield which customers a website has, by their ids; see `listing`."""
        search = Search(groups=[equals("website_id", website)], fields=_HEAD_FIELDS)
        listing = ShopList(self._calls, "customer_head", CustomerHead, _SEARCH, search)
        return listing.pages(ById())

    async def customer_count(self, website: int) -> int:
        """Return how many customers a website has."""
        return await self.listing.count([equals("website_id", website)])

    async def customers_by_email(self, email: str) -> list[CustomerHead]:
        """Return the customers of an e-mail address, at most one for each website."""
        search = Search(groups=[equals("email", email)], fields=_HEAD_FIELDS)
        return await ShopList(self._calls, "customer_head", CustomerHead, _SEARCH, search).whole(
            ById()
        )

    async def save_customer(
        self, customer: ShopCustomer, changes: Mapping[str, Any], *, guard: Guard | None = None
    ) -> ShopCustomer:
        """Change members of a customer; those left out stay, and a list of addresses replaces all.

        Raises:
            ValueError: An address without its id, which Magento would make a new one.
        """
        if any("id" not in address for address in changes.get("addresses", ())):
            raise ValueError("every address goes with its id, or it would be doubled")
        identity = customer.model_dump(
            include={"id", "email", "firstname", "lastname", "website_id"}
        )
        body = await self._calls.write(
            "save_customer",
            "PUT",
            f"{V1}/customers/{customer.id}",
            {"customer": {**identity, **changes}},
            guard=guard,
        )
        return self._calls.checked(ShopCustomer, body)

    async def set_customer_attribute(
        self, customer: ShopCustomer, code: str, value: str, *, guard: Guard | None = None
    ) -> ShopCustomer:
        """Write a custom attribute, such as the one that holds the ERP account.

        Returns:
            The customer as the shop then has it: an attribute that it does not know is dropped
            without a word, and the time of the customer's change moves all the same.
        """
        changes = {"custom_attributes": [{"attribute_code": code, "value": value}]}
        return await self.save_customer(customer, changes, guard=guard)

    async def has_customer_attribute(self, code: str) -> bool:
        """Return whether customers have such an attribute; also where the shop cannot say."""
        target = f"{V1}/attributeMetadata/customer/attribute/{quote(code, safe='')}"
        try:
            await self._calls.read("customer_attribute", target)
        except MagentoRejectedError as error:
            if error.is_missing_entity:
                return False
            if not error.is_missing_route:
                raise
        return True
