"""What the flows ask of Magento's orders, and the one thing they write on them.

An order is its `entity_id`. Its number is for people, and unique only within one store view:
whoever looks for it is given every order that has it. A write whose end is unclear is
looked up by the caller, and may be made again.
"""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import UpstreamContractError
from sync.engine.windows import Window
from sync.magento.calls import V1, Calls
from sync.magento.listing import ShopList
from sync.magento.numbered import NumberedDocument, numbered
from sync.magento.odd_rows import RowPage
from sync.magento.order_models import Order, OrderHead, ShippedOrder
from sync.magento.places import ById
from sync.magento.search import (
    PAGE_SIZE,
    Search,
    SearchCondition,
    SearchFilter,
    any_code,
    any_id,
    equals,
)

# The column's width; Magento cuts a longer text without a word.
EXT_ORDER_ID_LENGTH = 32

_ROUTE = f"{V1}/orders"
_HEAD = (
    "entity_id,increment_id,store_id,state,status,ext_order_id,created_at,updated_at,"
    "items[item_id,qty_canceled]"
)
_HEAD_FIELDS = f"items[{_HEAD}]"
_SHIPPED_FIELDS = f"items[{_HEAD},extension_attributes[shipping_assignments[shipping[address]]]]"
# In all others nothing is left to deliver, or a person has cancelled it.
OPEN_STATES = ("new", "pending_payment", "processing", "payment_review", "holded")
_WITHOUT_NUMBER = (SearchFilter("ext_order_id", SearchCondition.MISSING),)
_ENDED_OR_HELD = any_code("state", ("canceled", "closed", "holded"))
_SOON = (*_WITHOUT_NUMBER, *_ENDED_OR_HELD)


class OrderCalls:
    """Reads and writes the orders of one Magento.

    Attributes:
        heads: Its list, for what a poll needs.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.heads = self._listing(Search(fields=_HEAD_FIELDS))

    async def order(self, entity_id: int) -> Order | None:
        """Return an order by its internal id."""
        return await self._calls.one("order", Order, f"{_ROUTE}/{entity_id}")

    async def orders_by_increment_id(self, increment_id: str) -> list[Order]:
        """Return the orders of a number, such as 000000001: at most one for each store view."""
        search = Search(
            groups=[equals("increment_id", increment_id)],
            sort=("entity_id",),
        )
        found = await self._calls.found("order", Order, _ROUTE, search)
        # The comparison is the database's, which knows neither case nor spaces at the end.
        return [order for order in found if order.increment_id == increment_id]

    async def orders_numbered(self, numbers: Collection[str]) -> list[NumberedDocument]:
        """Return the orders that have one of these numbers, in whatever spelling or store view."""
        return await numbered(self._calls, "order_number", _ROUTE, numbers)

    async def newest_orders(self, store: int, *, most: int) -> list[NumberedDocument]:
        """Return the orders of a store view that were placed last, the newest first."""
        search = Search(
            groups=[equals("store_id", store)],
            sort=("entity_id",),
            is_descending=True,
            page_size=most,
            fields="items[entity_id,increment_id,store_id]",
        )
        rows = await self._calls.rows("order_number", _ROUTE, search)
        return [*self._calls.page(NumberedDocument, rows).rows]

    def order_heads_changed(
        self, window: Window, *, without: Collection[int] = (), page_size: int = PAGE_SIZE
    ) -> AsyncGenerator[RowPage[OrderHead], None]:
        """Yield what a poll needs of the orders, by their last change; see `listing`.

        Our own write of a number changes an order: those that have one, and go on, are read when
        they settle, and not before.
        """
        heads = self._listing(Search(page_size=page_size, fields=_HEAD_FIELDS))
        return heads.within(window, without=without, soon=_SOON)

    def order_heads_without_erp_number(
        self, *, after_entity_id: int, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[OrderHead], None]:
        """Yield the orders whose `ext_order_id` is empty, by rising `entity_id`."""
        heads = self._listing(Search(groups=[_WITHOUT_NUMBER], fields=_HEAD_FIELDS))
        return heads.pages(ById(after_entity_id), without=without)

    def open_orders_with_erp_number(
        self, *, without: Collection[int] = ()
    ) -> AsyncGenerator[RowPage[ShippedOrder], None]:
        """Yield the orders with an `ext_order_id` that may still change, by rising `entity_id`.

        An address is changed in the back office without any move of `updated_at`.
        """
        present = (SearchFilter("ext_order_id", SearchCondition.PRESENT),)
        search = Search(groups=[present, any_code("state", OPEN_STATES)], fields=_SHIPPED_FIELDS)
        listing = ShopList(self._calls, "shipped_order", ShippedOrder, _ROUTE, search)
        return listing.pages(ById(), without=without)

    async def first_order_head_numbered(
        self, number: str, *, stores: Sequence[int]
    ) -> OrderHead | None:
        """Return the first order whose number, of digits alone, is this one or a later one."""
        search = Search(
            groups=[
                any_id("store_id", stores),
                # The shop compares texts: right among numbers of one width, as one view's are.
                (SearchFilter("increment_id", SearchCondition.AT_LEAST, number),),
                (SearchFilter("increment_id", SearchCondition.AT_MOST, "9" * len(number)),),
            ],
            fields=_HEAD_FIELDS,
        )
        found: Sequence[OrderHead] = ()
        async with aclosing(self._listing(search).pages(ById())) as pages:
            async for page in pages:
                if found := page.rows:
                    break
        plain = (head for head in found if head.increment_id.isdecimal())
        return next(plain, found[0] if found else None)

    async def order_count(self, groups: Sequence[Sequence[SearchFilter]] = ()) -> int:
        """Return how many orders fit, of all stores."""
        return await self._calls.count("order", _ROUTE, Search(groups=groups))

    async def set_ext_order_id(
        self,
        entity_id: int,
        erp_number: str,
        *,
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
            _ROUTE,
            {"entity": {"entity_id": entity_id, "ext_order_id": erp_number}},
            guard=guard,
        )
        if not isinstance(body, dict) or body.get("ext_order_id") != erp_number:
            raise UpstreamContractError("ext_order_id was not taken", system=self._calls.system)

    def _listing(self, search: Search) -> ShopList[OrderHead]:
        return ShopList(self._calls, "order_head", OrderHead, _ROUTE, search)
