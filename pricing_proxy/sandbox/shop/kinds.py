"""Carts of every kind that an order export has to cope with, made up but repeatable."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import count, islice
from random import Random
from typing import Any

from pricing_proxy.sandbox.shop.catalog import (
    DYNAMIC_BUNDLE,
    FIXED_BUNDLE,
    OPTIONS_SKU,
    SEPARATE_DYNAMIC_BUNDLE,
    SEPARATE_FIXED_BUNDLE,
    SERVICE,
)
from pricing_proxy.sandbox.shop.order_request import LineRequest, OrderRequest
from pricing_proxy.sandbox.shop.stores import DEMO_WEBSITE, STORES, store_of
from pricing_proxy.sandbox.shop.tables import Shop

# Sold by the piece, taxed alike, without options: what most orders hold.
_PLAIN = tuple(f"LAMP-{number:02}" for number in (1, 2, 4, 6, 7, 8, 9, 10, 11, 12))
_REDUCED = "LAMP-05"
_TEN = Decimal(10)


class Kinds:
    """Makes requests for orders."""

    def __init__(self, shop: Shop, *, seed: str) -> None:
        """Begin anew; the same seed asks for the same orders."""
        self._shop = shop
        self._random = Random(seed)  # noqa: S311 - made-up orders must repeat, not surprise
        self._turn = count()
        self._makers: Mapping[str, Callable[[], OrderRequest]] = {
            "simple": self._simple,
            "configurable": lambda: self._of(self._configurable()),
            "bundle": lambda: self._of(LineRequest(sku=DYNAMIC_BUNDLE, quantity=Decimal(2))),
            "options": lambda: self._of(
                LineRequest(sku=OPTIONS_SKU, quantity=Decimal(2), text="Zoë & Co", choice=2)
            ),
            "discount": lambda: replace(
                self._simple(), discount_percent=_TEN, discounts_shipping=True
            ),
            "tax": lambda: replace(
                self._of(self._plain(), LineRequest(sku=_REDUCED, quantity=Decimal(3))),
                includes_tax=True,
            ),
            "guest": lambda: replace(self._simple(), customer=None),
            "company": lambda: replace(
                self._simple(), payment_method="purchaseorder", po_number="PO-7788"
            ),
            "fixed_bundle": lambda: self._of(LineRequest(sku=FIXED_BUNDLE)),
            "separate_bundle": lambda: self._of(
                LineRequest(sku=SEPARATE_DYNAMIC_BUNDLE, quantity=Decimal(2))
            ),
            "separate_fixed_bundle": lambda: self._of(LineRequest(sku=SEPARATE_FIXED_BUNDLE)),
            "virtual": lambda: self._of(LineRequest(sku=SERVICE)),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Every kind; "mixed" takes turns through those whose SKUs the ERP knows."""
        return (*self._makers, "mixed")

    def request(self, kind: str) -> OrderRequest:
        """Return a cart of a kind, of the next of the named customers."""
        turn = next(self._turn)
        name = kind if kind != "mixed" else _MIXED[turn % len(_MIXED)]
        made = self._makers[name]()
        if name == "guest":
            return made
        return replace(made, customer=self._of_turn(turn))

    def _of_turn(self, turn: int) -> Mapping[str, Any] | None:
        """Return the next of the first customers that still are there; nobody left is a guest."""
        there = islice(self._shop.customers.all(), _CUSTOMERS)
        known = [one for one in there if one["id"] <= _CUSTOMERS]
        return known[turn % len(known)] if known else None

    def _simple(self) -> OrderRequest:
        skus = self._random.sample(_PLAIN, 3)
        return self._of(*(self._plain(sku) for sku in skus))

    def _plain(self, sku: str = _PLAIN[0]) -> LineRequest:
        return LineRequest(sku=sku, quantity=Decimal(self._random.randint(1, 9)))

    def _configurable(self) -> LineRequest:
        variants = [
            number
            for product in self._shop.catalog.all()
            for number in product.variants
            if self._shop.catalog.by_id(number).is_sold
        ]
        if not variants:
            return self._plain()
        product = self._shop.catalog.by_id(self._random.choice(variants))
        return LineRequest(sku=product.sku, quantity=Decimal(2))

    def _of(self, *lines: LineRequest) -> OrderRequest:
        return OrderRequest(store=store_of(DEMO_WEBSITE) or STORES[0], lines=lines)


_MIXED = (
    "simple",
    "configurable",
    "bundle",
    "options",
    "discount",
    "tax",
    "guest",
    "company",
)
_CUSTOMERS = 3
