"""Create or change a product as a POST or PUT says; what is left out stays.

A SKU in the path goes before the body's, in the letters of the path. An id says which product it
is, and then the SKU is its new one; a taken SKU gets "-1" behind it. What is new belongs to the
whole shop, through whatever store view it is made; such a one's website alone sells it.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.catalog import (
    ALL_WEBSITES,
    ATTRIBUTE_SET,
    Catalog,
    Product,
    TierPrice,
)
from pricing_proxy.sandbox.shop.products.members import decimal
from pricing_proxy.sandbox.shop.products.scopes import Scope, written
from pricing_proxy.sandbox.shop.products.stock_items import merged_settings
from pricing_proxy.sandbox.shop.products.url_keys import UrlKeys
from pricing_proxy.sandbox.shop.stores import Store
from pricing_proxy.sandbox.shop.wire import RefusedError

ALL_GROUPS = 32000
_MAX_SKU = 64
_LONGEST_NAME = 255
_FIELDS = ("name", "price", "status", "visibility", "weight")
# Attributes that products have for the shop's own use, or that are members of their own.
_NOT_KEPT = frozenset({"category_ids", *_FIELDS, "sku"})


class ProductSaver:
    """Saves products into a catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._url_keys = UrlKeys(catalog)

    def save(
        self,
        members: Mapping[str, Any],
        *,
        now: str,
        scopes: Mapping[str, Scope],
        store: Store | None,
        sku: str | None = None,
        is_forced: bool = False,
    ) -> Product:
        """Return the product that was created or changed, as it is for the whole shop.

        Args:
            members: As `members.checked` returns them.
            now: The shop's time.
            scopes: Whose the values of fields and attributes are.
            store: The view in the path; None = for the whole shop.
            sku: That of the path.
            is_forced: Whether a view gets values of its own that it saw already, as by hand.

        Raises:
            RefusedError: A required member is missing, the SKU too long, or the name of the page
                another product's.
        """
        given = _checked_sku(members.get("sku") or "" if sku is None else sku)
        named = members.get("id")
        before = self._catalog.by_sku(given) if named is None else self._catalog.find(named)
        _check_values(members, is_new=before is None)
        known = before or self._new(given, members, store, now)
        saved = written(
            self._renamed(known, given, members, now),
            _values(members),
            store=None if before is None else store,
            scopes=scopes,
            is_forced=is_forced,
        )
        self._url_keys.check(before, saved)
        return self._catalog.save(before, saved, members)

    def _renamed(self, known: Product, sku: str, members: Mapping[str, Any], now: str) -> Product:
        """Return a product with its new SKU, and what is the shop's whatever the path."""
        return replace(
            known,
            sku=self._catalog.free(sku, known.id),
            updated_at=now,
            type_id=members.get("type_id") or known.type_id,
            **_unscoped(known, members),
        )

    def save_stock_item(self, product: Product, members: Mapping[str, Any]) -> Product:
        """Return a product whose stock item was changed; nothing else of it moves."""
        return self._catalog.save(product, replace(product, **_unscoped(product, members)), members)

    def _new(self, sku: str, members: Mapping[str, Any], store: Store | None, now: str) -> Product:
        name = str(members.get("name") or "")
        return Product(
            id=self._catalog.next_id(),
            sku=sku,
            name=name,
            price=Decimal(0),
            weight=None,
            # Without a word on stock it is sold out, until somebody says otherwise.
            is_in_stock=False,
            created_at=now,
            website_ids=ALL_WEBSITES if store is None else (store.website_id,),
            attributes={"url_key": re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")},
        )


def _values(members: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: members[name] for name in _FIELDS if name in members}
    if "name" in values:
        values["name"] = values["name"][:_LONGEST_NAME]
    for code, value in (members.get("custom_attributes") or {}).items():
        if code == "cost":
            values[code] = None if value is None else Decimal(value)
        elif code == "tax_class_id":
            values[code] = value or "0"
        elif code not in _NOT_KEPT:
            values[code] = value
    return values


def _unscoped(known: Product, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of what is the shop's whatever the path."""
    extension = members.get("extension_attributes") or {}
    changes: dict[str, Any] = {}
    if "website_ids" in extension:
        changes["website_ids"] = tuple(map(int, extension["website_ids"]))
    if "category_links" in extension:
        links = extension["category_links"]
        changes["categories"] = tuple(str(one["category_id"]) for one in links)
    if "category_ids" in (members.get("custom_attributes") or {}):
        changes["categories"] = members["custom_attributes"]["category_ids"]
    if "configurable_product_links" in extension:
        changes["variants"] = tuple(map(int, extension["configurable_product_links"]))
    stock_item = extension.get("stock_item") or {}
    changes["stock_settings"] = merged_settings(known.stock_settings, stock_item)
    changes["is_qty_decimal"] = stock_item.get("is_qty_decimal", known.is_qty_decimal)
    changes["is_in_stock"] = stock_item.get("is_in_stock", known.is_in_stock)
    if members.get("tier_prices") is not None:
        changes["tiers"] = tuple(map(_tier, members["tier_prices"]))
    return changes


def _tier(row: Mapping[str, Any]) -> TierPrice:
    extension = row.get("extension_attributes") or {}
    percent, group = extension.get("percentage_value"), int(row["customer_group_id"])
    price = decimal(row.get("value") if percent is None else percent, ("tier_prices", "value"))
    return TierPrice(
        group_id=None if group == ALL_GROUPS else group,
        website_id=int(extension.get("website_id") or 0),
        quantity=Decimal(str(row["qty"])),
        price=price or Decimal(0),
        is_discount=percent is not None,
    )


def _checked_sku(told: Any) -> str:
    given = str(told).strip()
    if not given:
        raise _empty("sku")
    if len(given) > _MAX_SKU:
        raise RefusedError(400, "SKU length should be 64 characters maximum.")
    return given


def _check_values(members: Mapping[str, Any], *, is_new: bool) -> None:
    if is_new and members.get("attribute_set_id") != ATTRIBUTE_SET:
        text = "Invalid attribute set entity type"
        raise RefusedError(400, "Invalid product data: %1", [text])
    is_priced = not is_new or members.get("type_id") != "configurable"
    for name, label in (("name", "Product Name"), ("price", "Price")):
        is_due = (is_new and (is_priced or name == "name")) or name in members
        if is_due and members.get(name) in (None, ""):
            raise _empty(label)


def _empty(label: str) -> RefusedError:
    text = f'The "{label}" attribute value is empty. Set the attribute and try again.'
    return RefusedError(400, text)
