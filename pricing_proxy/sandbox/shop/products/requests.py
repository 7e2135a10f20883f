"""What the routes of products do, through whatever store view they are asked."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from pricing_proxy.sandbox.shop.catalog import Product
from pricing_proxy.sandbox.shop.criteria import trimmed
from pricing_proxy.sandbox.shop.inventory.network import DEFAULT_SOURCE
from pricing_proxy.sandbox.shop.product_bodies import axis_bodies, body_of
from pricing_proxy.sandbox.shop.products.attributes import attribute_body
from pricing_proxy.sandbox.shop.products.base_prices import (
    base_price_rows,
    checked_prices,
    write_base_prices,
)
from pricing_proxy.sandbox.shop.products.listing import found_products
from pricing_proxy.sandbox.shop.products.members import checked
from pricing_proxy.sandbox.shop.products.scopes import WHOLE_SHOP
from pricing_proxy.sandbox.shop.products.stock_items import stock_item_body
from pricing_proxy.sandbox.shop.products.tier_prices import (
    TierRow,
    checked_tiers,
    delete_tiers,
    tier_rows,
    write_tiers,
)
from pricing_proxy.sandbox.shop.reading import Call, criteria_of
from pricing_proxy.sandbox.shop.wire import RefusedError, required, to_json

_BASE_PRICE = "Magento\\Catalog\\Api\\Data\\BasePriceInterface"
_TIER_PRICE = "Magento\\Catalog\\Api\\Data\\TierPriceInterface"
_LARGE_PAGE = 1000
# What a configurable's list of variants does not show, and what it shows last.
_LAST_OF_VARIANTS = ("url_key", "msrp_display_actual_price_type")
_NOT_OF_VARIANTS = ("extension_attributes", "options", "media_gallery_entries")


def products(call: Call) -> Any:
    """Return a page of products, without their stock."""
    criteria = criteria_of(call)
    page, total = found_products(
        call.shop.catalog, call.shop.attributes, criteria, store_id=_store_id(call)
    )
    bodies = (body_of(product) for product in page)
    is_large = len(page) > _LARGE_PAGE
    return {
        "items": list(_encoded(bodies, dict(call.query).get("fields")) if is_large else bodies),
        "search_criteria": criteria.echo(),
        "total_count": total,
    }


def _encoded(bodies: Iterable[dict[str, Any]], fields: str | None) -> Iterator[orjson.Fragment]:
    """Yield rows as JSON already: a whole catalog of objects would fill the memory."""
    for body in bodies:
        shown = trimmed({"items": [body]}, fields)
        if "items" in shown:
            yield orjson.Fragment(to_json(shown["items"][0]))


def product(call: Call) -> Any:
    """Return one product."""
    return single_body(call, call.shop.catalog.named(call.places[0]))


def save_product(call: Call) -> Any:
    """Create or change a product; the answer to a POST leaves out links and tier prices."""
    body = saved_product(call)
    # A SKU that had to be trimmed is read again, and then everything is there.
    if not call.places and call.members("product").get("sku") == body["sku"]:
        del body["product_links"], body["tier_prices"]
    return body


def saved_product(call: Call) -> dict[str, Any]:
    """Create or change a product, and return it whole."""
    sku = call.places[0] if call.places else None
    given = checked_product(call)
    shop = call.shop
    next_id = shop.catalog.next_id()
    saved = shop.products.save(
        given, now=shop.now(), scopes=shop.scopes(), store=call.store, sku=sku
    )
    body = single_body(call, saved)
    if saved.id == next_id and not (given.get("extension_attributes") or {}).get("stock_item"):
        # Its row at the default source was made behind the product's back.
        body["extension_attributes"]["stock_item"] |= {"qty": None, "is_in_stock": False}
    if given.get("name"):
        # Of a name that was cut, the answer still tells the whole.
        body["name"] = given["name"]
    return body


def checked_product(call: Call) -> Mapping[str, Any]:
    """Return the product of a request; raises `RefusedError` where its shape is wrong."""
    return checked(call.members("product"), call.shop.attributes)


def stock_item(call: Call) -> Any:
    """Return what lies of one product at the default source, with the rules for selling it."""
    return _stock_item(call, call.shop.catalog.named(call.places[0]))


def save_stock_item(call: Call) -> Any:
    """Change a product's stock item, and return its id."""
    product = call.shop.catalog.by_sku(call.places[0])
    if product is None:
        text = 'The Product with the "%1" SKU doesn\'t exist.'
        raise RefusedError(404, text, [call.places[0]])
    given = {"extension_attributes": {"stock_item": call.members("stockItem")}}
    return call.shop.products.save_stock_item(product, checked(given, call.shop.attributes)).id


def single_body(call: Call, product: Product) -> dict[str, Any]:
    """Return a product as it is shown alone."""
    return body_of(product.seen_from(_store_id(call)), stock_item=_stock_item(call, product))


def _stock_item(call: Call, product: Product) -> dict[str, Any]:
    lying = call.shop.inventory.items.get(product.sku, DEFAULT_SOURCE)
    quantity = 0 if lying is None else lying.quantity
    is_in_stock = product.is_in_stock if lying is None else bool(lying.status)
    return stock_item_body(product, quantity=quantity, is_in_stock=is_in_stock)


def attribute(call: Call) -> Any:
    """Return one attribute."""
    return attribute_body(call.shop.attributes.named(call.places[0]))


def create_attribute(call: Call) -> Any:
    """Make an attribute."""
    return attribute_body(call.shop.attributes.create(call.members("attribute")))


def options(call: Call) -> Any:
    """Return the options of an attribute."""
    return call.shop.attributes.named(call.places[0]).listed(_store_id(call))


def add_option(call: Call) -> Any:
    """Add an option to an attribute."""
    return str(call.shop.attributes.add_option(call.places[0], call.members("option")))


def add_axis(call: Call) -> Any:
    """Let a configurable's variants differ in one more attribute."""
    option = call.members("option")
    return call.shop.configurables.add_axis(call.places[0], option, now=call.shop.now())


def axes(call: Call) -> Any:
    """Return what a configurable's variants differ in."""
    return axis_bodies(call.shop.configurables.axes(call.places[0]))


def attach(call: Call) -> Any:
    """Make a product a variant."""
    child = call.body.get("childSku")
    if child is None:
        raise required("childSku")
    return call.shop.configurables.attach(call.places[0], str(child), now=call.shop.now())


def detach(call: Call) -> Any:
    """Take a variant away."""
    return call.shop.configurables.detach(*call.places, now=call.shop.now())


def variants(call: Call) -> Any:
    """Return a configurable's variants."""
    store_id = _store_id(call)
    found = call.shop.configurables.variants(call.places[0])
    return [_variant_body(child.seen_from(store_id)) for child in found]


def write_base_prices_of(call: Call) -> Any:
    """Write a batch of base prices."""
    return write_base_prices(call.shop.catalog, base_prices_of(call), scopes=call.shop.scopes())


def base_prices_of(call: Call) -> list[dict[str, Any]]:
    """Return the rows of a batch of base prices; raises `RefusedError` for wrong ones."""
    return checked_prices(call.rows("prices", _BASE_PRICE))


def base_prices(call: Call) -> Any:
    """Return base prices."""
    return base_price_rows(call.shop.catalog, call.texts("skus"), scopes=call.shop.scopes())


def add_tier_prices(call: Call) -> Any:
    """Add or change tier prices."""
    return write_tiers(call.shop.catalog, tiers_of(call), replaces=False)


def replace_tier_prices(call: Call) -> Any:
    """Replace all tier prices of the SKUs that are named."""
    return write_tiers(call.shop.catalog, tiers_of(call), replaces=True)


def delete_tier_prices(call: Call) -> Any:
    """Delete tier prices."""
    return delete_tiers(call.shop.catalog, tiers_of(call))


def tier_prices(call: Call) -> Any:
    """Return tier prices."""
    return tier_rows(call.shop.catalog, call.texts("skus"))


def tiers_of(call: Call) -> list[TierRow]:
    """Return the rows of a batch of tier prices; raises `RefusedError` for wrong ones."""
    return checked_tiers(call.rows("prices", _TIER_PRICE))


def _variant_body(child: Product) -> dict[str, Any]:
    body = body_of(child)
    shown = {name: value for name, value in body.items() if name not in _NOT_OF_VARIANTS}
    rows = {row["attribute_code"]: row for row in body["custom_attributes"]}
    del rows["options_container"]
    last = [rows.pop(code) for code in _LAST_OF_VARIANTS]
    return {**shown, "custom_attributes": [*rows.values(), *last]}


def _store_id(call: Call) -> int:
    return WHOLE_SHOP if call.store is None else call.store.id
