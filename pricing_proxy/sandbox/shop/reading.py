"""What the shop's routes read: lists by search criteria, and single entities.

A handler gets what was asked and returns the body of a 200. An unknown column of a
table is an internal error, even where the table is empty; of a product it is refused.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pricing_proxy.sandbox.shop import customers as customer_fields
from pricing_proxy.sandbox.shop.catalog import Product
from pricing_proxy.sandbox.shop.criteria import find, parse_criteria
from pricing_proxy.sandbox.shop.inventory.network import DEFAULT_SOURCE
from pricing_proxy.sandbox.shop.orders import order_body
from pricing_proxy.sandbox.shop.product_bodies import body_of
from pricing_proxy.sandbox.shop.signatures import Integration
from pricing_proxy.sandbox.shop.stores import WEBSITES
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import (
    CrashedError,
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
        website: That of the store in the path, the first one without.
        caller: The customer who asks for what is theirs; else nobody.
        integration: The integration that asks, if one does.
    """

    shop: Shop
    query: tuple[tuple[str, str], ...]
    places: tuple[str, ...]
    body: Mapping[str, Any]
    website: int = 1
    caller: int = 0
    integration: Integration | None = None

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


Handler = Callable[[Call], Any]


def _readable(call: Call, table: str, row: Any) -> Any:
    """Return a row; raises `RefusedError` where the shop itself stumbles over it."""
    if call.shop.odd_rows.is_unreadable(table, row):
        raise internal_error()
    return row


def _listed(
    call: Call, rows: Iterable[Any], read: Callable[[Any, str], Any], show: Callable[[Any], Any]
) -> dict[str, Any]:
    criteria = parse_criteria(call.query)
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


def products(call: Call) -> Any:
    """Return a page of products, without their stock."""
    ids = [store.website_id for store in WEBSITES]
    return _listed(
        call,
        call.shop.catalog.all(),
        lambda product, name: product.read(name),
        lambda product: body_of(product, website_ids=ids, is_single=False),
    )


def product(call: Call) -> Any:
    """Return one product."""
    return _product_body(call, call.shop.catalog.named(call.places[0]))


def stock_item(call: Call) -> Any:
    """Return what lies of one product at the default source, with the rules for selling it."""
    body = _product_body(call, call.shop.catalog.named(call.places[0]))
    return body["extension_attributes"]["stock_item"]


def save_product(call: Call) -> Any:
    """Create or change a product; the answer to a POST leaves out links and tier prices."""
    sku = call.places[0] if call.places else None
    product = call.members("product")
    next_id = call.shop.catalog.next_id()
    saved = call.shop.catalog.save(product, now=call.shop.now(), sku=sku)
    body = _product_body(call, saved)
    if saved.id == next_id and not (product.get("extension_attributes") or {}).get("stock_item"):
        # Its row at the default source was made behind the product's back.
        body["extension_attributes"]["stock_item"] |= {"qty": None, "is_in_stock": False}
    # A SKU that had to be trimmed is read again, and then everything is there.
    if sku is None and product.get("sku") == saved.sku:
        del body["product_links"], body["tier_prices"]
    return body


def _product_body(call: Call, product: Product) -> dict[str, Any]:
    ids = [store.website_id for store in WEBSITES]
    stock = call.shop.inventory.items.get(product.sku, DEFAULT_SOURCE)
    return body_of(product, website_ids=ids, stock=stock, is_single=True)


def customers(call: Call) -> Any:
    """Return a page of customers."""
    return _listed(
        call,
        call.shop.customers.all(),
        customer_fields.read,
        lambda row: _readable(call, "customers", row),
    )
