"""What the flows ask of Magento and write to it, under Magento's own names.

Every method raises `UpstreamError`; `MagentoRejectedError` tells what Magento said.
A read by id returns None for "there is none" and raises when the route is not there.
Writes are sent once and take a guard (`transport.Guard`). Whether an unclear one
arrived is looked up by the caller: a customer's attribute may be written again. What is
asked about orders stands in `orders`.
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.deadline import Deadline
from sync.magento.answers import MagentoRejectedError
from sync.magento.document_models import CreditMemo, Invoice, Shipment
from sync.magento.master_models import Customer, Product, StoreView, Website
from sync.magento.orders import OrderCalls
from sync.magento.search import Search, any_id, any_text, equals, text_parts
from sync.magento.wire_types import WireModel

M = TypeVar("M", bound=WireModel)

_V1 = "/rest/V1"
# Master data is read without a store view's own texts.
_ALL_V1 = "/rest/all/V1"
# A page of full orders takes a second at this size, and a limited Magento admits it.
_PAGE_SIZE = 100


class MagentoClient(OrderCalls):
    """Reads and writes one Magento."""

    async def customer(self, number: int, *, deadline: Deadline | None = None) -> Customer | None:
        """Return a customer by id."""
        return await self._calls.one(Customer, f"{_V1}/customers/{number}", deadline=deadline)

    def customers_changed(
        self, since: datetime, *, until: datetime | None = None, page_size: int = _PAGE_SIZE
    ) -> AsyncGenerator[list[Customer], None]:
        """Yield customers by their last change; see `Calls.changed`."""
        route, search = f"{_V1}/customers/search", Search(page_size=page_size)
        return self._calls.changed(Customer, route, search, since=since, until=until)

    async def customers_by_email(self, email: str) -> list[Customer]:
        """Return the customers of an e-mail address, at most one for each website."""
        search = Search(groups=[equals("email", email)], page_size=_PAGE_SIZE)
        return await self._calls.found(Customer, f"{_V1}/customers/search", search)

    async def save_customer(
        self,
        customer: Customer,
        changes: Mapping[str, Any],
        *,
        deadline: Deadline | None = None,
        guard: Guard | None = None,
    ) -> Customer:
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
            f"{_V1}/customers/{customer.id}",
            {"customer": {**identity, **changes}},
            deadline=deadline,
            guard=guard,
        )
        return self._calls.checked(Customer, body)

    async def set_customer_attribute(
        self,
        customer: Customer,
        code: str,
        value: str,
        *,
        deadline: Deadline | None = None,
        guard: Guard | None = None,
    ) -> Customer:
        """Write a custom attribute, such as the one that holds the ERP account.

        Returns:
            The customer as the shop then has it: an attribute that it does not know is dropped
            without a word, and the time of the customer's change moves all the same.
        """
        changes = {"custom_attributes": [{"attribute_code": code, "value": value}]}
        return await self.save_customer(customer, changes, deadline=deadline, guard=guard)

    async def has_customer_attribute(self, code: str) -> bool:
        """Return whether customers have such an attribute; also where the shop cannot say."""
        target = f"{_V1}/attributeMetadata/customer/attribute/{quote(code, safe='')}"
        try:
            await self._calls.read("customer_attribute", target)
        except MagentoRejectedError as error:
            if error.is_missing_entity:
                return False
            if error.is_missing_route:
                return True
            raise
        return True

    async def invoices(self, order_id: int) -> list[Invoice]:
        """Return an order's invoices."""
        return await self._of_order(Invoice, f"{_V1}/invoices", order_id)

    async def shipments(self, order_id: int) -> list[Shipment]:
        """Return an order's shipments."""
        return await self._of_order(Shipment, f"{_V1}/shipments", order_id)

    async def credit_memos(self, order_id: int) -> list[CreditMemo]:
        """Return an order's credit memos."""
        return await self._of_order(CreditMemo, f"{_V1}/creditmemos", order_id)

    async def credit_memo(
        self, entity_id: int, *, deadline: Deadline | None = None
    ) -> CreditMemo | None:
        """Return a credit memo by its internal id."""
        return await self._calls.one(CreditMemo, f"{_V1}/creditmemo/{entity_id}", deadline=deadline)

    def credit_memos_changed(
        self, since: datetime, *, until: datetime | None = None, page_size: int = _PAGE_SIZE
    ) -> AsyncGenerator[list[CreditMemo], None]:
        """Yield credit memos by their last change; see `Calls.changed`."""
        route, search = f"{_V1}/creditmemos", Search(page_size=page_size)
        return self._calls.changed(CreditMemo, route, search, since=since, until=until)

    async def credit_memos_numbered(self, numbers: Collection[str]) -> list[CreditMemo]:
        """Return the credit memos that have one of these numbers, in whatever store view."""
        found: list[CreditMemo] = []
        for part in text_parts(sorted(numbers)):
            search = Search(groups=[any_text("increment_id", part)], page_size=_PAGE_SIZE)
            found += await self._calls.found(CreditMemo, f"{_V1}/creditmemos", search)
        return found

    async def has_returns(self) -> bool:
        """Return whether this Magento knows returns (RMA); only Commerce does."""
        target = f"{_V1}/returns?{Search(page_size=1).query()}"
        try:
            await self._calls.read("returns_probe", target)
        except MagentoRejectedError as error:
            if error.status == HTTPStatus.NOT_FOUND and error.is_missing_route:
                return False
            raise
        return True

    async def product(self, sku: str, *, deadline: Deadline | None = None) -> Product | None:
        """Return a product; SKUs know no case, so its own `sku` may differ in that."""
        # Dots alone would be taken for a folder, on the way or by the server.
        if not sku.strip("."):
            return next(iter(await self.products([sku])), None)
        target = f"{_ALL_V1}/products/{quote(sku, safe='')}"
        return await self._calls.one(Product, target, deadline=deadline)

    async def products(self, skus: Sequence[str]) -> list[Product]:
        """Return the products among these SKUs that exist, in no order."""
        found: list[Product] = []
        for part in text_parts(skus):
            search = Search(groups=[any_text("sku", part)], page_size=len(part))
            found += await self._calls.found(Product, f"{_ALL_V1}/products", search)
        return found

    async def products_by_id(
        self, ids: Sequence[int], *, deadline: Deadline | None = None
    ) -> dict[int, Product]:
        """Return products by id, as order lines name them; deleted ones are missing."""
        found: dict[int, Product] = {}
        route = f"{_ALL_V1}/products"
        for start in range(0, len(ids), _PAGE_SIZE):
            asked = any_id("entity_id", ids[start : start + _PAGE_SIZE])
            search = Search(groups=[asked], page_size=_PAGE_SIZE)
            rows = await self._calls.found(Product, route, search, deadline=deadline)
            found |= {product.id: product for product in rows}
        return found

    async def store_views(self) -> list[StoreView]:
        """Return the store views, which say what website an order's store belongs to."""
        body = await self._calls.read("store_views", f"{_V1}/store/storeViews")
        return self._calls.rows(StoreView, body)

    async def websites(self) -> list[Website]:
        """Return the websites."""
        body = await self._calls.read("websites", f"{_V1}/store/websites")
        return self._calls.rows(Website, body)

    async def _of_order(self, model: type[M], route: str, order_id: int) -> list[M]:
        search = Search(groups=[equals("order_id", order_id)], page_size=_PAGE_SIZE)
        return await self._calls.found(model, route, search)
