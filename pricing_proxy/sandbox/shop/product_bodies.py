"""Products as the shop's routes show them, as one store view sees them."""

from typing import Any

from pricing_proxy.sandbox.shop.catalog import ATTRIBUTE_SET, Product
from pricing_proxy.sandbox.shop.products.saving import ALL_GROUPS
from pricing_proxy.sandbox.shop.products.url_keys import url_key

_HUNDRED = 100
_IMAGES = ("image", "small_image", "thumbnail")
# Texts of the kind of table that is read last.
_LONG_TEXTS = ("description", "short_description", "meta_keyword", "meta_description")


def body_of(product: Product, *, stock_item: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a product as the routes answer it.

    Args:
        product: As a store view sees it.
        stock_item: Of a product that is shown alone; a list leaves it out.
    """
    extension: dict[str, Any] = {"website_ids": list(product.website_ids)}
    if product.categories:
        extension["category_links"] = [
            {"position": 0, "category_id": one} for one in product.categories
        ]
    if stock_item is not None:
        extension["stock_item"] = stock_item
    if product.type_id == "configurable":
        extension["configurable_product_options"] = axis_bodies(product)
        extension["configurable_product_links"] = list(product.variants)
    body: dict[str, Any] = {
        "id": product.id,
        "sku": product.sku,
        "name": product.name,
        "attribute_set_id": ATTRIBUTE_SET,
        "price": product.price,
        "status": product.status,
        "visibility": product.visibility,
        "type_id": product.type_id,
        "created_at": product.created_at,
        "updated_at": product.updated_at,
        "extension_attributes": extension,
        "product_links": [],
        "options": _options(product),
        "media_gallery_entries": [],
        "tier_prices": _tiers(product),
        "custom_attributes": attribute_rows(product),
    }
    if product.weight is not None:
        body["weight"] = product.weight
    return body


def axis_bodies(product: Product) -> list[dict[str, Any]]:
    """Return what a configurable's variants differ in."""
    return [
        {
            "id": axis.id,
            "attribute_id": str(axis.attribute_id),
            "label": axis.label,
            "position": axis.position,
            "values": [{"value_index": value} for value in axis.values],
            "product_id": product.id,
        }
        for axis in product.axes
    ]


def attribute_rows(product: Product) -> list[dict[str, Any]]:
    """Return the custom attributes in the order of the tables that hold them."""
    own = {code: value for code, value in product.attributes.items() if code != "url_key"}
    texts = {code: own.pop(code) for code in _LONG_TEXTS if code in own}
    attributes: dict[str, Any] = {}
    if product.type_id == "configurable" and product.variants:
        attributes |= dict.fromkeys(_IMAGES, "no_selection")
    attributes["options_container"] = "container2"
    if product.cost is not None:
        attributes["cost"] = f"{product.cost:.6f}"
    attributes |= {
        "msrp_display_actual_price_type": "0",
        "url_key": url_key(product),
        "required_options": "1" if product.options else "0",
        "has_options": "1" if product.options else "0",
        "tax_class_id": product.tax_class_id,
        **own,
        "category_ids": list(product.categories),
        **texts,
    }
    return [{"attribute_code": code, "value": value} for code, value in attributes.items()]


def _tiers(product: Product) -> list[dict[str, Any]]:
    rows = []
    for tier in product.tiers:
        extension: dict[str, Any] = {"website_id": tier.website_id}
        price = tier.price
        if tier.is_discount:
            extension["percentage_value"] = tier.price
            price = product.price * (_HUNDRED - tier.price) / _HUNDRED
        group = ALL_GROUPS if tier.group_id is None else tier.group_id
        shown = {"customer_group_id": group, "qty": tier.quantity, "value": price}
        rows.append({**shown, "extension_attributes": extension})
    return rows


def _options(product: Product) -> list[dict[str, Any]]:
    options = product.options
    if options is None:
        return []
    text = {
        "product_sku": product.sku,
        "option_id": options.text_id,
        "title": "Engraving",
        "type": "field",
        "sort_order": 1,
        "is_require": False,
        "price": options.text_price,
        "price_type": "fixed",
        "sku": options.text_sku,
        "max_characters": 20,
    }
    values = [
        {
            "title": choice.title,
            "sort_order": position,
            "price": choice.percent,
            "price_type": "percent",
            "sku": choice.sku,
            "option_type_id": choice.id,
        }
        for position, choice in enumerate(options.choices, start=1)
    ]
    drop_down = {
        "product_sku": product.sku,
        "option_id": options.choice_id,
        "title": "Box",
        "type": "drop_down",
        "sort_order": 2,
        "is_require": True,
        "values": values,
    }
    return [text, drop_down]
