"""Products as the shop's routes show them."""

from typing import Any

from pricing_proxy.sandbox.shop.catalog import ATTRIBUTE_SET, Product
from pricing_proxy.sandbox.shop.inventory.source_items import SourceItem


def body_of(
    product: Product, *, website_ids: list[int], stock: SourceItem | None = None, is_single: bool
) -> dict[str, Any]:
    """Return a product as the routes answer it; a list leaves out the stock.

    Args:
        product: The product.
        website_ids: Where it is sold.
        stock: What lies at the default source, which is all that a product tells.
        is_single: Whether it is shown alone.
    """
    extension: dict[str, Any] = {"website_ids": website_ids}
    if product.categories:
        extension["category_links"] = [
            {"position": 0, "category_id": one} for one in product.categories
        ]
    if is_single:
        extension["stock_item"] = _stock_item(product, stock)
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
        "tier_prices": [],
        "custom_attributes": _attributes(product),
    }
    if product.weight is not None:
        body["weight"] = product.weight
    return body


def _attributes(product: Product) -> list[dict[str, Any]]:
    attributes = {
        "options_container": "container2",
        "msrp_display_actual_price_type": "0",
        "url_key": product.sku.lower(),
        "required_options": "1" if product.options else "0",
        "has_options": "1" if product.options else "0",
        "tax_class_id": "2",
        "category_ids": list(product.categories),
    }
    return [{"attribute_code": code, "value": value} for code, value in attributes.items()]


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


def _stock_item(product: Product, stock: SourceItem | None) -> dict[str, Any]:
    return {
        "item_id": product.id,
        "product_id": product.id,
        "stock_id": 1,
        "qty": 0 if stock is None else stock.quantity,
        "is_in_stock": stock is None or bool(stock.status),
        "is_qty_decimal": product.is_qty_decimal,
        "show_default_notification_message": False,
        "use_config_min_qty": True,
        "min_qty": 0,
        "use_config_min_sale_qty": 1,
        "min_sale_qty": 1,
        "use_config_max_sale_qty": True,
        "max_sale_qty": 10000,
        "use_config_backorders": True,
        "backorders": 0,
        "use_config_notify_stock_qty": True,
        "notify_stock_qty": 1,
        "use_config_qty_increments": True,
        "qty_increments": 0,
        "use_config_enable_qty_inc": True,
        "enable_qty_increments": False,
        "use_config_manage_stock": True,
        "manage_stock": True,
        "low_stock_date": None,
        "is_decimal_divided": False,
        "stock_status_changed_auto": 0,
    }
