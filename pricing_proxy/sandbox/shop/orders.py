"""Make an order of a cart, and show it as `GET /V1/orders/{id}` does.

The sums obey what was found to hold in every recorded order: the grand total is the
value lines' gross plus the shipping's, and every list of taxes adds up to
`tax_amount`. Orders are kept as the members that the routes show; lines are kept once
and repeated (under the shipping, as `parent_item`) when an order is shown.
"""

import secrets
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Catalog
from pricing_proxy.sandbox.shop.catalog_view import CatalogView
from pricing_proxy.sandbox.shop.item_bodies import item_body
from pricing_proxy.sandbox.shop.order_lines import Line, Terms, computed_lines
from pricing_proxy.sandbox.shop.order_request import BASE_CURRENCY, RATES, OrderRequest
from pricing_proxy.sandbox.shop.order_taxes import Rates, tax_lists, without_line_taxes
from pricing_proxy.sandbox.shop.order_totals import (
    address_of,
    is_virtual_only,
    payment_of,
    shipping_address_of,
    shipping_of,
    totals_of,
)
from pricing_proxy.sandbox.shop.stores import Sequences
from pricing_proxy.sandbox.shop.totals import ZERO, Amounts
from pricing_proxy.sandbox.shop.two_currencies import DrawnIds, in_two_currencies

Order = dict[str, Any]

_SHIPPING_MEMBERS = (
    # Absent until they first happen.
    "base_shipping_invoiced",
    "base_shipping_refunded",
    "base_shipping_tax_refunded",
    "shipping_invoiced",
    "shipping_refunded",
    "shipping_tax_refunded",
    "base_shipping_amount",
    "base_shipping_discount_amount",
    "base_shipping_discount_tax_compensation_amnt",
    "base_shipping_incl_tax",
    "base_shipping_tax_amount",
    "shipping_amount",
    "shipping_discount_amount",
    "shipping_discount_tax_compensation_amount",
    "shipping_incl_tax",
    "shipping_tax_amount",
)


class OrderMaker:
    """Computes orders and numbers them."""

    def __init__(
        self, catalog: Catalog, numbers: Sequences, *, bare_taxes: Callable[[], float]
    ) -> None:
        """Begin all ids at 1; `bare_taxes` is the share of orders whose lines name no taxes."""
        self._bare_taxes = bare_taxes
        self._random = Random("bare taxes")  # noqa: S311 - made-up orders must repeat
        self._catalog = catalog
        self._numbers = numbers
        self._counters = {
            kind: count(1) for kind in ("order", "item", "address", "tax", "tax_item")
        }

    def make(self, request: OrderRequest, *, now: str, number: str | None = None) -> Order:
        """Return a new order, under the next number where none is given.

        Raises:
            RefusedError: A SKU is unknown.
        """
        ids = DrawnIds(self._counters)
        body = self._body(request, ids, request.rate, now=now)
        if request.currency != BASE_CURRENCY:
            ids.rewind()
            base = self._body(request, ids, RATES[BASE_CURRENCY], now=now)
            body = in_two_currencies(body, base, currency=request.currency, rate=request.rate)
        is_bare = request.bare_taxes or self._random.random() < self._bare_taxes()
        body["increment_id"] = number or self._numbers.next(request.store, "order")
        return without_line_taxes(body) if is_bare else body

    def _body(self, request: OrderRequest, ids: DrawnIds, exchange: Decimal, *, now: str) -> Order:
        """Return an order with all amounts in one currency, at a rate."""
        ship_to = shipping_address_of(request)
        # Tax follows the shipping address.
        rates = Rates(str(ship_to["country_id"]))
        terms = Terms(
            rates=rates.of,
            discount_percent=request.discount_percent,
            includes_tax=request.includes_tax,
            exchange=exchange,
        )
        lines = computed_lines(CatalogView(self._catalog, request.store.id), request.lines, terms)
        shipping = shipping_of(request, lines, rates, exchange)
        order_id = ids.next("order")
        taxes = self._taxes(ids, order_id, lines, shipping, rates)
        items = self._items(request, ids, lines, order_id=order_id, now=now, taxes=taxes)
        body = totals_of(request, lines, shipping) | self._head(request, order_id, now)
        to, bill_to = (self._address(ids, order_id, kind) for kind in ("shipping", "billing"))
        envelope = {"address": {**to, **ship_to}, "method": request.shipping_method}
        return body | {
            "billing_address_id": bill_to["entity_id"],
            "items": items,
            "billing_address": {**bill_to, **address_of(request)},
            "payment": payment_of(request, body, order_id),
            "status_histories": [],
            "_shipping": {} if is_virtual_only(lines) else envelope,
            # What each line was sold as, whatever becomes of the product.
            "_skus": {
                item["item_id"]: line.own_sku for item, line in zip(items, lines, strict=True)
            },
            # The bundles of which the parts are shipped.
            "_apart": {
                item["item_id"]
                for item, line in zip(items, lines, strict=True)
                if line.product_type == "bundle" and line.product.ships_apart
            },
            "_taxes": tax_lists(items, lines, shipping=shipping, rates=rates, taxes=taxes),
            # What it was made of, for whoever edits it.
            "_request": request,
        }

    def _address(self, ids: DrawnIds, order_id: int, kind: str) -> dict[str, Any]:
        number = ids.next("address")
        return {"address_type": kind, "entity_id": number, "parent_id": order_id}

    def _head(self, request: OrderRequest, order_id: int, now: str) -> dict[str, Any]:
        head = {
            "entity_id": order_id,
            "created_at": now,
            "updated_at": now,
            "protect_code": secrets.token_hex(16),
            "quote_id": order_id,
            "remote_ip": "127.0.0.1",
            "state": "new",
            "status": "pending",
            "store_id": request.store.id,
            "store_name": request.store.full_name,
        }
        foreign = request.ext_order_id
        return head if foreign is None else {**head, "ext_order_id": foreign}

    def _taxes(
        self, ids: DrawnIds, order_id: int, lines: list[Line], shipping: Amounts, rates: Rates
    ) -> dict[Decimal, dict[str, Any]]:
        """Return one row per rate, which the lines' own rows point to."""
        found: dict[Decimal, dict[str, Any]] = {}
        charged = [line.amounts for line in lines if line.is_value] + [shipping]
        for one in charged:
            if not one.rate:
                continue
            row = found.setdefault(
                one.rate, {"tax_id": ids.next("tax"), "order_id": order_id, "amount": ZERO}
            )
            row |= {"code": rates.code(one.rate), "title": rates.code(one.rate)}
            row |= {"percent": one.rate, "amount": row["amount"] + one.tax}
        # A tax of which nothing is due, as behind a coupon of 100 %, is not kept at all.
        return {rate: row for rate, row in found.items() if row["amount"]}

    def _items(
        self,
        request: OrderRequest,
        ids: DrawnIds,
        lines: list[Line],
        *,
        order_id: int,
        now: str,
        taxes: Mapping[Decimal, Mapping[str, Any]],
    ) -> list[dict[str, Any]]:
        numbers = [ids.next("item") for _ in lines]
        return [
            item_body(
                line,
                item_id=item_id,
                order_id=order_id,
                parent_id=None if line.parent is None else numbers[line.parent],
                store_id=request.store.id,
                now=now,
                taxes=self._itemized(ids, line, item_id, taxes),
            )
            for line, item_id in zip(lines, numbers, strict=True)
        ]

    def _itemized(
        self, ids: DrawnIds, line: Line, item_id: int, taxes: Mapping[Decimal, Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        if not line.is_value or line.amounts.rate not in taxes:
            return []
        tax = taxes[line.amounts.rate]
        row = {
            "tax_item_id": ids.next("tax_item"),
            "tax_id": tax["tax_id"],
            "item_id": item_id,
            "tax_code": tax["code"],
            "tax_percent": tax["percent"],
            "taxable_item_type": "product",
        }
        shown = ("amount", "base_amount", "real_amount", "real_base_amount")
        return [row | dict.fromkeys(shown, line.amounts.tax)]


def order_body(order: Order) -> Order:
    """Return an order as the routes show it."""
    items = order_items(order)
    shown = {name: value for name, value in order.items() if not name.startswith("_")}
    totals = {name: order[name] for name in _SHIPPING_MEMBERS if name in order}
    envelope = {"shipping": {**order["_shipping"], "total": totals}, "items": items}
    titles = (order.get("payment") or {}).get("additional_information") or [""]
    shown["items"] = items
    shown["extension_attributes"] = {
        "shipping_assignments": [envelope],
        "payment_additional_info": [{"key": "method_title", "value": titles[0]}],
        "converting_from_quote": False,
        **order["_taxes"],
    }
    return shown


def order_items(order: Order) -> list[dict[str, Any]]:
    """Return the lines; each child holds a full copy of its parent."""
    by_id = {item["item_id"]: item for item in order["items"]}
    return [
        {**item, "parent_item": by_id[item["parent_item_id"]]} if "parent_item_id" in item else item
        for item in order["items"]
    ]
