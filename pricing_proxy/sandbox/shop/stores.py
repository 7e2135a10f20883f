"""Websites and store views of the shop, and what an order number begins with in each."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store view with its website; both have one id here.

    Attributes:
        group_name: The store between website and store view.
    """

    id: int
    website: str
    website_name: str
    group_name: str
    code: str
    name: str

    @property
    def full_name(self) -> str:
        """The three names as orders show them."""
        return f"{self.website_name}\n{self.group_name}\n{self.name}"

    def increment_id(self, number: int) -> str:
        """Return an order number; the first store's has no prefix."""
        return f"{number:09}" if self.id == 1 else f"{self.id}{number:09}"


STORES = (
    Store(
        id=1,
        website="base",
        website_name="Main Website",
        group_name="Main Website Store",
        code="default",
        name="Default Store View",
    ),
    Store(
        id=2,
        website="b2b",
        website_name="B2B Website",
        group_name="B2B Store",
        code="b2b_en",
        name="B2B EN",
    ),
    Store(
        id=3,
        website="b2b_de",
        website_name="B2B Germany",
        group_name="B2B Germany Store",
        code="b2b_de",
        name="B2B DE",
    ),
)
DEMO_WEBSITE = "b2b_de"
CODES = frozenset({"all", "admin", *(store.code for store in STORES)})


def store_of(website: str) -> Store | None:
    """Return the store view of a website by its code."""
    return next((store for store in STORES if store.website == website), None)


def store_by_id(store_id: int) -> Store:
    """Return a store view that exists."""
    return next(store for store in STORES if store.id == store_id)


def view_bodies() -> list[dict[str, Any]]:
    """Return the store views as the route lists them, the admin's among them."""
    admin = {"id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0}
    views = [
        {
            "id": store.id,
            "code": store.code,
            "name": store.name,
            "website_id": store.id,
            "store_group_id": store.id,
        }
        for store in STORES
    ]
    return [{**view, "is_active": 1} for view in (*views[:1], admin, *views[1:])]


def website_bodies() -> list[dict[str, Any]]:
    """Return the websites as the route lists them."""
    admin = {"id": 0, "code": "admin", "name": "Admin", "default_group_id": 0}
    websites = [
        {
            "id": store.id,
            "code": store.website,
            "name": store.website_name,
            "default_group_id": store.id,
        }
        for store in STORES
    ]
    return [admin, *websites]
