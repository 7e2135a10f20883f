"""Edit products as people in the back office do, and tell of them as judges read them.

    {"name": "Lampe", "store": "b2b_de"}             a view's own name, whatever it saw before
    {"status": 2, "website": "b2b"}                  all views of a website
    {"price": "17.90", "weight": 2, "attributes": {"barcode": "4006381333931"}}
    {"stock_item": {"min_sale_qty": 5, "use_config_min_sale_qty": 0}}
    {"sku": "LAMP-X"}                                another SKU
    {"use_default": ["name"], "store": "b2b_de"}     a view sees the whole shop's again

Without `store` and `website` it is the whole shop that is edited. A new product needs `sku`, `name`
and `price`, and may say its `type`; one that is made again has another id, and all that it had.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.shop.catalog import ATTRIBUTE_SET, Product
from pricing_proxy.sandbox.shop.products.members import checked
from pricing_proxy.sandbox.shop.stores import STORES, Store, store_named, store_of
from pricing_proxy.sandbox.shop.tables import Shop

_VALUES = ("name", "price", "weight", "status", "visibility")
_OTHERS = ("attributes", "stock_item", "store", "website", "use_default", "sku")
_KNOWN = (*_VALUES, *_OTHERS)
_OF_NEW = (*_VALUES, "attributes", "stock_item", "sku", "type")


def edit_product(shop: Shop, sku: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Edit a product, and return what it is then.

    Raises:
        BadMemberError: A member is unknown or wrong; nothing was edited.
        RefusedError: There is no such product, or the shop refuses a value.
    """
    _check_names(members, _KNOWN)
    store = _view(members)
    product = shop.catalog.named(sku)
    given = checked(_request(members), shop.attributes)
    if "sku" in members:
        product = shop.catalog.rename(sku, _sku(members), now=shop.now())
    if given:
        product = shop.products.save(
            {**given, "id": product.id},
            now=shop.now(),
            scopes=shop.scopes(),
            store=store,
            sku=product.sku,
            is_forced=True,
        )
    if "use_default" in members:
        product = _with_defaults(shop, product, members["use_default"], store)
    return told_product(shop, product)


def create_product(shop: Shop, members: Mapping[str, Any]) -> dict[str, Any]:
    """Make a product, and return what it is; raises as `edit_product` does."""
    _check_names(members, _OF_NEW)
    request = {**_request(members), "sku": _sku(members), "attribute_set_id": ATTRIBUTE_SET}
    if "type" in members:
        request["type_id"] = members["type"]
    if shop.catalog.by_sku(request["sku"]) is not None:
        raise BadMemberError("sku", f"the shop has {request['sku']} already")
    given = checked(request, shop.attributes)
    made = shop.products.save(given, now=shop.now(), scopes=shop.scopes(), store=None)
    return told_product(shop, made)


def recreate_product(shop: Shop, sku: str) -> dict[str, Any]:
    """Delete a product and make it again, and return what it is; its id is another.

    Raises:
        RefusedError: There is no such product.
    """
    before = shop.catalog.named(sku)
    shop.catalog.remove(sku)
    now = shop.now()
    made = replace(before, id=shop.catalog.next_id(), created_at=now, updated_at=now)
    return told_product(shop, shop.catalog.save(None, made, {}))


def told_products(shop: Shop, skus: Iterable[str] | None) -> list[dict[str, Any]]:
    """Return products as judges read them: all of them, or those of these SKUs that there are."""
    if skus is None:
        return [told_product(shop, product) for product in shop.catalog.all()]
    found = map(shop.catalog.by_sku, skus)
    return [told_product(shop, product) for product in found if product is not None]


def told_product(shop: Shop, product: Product) -> dict[str, Any]:
    """Return a product with what is the whole shop's, and what views have of their own."""
    return {
        "id": product.id,
        "sku": product.sku,
        "type": product.type_id,
        **{name: getattr(product, name) for name in (*_VALUES, "tax_class_id", "website_ids")},
        "attributes": dict(product.attributes),
        "stock_item": dict(product.stock_settings),
        "views": {
            store.code: dict(product.views[store.id])
            for store in STORES
            if product.views.get(store.id)
        },
        "axes": {axis.code: axis.values for axis in product.axes},
        "variants": [shop.catalog.by_id(number).sku for number in product.variants],
        "tiers": len(product.tiers),
        "updated_at": product.updated_at,
    }


def _check_names(members: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in members:
        if name not in known:
            raise BadMemberError(name, f"unknown; there are {', '.join(known)}")


def _view(members: Mapping[str, Any]) -> Store | None:
    """Return the view through which is edited; of a website, any will do."""
    for name, find in _PLACES.items():
        if name in members:
            store = find(members[name])
            if store is None:
                raise BadMemberError(name, f"the shop has no {name} {members[name]}")
            return store
    return None


_PLACES: Mapping[str, Callable[[Any], Store | None]] = {"store": store_named, "website": store_of}


def _request(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members as a request for a product has them."""
    request = {name: members[name] for name in _VALUES if name in members}
    attributes = members.get("attributes", {})
    if not isinstance(attributes, dict):
        raise BadMemberError("attributes", 'expected an object such as {"barcode": "4006381"}')
    if attributes:
        request["custom_attributes"] = [
            {"attribute_code": code, "value": value} for code, value in attributes.items()
        ]
    if "stock_item" in members:
        if not isinstance(members["stock_item"], dict):
            raise BadMemberError("stock_item", 'expected an object such as {"min_sale_qty": 5}')
        request["extension_attributes"] = {"stock_item": members["stock_item"]}
    return request


def _sku(members: Mapping[str, Any]) -> str:
    sku = members.get("sku")
    if not isinstance(sku, str) or not sku.strip():
        raise BadMemberError("sku", "expected the product's SKU")
    return sku.strip()


def _with_defaults(shop: Shop, product: Product, names: Any, store: Store | None) -> Product:
    if store is None or not isinstance(names, list):
        raise BadMemberError("use_default", "expected a list of names, and a store")
    own = {
        name: value for name, value in product.views.get(store.id, {}).items() if name not in names
    }
    changed = replace(product, views={**product.views, store.id: own}, updated_at=shop.now())
    return shop.catalog.save(product, changed, {})
