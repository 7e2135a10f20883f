"""Place orders through the control port: how many, of what kind, and what to change in each.

    {"count": 50, "kind": "mixed", "customer": 2,
     "website": "b2b_de", "store": "b2b_de_en", "guest": true,
     "lines": [{"sku": "LAMP-01", "quantity": 2, "text": "A", "choice": 1, "price": "9.90"}],
     "address": {"country_id": "NL"}, "shipping_address": {"city": "Gent"},
     "payment_method": "checkmo", "po_number": "PO-1",
     "shipping_method": "flatrate_flatrate", "discount_percent": 10,
     "discounts_shipping": true, "includes_tax": true, "total_off_by": "0.50",
     "ext_order_id": "AMZ-302-1234567", "bare_taxes": true, "only_salable": true,
     "row": {"members": {"store_id": null}, "dated_seconds": -90, "unreadable": true}}

Everything is optional. `row` makes the order odd before anybody can read it (`odd_rows`). Wrong
members are refused together with their name. With `only_salable`, orders of more than the shop
has to sell are not placed, as a cart refuses them; without it, stock is no obstacle.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.shop.inventory.movements import SoldOutError
from pricing_proxy.sandbox.shop.judging import told_orders
from pricing_proxy.sandbox.shop.kinds import Kinds
from pricing_proxy.sandbox.shop.odd_rows import OddRow, odd_row
from pricing_proxy.sandbox.shop.order_request import RATES, LineRequest, OrderRequest
from pricing_proxy.sandbox.shop.orders import Order
from pricing_proxy.sandbox.shop.replacing import edited
from pricing_proxy.sandbox.shop.stores import STORES, WEBSITES, Store, store_named, store_of
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import RefusedError

MOST_AT_ONCE = 1000
_MOST_LINES = 200
_TOO_MANY = "The requested qty is not available"


class Counter:
    """Where orders are placed."""

    def __init__(self, shop: Shop, *, seed: str) -> None:
        self._shop = shop
        self._kinds = Kinds(shop, seed=seed)

    def place(self, members: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Place orders, and return what names each.

        Raises:
            BadMemberError: A member is unknown or wrong; nothing was placed.
            RefusedError: Nothing of it can be sold.
        """
        _check_names(members)
        only_salable = _flag("only_salable", members.get("only_salable", False))
        number = members.get("count", 1)
        if type(number) is not int or not 1 <= number <= MOST_AT_ONCE:
            raise BadMemberError("count", f"expected a whole number from 1 to {MOST_AT_ONCE}")
        kind = members.get("kind", "mixed")
        if kind not in self._kinds.names:
            raise BadMemberError("kind", f"expected one of {', '.join(self._kinds.names)}")
        odd = odd_row(members.get("row", {}))
        requests = [self._changed(self._kinds.request(kind), members) for _ in range(number)]
        if not only_salable:
            return [self._entered(self._shop.make(request), odd) for request in requests]
        placed = [one for request in requests for one in self._sold(request, odd)]
        if not placed:
            raise RefusedError(400, _TOO_MANY)
        return placed

    def _sold(self, request: OrderRequest, odd: OddRow) -> Iterator[dict[str, Any]]:
        try:
            yield self._entered(self._shop.make(request, only_salable=True), odd)
        except SoldOutError:
            return

    def edit(self, order_id: int, members: Mapping[str, Any]) -> dict[str, Any]:
        """Edit an order as the back office does, and return what names the one that replaces it.

        Raises:
            BadMemberError: A member is unknown or wrong; nothing was edited.
            RefusedError: There is no such order, or its state forbids it.
        """
        _check_names(members)
        old = self._shop.order(order_id)
        odd = odd_row(members.get("row", {}))
        request = self._changed(old["_request"], members)
        return self._entered(edited(self._shop, old, request), odd)

    def told(self) -> list[dict[str, Any]]:
        """Return every order as judges read them."""
        return told_orders(self._shop)

    def _changed(self, request: OrderRequest, members: Mapping[str, Any]) -> OrderRequest:
        changes = {
            name: check(name, members[name]) for name, check in _CHECKS.items() if name in members
        }
        if members.get("guest") is True:
            changes["customer"] = None
        elif "customer" in members:
            changes["customer"] = self._customer(members["customer"])
        if "website" in members:
            changes["store"] = _store("website", members["website"])
        if "store" in members:
            changes["store"] = _view("store", members["store"])
        if "lines" in members:
            changes["lines"] = self._lines(members["lines"])
        return replace(request, **changes)

    def _customer(self, number: Any) -> Mapping[str, Any]:
        try:
            return self._shop.customers.get(number)
        except RefusedError:
            raise BadMemberError("customer", f"the shop has no customer {number}") from None

    def _lines(self, rows: Any) -> tuple[LineRequest, ...]:
        if not isinstance(rows, list) or not 1 <= len(rows) <= _MOST_LINES:
            raise BadMemberError("lines", f"expected a list of 1 to {_MOST_LINES} lines")
        return tuple(self._line(f"lines/{index}", row) for index, row in enumerate(rows))

    def _line(self, place: str, row: Any) -> LineRequest:
        if not isinstance(row, dict) or not isinstance(row.get("sku"), str):
            raise BadMemberError(place, "expected a line with a sku")
        if self._shop.catalog.by_sku(row["sku"]) is None:
            raise BadMemberError(f"{place}/sku", f"the shop does not sell {row['sku']}")
        price = row.get("price")
        return LineRequest(
            sku=row["sku"],
            quantity=_decimal(f"{place}/quantity", row.get("quantity", 1)),
            text=row.get("text"),
            choice=row.get("choice"),
            price=None if price is None else _decimal(f"{place}/price", price),
        )

    def _entered(self, order: Order, odd: OddRow) -> dict[str, Any]:
        self._shop.odd_rows.place(order, odd, now=self._shop.time())
        self._shop.enter(order)
        names = ("entity_id", "increment_id", "store_id", "grand_total", "customer_is_guest")
        return {name: order.get(name) for name in names}


def _check_names(members: Mapping[str, Any]) -> None:
    for name in members:
        if name not in _KNOWN:
            raise BadMemberError(name, f"unknown; there are {', '.join(_KNOWN)}")


def _decimal(name: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise BadMemberError(name, "expected a number, such as 9.90") from None
    if not number.is_finite():
        raise BadMemberError(name, "expected a number, such as 9.90")
    return number


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise BadMemberError(name, "expected a text")
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadMemberError(name, "expected true or false")
    return value


def _address(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadMemberError(name, 'expected members of an address, such as {"city": "Gent"}')
    return value


def _store(name: str, value: Any) -> Store:
    store = store_of(value)
    if store is None:
        known = ", ".join(one.website for one in WEBSITES)
        raise BadMemberError(name, f"expected the code of a website: {known}")
    return store


def _view(name: str, value: Any) -> Store:
    store = store_named(value)
    if store is None:
        known = ", ".join(f"{one.id} ({one.code})" for one in STORES)
        raise BadMemberError(name, f"expected the id or code of a store view: {known}")
    return store


def _currency(name: str, value: Any) -> str:
    if value not in RATES:
        raise BadMemberError(name, f"expected one of {', '.join(RATES)}")
    return str(value)


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "address": _address,
    "shipping_address": _address,
    "payment_method": _text,
    "po_number": _text,
    "shipping_method": _text,
    "discount_percent": _decimal,
    "discounts_shipping": _flag,
    "includes_tax": _flag,
    "total_off_by": _decimal,
    "ext_order_id": _text,
    "bare_taxes": _flag,
    "currency": _currency,
}
_WHAT = ("count", "kind", "customer", "guest", "website", "store", "lines", "row", "only_salable")
_KNOWN = (*_WHAT, *_CHECKS)
