"""Websites and store views of the shop, and how each numbers its documents.

Magento keeps a sequence for each store view and kind of document. What a number begins
with is a setting of each sequence, so that two stores, or an order and a credit memo,
may well have the same one: only `entity_id` is unique.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store view with its website.

    Attributes:
        website_id: A website's first store view has the same id; it may have others.
        group_name: The store between website and store view.
    """

    id: int
    website_id: int
    website: str
    website_name: str
    group_name: str
    code: str
    name: str

    @property
    def full_name(self) -> str:
        """The three names as orders show them."""
        return f"{self.website_name}\n{self.group_name}\n{self.name}"

    @property
    def number_prefix(self) -> str:
        """What its documents' numbers begin with, as Magento installs it."""
        return "" if self.id == 1 else str(self.id)


STORES = (
    Store(
        id=1,
        website_id=1,
        website="base",
        website_name="Main Website",
        group_name="Main Website Store",
        code="default",
        name="Default Store View",
    ),
    Store(
        id=2,
        website_id=2,
        website="b2b",
        website_name="B2B Website",
        group_name="B2B Store",
        code="b2b_en",
        name="B2B EN",
    ),
    Store(
        id=3,
        website_id=3,
        website="b2b_de",
        website_name="B2B Germany",
        group_name="B2B Germany Store",
        code="b2b_de",
        name="B2B DE",
    ),
    Store(
        id=4,
        website_id=3,
        website="b2b_de",
        website_name="B2B Germany",
        group_name="B2B Germany Store",
        code="b2b_de_en",
        name="B2B DE EN",
    ),
)
DEMO_WEBSITE = "b2b_de"
WHOLE_SHOP_CODES = frozenset({"all", "admin"})
CODES = WHOLE_SHOP_CODES | {store.code for store in STORES}


WEBSITES = tuple({store.website_id: store for store in reversed(STORES)}.values())[::-1]
"""The first store view of each website."""


class Sequences:
    """Numbers the shop's documents: one sequence for each store view and kind."""

    def __init__(self, *, prefix: Callable[[], str | None]) -> None:
        """Begin every sequence at 1; `prefix` replaces every store's own unless None."""
        self._prefix = prefix
        self._sequences: dict[tuple[int, str], Iterator[int]] = {}

    def next(self, store: Store, kind: str) -> str:
        """Return the next number of a kind of document in a store."""
        prefix = self._prefix()
        number = next(self._sequences.setdefault((store.id, kind), count(1)))
        return f"{store.number_prefix if prefix is None else prefix}{number:09}"


def store_of(website: str) -> Store | None:
    """Return the first store view of a website by its code."""
    return next((store for store in STORES if store.website == website), None)


def store_named(name: object) -> Store | None:
    """Return a store view by its id or its code."""
    return next((store for store in STORES if name in (store.id, store.code)), None)


def store_by_id(store_id: int | None) -> Store:
    """Return a store view; the default one where a row names none that exists."""
    return next((store for store in STORES if store.id == store_id), STORES[0])


def view_bodies() -> list[dict[str, Any]]:
    """Return the store views as the route lists them, the admin's among them."""
    admin = {"id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0}
    views = [
        {
            "id": store.id,
            "code": store.code,
            "name": store.name,
            "website_id": store.website_id,
            "store_group_id": store.website_id,
        }
        for store in STORES
    ]
    return [{**view, "is_active": 1} for view in (*views[:1], admin, *views[1:])]


def website_bodies() -> list[dict[str, Any]]:
    """Return the websites as the route lists them."""
    admin = {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0}
    websites = [
        {
            "id": store.website_id,
            "code": store.website,
            "name": store.website_name,
            "default_group_id": store.website_id,
        }
        for store in WEBSITES
    ]
    return [admin, *websites]
