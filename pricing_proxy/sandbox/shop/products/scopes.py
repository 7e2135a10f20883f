"""What a product's value belongs to: the whole shop, a website, or a store view.

A value that is written through a store view becomes its own where it differs from what is seen
there, and from then on hides the whole shop's. What belongs to websites becomes the own value of
all store views of that one's website. What belongs to the shop is the shop's, whatever the path.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

from pricing_proxy.sandbox.shop.catalog import PRODUCT_FIELDS, Product
from pricing_proxy.sandbox.shop.stores import STORES, Store

WHOLE_SHOP = 0


class Scope(Enum):
    """Whose a value is."""

    GLOBAL = "global"
    WEBSITE = "website"
    STORE = "store"


def written(
    product: Product,
    values: Mapping[str, Any],
    *,
    store: Store | None,
    scopes: Mapping[str, Scope],
    is_forced: bool = False,
) -> Product:
    """Return a product with these values.

    Args:
        product: As it is for the whole shop.
        values: By field or attribute; None takes an attribute away.
        store: Through which view they are written; None = for the whole shop.
        scopes: Whose each value is; one that is not named is the shop's.
        is_forced: Whether a view gets a value of its own that it saw already, as by hand.
    """
    seen = product if store is None else product.seen_from(store.id)
    for code, value in values.items():
        scope = scopes.get(code, Scope.GLOBAL)
        if store is None or scope is Scope.GLOBAL:
            product = _with(product, code, value)
        elif is_forced or value_of(seen, code) != value:
            product = _with_own(product, code, value, _views_of(store, scope))
    return product


def value_of(product: Product, code: str) -> Any:
    """Return a field or attribute of a product, None where it has none."""
    return getattr(product, code) if code in PRODUCT_FIELDS else product.attributes.get(code)


def _views_of(store: Store, scope: Scope) -> list[int]:
    if scope is Scope.STORE:
        return [store.id]
    return [one.id for one in STORES if one.website_id == store.website_id]


def _with(product: Product, code: str, value: Any) -> Product:
    if code in PRODUCT_FIELDS:
        return replace(product, **{code: value})
    return replace(product, attributes=_changed(product.attributes, code, value))


def _with_own(product: Product, code: str, value: Any, views: list[int]) -> Product:
    changed = {view: _changed(product.views.get(view, {}), code, value) for view in views}
    return replace(product, views={**product.views, **changed})


def _changed(values: Mapping[str, Any], code: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {name: kept for name, kept in values.items() if name != code}
    return {**values, code: value}
