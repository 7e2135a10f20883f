"""What the shop's routes read: lists by search criteria, and single entities.

A handler gets what was asked and returns the body of a 200. An unknown column of a
table is an internal error, even where the table is empty; of a product it is refused.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pricing_proxy.sandbox.shop import customers as customer_fields
from pricing_proxy.sandbox.shop.criteria import Criteria, find, parse_criteria
from pricing_proxy.sandbox.shop.orders import order_body
from pricing_proxy.sandbox.shop.signatures import Integration
from pricing_proxy.sandbox.shop.stores import STORES, Store
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import (
    CrashedError,
    RefusedError,
    internal_error,
    missing_entity,
    required,
    wrong_type,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as a handler sees it.

    Attributes:
        query: Decoded pairs.
        places: What stood in the path where the route has a place, decoded.
        body: The JSON body's members.
        store: The view in the path, the first one without; None = for the whole shop.
        caller: The customer who asks for what is theirs; else nobody.
        integration: The integration that asks, if one does.
        is_lone_message: Whether it came as a single message, whose lists nobody counts.
    """

    shop: Shop
    query: tuple[tuple[str, str], ...]
    places: tuple[str, ...]
    body: Mapping[str, Any]
    store: Store | None = STORES[0]
    caller: int = 0
    integration: Integration | None = None
    is_lone_message: bool = False

    @property
    def website(self) -> int:
        """The website of the path, the first one where it names the whole shop."""
        return STORES[0].website_id if self.store is None else self.store.website_id

    def may(self, resource: str) -> bool:
        """Return whether an integration asks that may use this resource."""
        return self.integration is not None and self.integration.may(resource)

    def number(self) -> int:
        """Return the id in the path; raises `RefusedError` when it is none."""
        text = self.places[0]
        if not text.isdecimal():
            raise wrong_type(text, "int")
        return int(text)

    def members(self, name: str) -> Mapping[str, Any]:
        """Return a parameter of the body; raises `RefusedError` when it is missing."""
        value = self.body.get(name)
        if value is None:
            raise required(name)
        if not isinstance(value, dict):
            raise CrashedError
        return value

    def rows(self, name: str, kind: str) -> list[Any]:
        """Return a list of the body; an object is the list of what its members hold.

        Args:
            name: The parameter.
            kind: The interface of its objects, without the leading backslash.

        Raises:
            RefusedError: It is missing, or longer than the shop's limit.
        """
        value = self.body.get(name)
        if value is None:
            raise required(name)
        if not isinstance(value, dict | list):
            raise CrashedError
        limit = self.shop.dials.array_limit if self.shop.dials.input_limit else None
        if limit is not None and len(value) > limit and not self.is_lone_message:
            text = 'Maximum items of type "%type" is %max'
            raise RefusedError(400, text, {"type": f"\\{kind}", "max": limit})
        return list(value.values()) if isinstance(value, dict) else value

    def texts(self, name: str) -> list[Any]:
        """Return a list of texts of the body, which no limit counts."""
        value = self.body.get(name)
        if value is None:
            raise required(name)
        return list(value) if isinstance(value, list) else []


Handler = Callable[[Call], Any]
_MOST_ROWS = 300


def _readable(call: Call, table: str, row: Any) -> Any:
    """Return a row; raises `RefusedError` where the shop itself stumbles over it."""
    if call.shop.odd_rows.is_unreadable(table, row):
        raise internal_error()
    return row


def criteria_of(call: Call) -> Criteria:
    """Return what a list is asked for, within the shop's limits.

    Raises:
        RefusedError: There is no search, or its page is too large.
    """
    criteria = parse_criteria(call.query)
    dials = call.shop.dials
    if dials.input_limit:
        most = dials.max_page_size or _MOST_ROWS
        if criteria.page_size is None:
            criteria.page_size = dials.default_page_size
        elif criteria.page_size > most:
            text = "Maximum SearchCriteria pageSize is %max"
            raise RefusedError(400, text, {"max": most})
    return criteria


def _listed(
    call: Call, rows: Iterable[Any], read: Callable[[Any, str], Any], show: Callable[[Any], Any]
) -> dict[str, Any]:
    criteria = criteria_of(call)
    page, total = find(rows, criteria, read)
    return {
        "items": [show(row) for row in page],
        "search_criteria": criteria.echo(),
        "total_count": total,
    }


def _column(row: Mapping[str, Any], name: str) -> Any:
    if name not in row and name not in _DOCUMENT_COLUMNS:
        raise internal_error()
    return row.get(name)


# Columns of documents that a row need not show: those that are null are left out.
_DOCUMENT_COLUMNS = frozenset(
    {"increment_id", "order_id", "store_id", "state", "created_at", "updated_at"}
    | {"order_currency_code", "grand_total", "invoice_id"}
)


def orders(call: Call) -> Any:
    """Return a page of orders."""
    # An unknown column fails even when the table is empty.
    for name in parse_criteria(call.query).names():
        if name not in _ORDER_COLUMNS and not any(
            name in order for order in call.shop.orders.values()
        ):
            raise internal_error()
    rows = call.shop.orders.values()
    return _listed(
        call,
        rows,
        lambda order, name: order.get(name),
        lambda order: order_body(_readable(call, "orders", order)),
    )


_ORDER_COLUMNS = frozenset(
    {"entity_id", "increment_id", "store_id", "state", "status", "customer_id", "customer_email"}
    | {"created_at", "updated_at", "ext_order_id", "grand_total", "coupon_code"}
)


def documents(table: str) -> Handler:
    """Return the handler of a list of documents."""

    def handle(call: Call) -> Any:
        rows = getattr(call.shop, table).values()
        return _listed(call, rows, _column, lambda row: _readable(call, table, row))

    return handle


def document(table: str) -> Handler:
    """Return the handler of one document."""

    def handle(call: Call) -> Any:
        found = getattr(call.shop, table).get(call.number())
        if found is None:
            raise missing_entity()
        return _readable(call, table, found)

    return handle


def order(call: Call) -> Any:
    """Return one order."""
    return order_body(_readable(call, "orders", call.shop.order(call.number())))


def customer(call: Call) -> Any:
    """Return one customer."""
    return _readable(call, "customers", call.shop.customers.get(call.number()))


def comments(call: Call) -> Any:
    """Return an order's history, the oldest first."""
    number = call.number()
    entries = call.shop.order(number)["status_histories"][::-1]
    one = {"field": "parent_id", "value": str(number), "condition_type": "eq"}
    criteria = {"filter_groups": [{"filters": [one]}]}
    return {"items": entries, "search_criteria": criteria, "total_count": len(entries)}


def customers(call: Call) -> Any:
    """Return a page of customers."""
    return _listed(
        call,
        call.shop.customers.all(),
        customer_fields.read,
        lambda row: _readable(call, "customers", row),
    )
