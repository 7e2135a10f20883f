"""What the flows ask of Magento and write to it, under Magento's own names.

Every method raises `UpstreamError`; `MagentoRejectedError` tells what Magento said.
A read by id returns None for "there is none" and raises when the route is not there.
Writes are sent once and take a guard (`transport.Guard`). Whether an unclear one
arrived is looked up by the caller: an order number and a customer's attribute may be
written again, a comment would be doubled.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamContractError
from sync.magento.answers import MagentoRejectedError
from sync.magento.calls import Calls
from sync.magento.document_models import CreditMemo, Invoice, Shipment
from sync.magento.master_models import Customer, OrderComment, Product, StoreView, Website
from sync.magento.models import Order, OrderHead
from sync.magento.search import Condition, Filter, Search, any_id, any_text, equals, text_parts
from sync.magento.wire_types import WireModel

M = TypeVar("M", bound=WireModel)

# The column's width; Magento cuts a longer text without a word.
EXT_ORDER_ID_LENGTH = 32

_V1 = "/rest/V1"
# Master data is read without a store view's own texts.
_ALL_V1 = "/rest/all/V1"
# A page of full orders takes a second at this size, and a limited Magento admits it.
_PAGE_SIZE = 100
_HEAD_FIELDS = (
    "items[entity_id,increment_id,store_id,state,status,ext_order_id,created_at,updated_at]"
)


class MagentoClient:
    """Reads and writes one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def order(self, entity_id: int, *, deadline: Deadline | None = None) -> Order | None:
        """Return an order by its internal id."""
        return await self._calls.one(Order, f"{_V1}/orders/{entity_id}", deadline=deadline)

    async def order_by_increment_id(
        self, increment_id: str, *, deadline: Deadline | None = None
    ) -> Order | None:
        """Return an order by the number that customers know, such as 000000001."""
        search = Search(groups=[equals("increment_id", increment_id)], page_size=2)
        found = await self._calls.found(Order, f"{_V1}/orders", search, deadline=deadline)
        # The comparison is the database's, which knows neither case nor outer spaces.
        return next((order for order in found if order.increment_id == increment_id), None)

    def orders_changed(
        self, since: datetime, *, until: datetime | None = None, page_size: int = _PAGE_SIZE
    ) -> AsyncGenerator[list[Order], None]:
        """Yield full orders by their last change; see `Calls.changed`."""
        search = Search(page_size=page_size)
        return self._calls.changed(Order, f"{_V1}/orders", search, since=since, until=until)

    def order_heads_changed(
        self, since: datetime, *, until: datetime | None = None, page_size: int = _PAGE_SIZE
    ) -> AsyncGenerator[list[OrderHead], None]:
        """Yield what a poll needs of the orders, by their last change; see `Calls.changed`."""
        search = Search(page_size=page_size, fields=_HEAD_FIELDS)
        return self._calls.changed(OrderHead, f"{_V1}/orders", search, since=since, until=until)

    async def order_heads_without_erp_number(
        self, *, after_entity_id: int = 0, page_size: int = _PAGE_SIZE
    ) -> list[OrderHead]:
        """Return the next orders whose `ext_order_id` is empty, by rising `entity_id`."""
        search = Search(
            groups=[
                (Filter("ext_order_id", Condition.MISSING),),
                (Filter("entity_id", Condition.ABOVE, str(after_entity_id)),),
            ],
            sort=("entity_id",),
            page_size=page_size,
            fields=_HEAD_FIELDS,
        )
        return await self._calls.found(OrderHead, f"{_V1}/orders", search)

    async def order_count(self, groups: Sequence[Sequence[Filter]] = ()) -> int:
        """Return how many orders fit, of all stores."""
        search = Search(groups=groups, page_size=1)
        return await self._calls.count("order", f"{_V1}/orders", search)

    async def set_ext_order_id(
        self,
        entity_id: int,
        erp_number: str,
        *,
        deadline: Deadline | None = None,
        guard: Guard | None = None,
    ) -> None:
        """Write the ERP's number on an order; nothing else of it changes but `updated_at`.

        Raises:
            ValueError: The number is empty or too long; Magento would cut it.
            UpstreamContractError: The answer does not hold the number.
        """
        if not 0 < len(erp_number) <= EXT_ORDER_ID_LENGTH:
            raise ValueError(f"an ERP number has 1 to {EXT_ORDER_ID_LENGTH} characters")
        body = await self._calls.write(
            "set_ext_order_id",
            "POST",
            f"{_V1}/orders",
            {"entity": {"entity_id": entity_id, "ext_order_id": erp_number}},
            deadline=deadline,
            guard=guard,
        )
        if not isinstance(body, dict) or body.get("ext_order_id") != erp_number:
            raise UpstreamContractError("ext_order_id was not taken", system=self._calls.system)

    async def order_comments(self, entity_id: int) -> list[OrderComment]:
        """Return an order's history."""
        target = f"{_V1}/orders/{entity_id}/comments"
        body = await self._calls.read("order_comments", target)
        items = body.get("items") if isinstance(body, dict) else None
        return self._calls.rows(OrderComment, items)

    async def add_order_comment(
        self,
        entity_id: int,
        text: str,
        *,
        is_visible: bool = False,
        status: str | None = None,
        deadline: Deadline | None = None,
        guard: Guard | None = None,
    ) -> None:
        """Add an entry to an order's history; the customer is not notified.

        An entry that `is_visible` shows in the customer's account. `status` may name another
        status of the order's state; others are refused.
        """
        entry = {"comment": text, "is_customer_notified": 0, "is_visible_on_front": int(is_visible)}
        await self._calls.write(
            "add_order_comment",
            "POST",
            f"{_V1}/orders/{entity_id}/comments",
            {"statusHistory": entry if status is None else {**entry, "status": status}},
            deadline=deadline,
            guard=guard,
        )

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
