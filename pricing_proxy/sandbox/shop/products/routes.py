"""The routes of products and what belongs to them."""

from pricing_proxy.sandbox.shop.products import requests
from pricing_proxy.sandbox.shop.route import Route

_CATALOG = "Magento_Catalog::catalog"
_PRODUCTS = "Magento_Catalog::products"
_ATTRIBUTES = "Magento_Catalog::attributes_attributes"
_CONFIGURABLE = "configurable-products/*"

PRODUCT_ROUTES = (
    Route("GET", "products", _PRODUCTS, "products", requests.products),
    Route("POST", "products", _PRODUCTS, "save_product", requests.save_product),
    Route(
        "POST", "products/base-prices", _CATALOG, "save_base_prices", requests.write_base_prices_of
    ),
    Route(
        "POST", "products/base-prices-information", _CATALOG, "base_prices", requests.base_prices
    ),
    Route("POST", "products/tier-prices", _CATALOG, "save_tier_prices", requests.add_tier_prices),
    Route(
        "PUT", "products/tier-prices", _CATALOG, "save_tier_prices", requests.replace_tier_prices
    ),
    Route(
        "POST",
        "products/tier-prices-delete",
        _CATALOG,
        "delete_tier_prices",
        requests.delete_tier_prices,
    ),
    Route(
        "POST", "products/tier-prices-information", _CATALOG, "tier_prices", requests.tier_prices
    ),
    Route("POST", "products/attributes", _ATTRIBUTES, "save_attribute", requests.create_attribute),
    Route("GET", "products/attributes/*", _ATTRIBUTES, "attribute", requests.attribute),
    Route("GET", "products/attributes/*/options", _ATTRIBUTES, "options", requests.options),
    Route("POST", "products/attributes/*/options", _ATTRIBUTES, "save_option", requests.add_option),
    Route("POST", f"{_CONFIGURABLE}/options", _PRODUCTS, "save_axis", requests.add_axis),
    Route("GET", f"{_CONFIGURABLE}/options/all", _PRODUCTS, "axes", requests.axes),
    Route("POST", f"{_CONFIGURABLE}/child", _PRODUCTS, "save_variant", requests.attach),
    Route("GET", f"{_CONFIGURABLE}/children", _PRODUCTS, "variants", requests.variants),
    Route("DELETE", f"{_CONFIGURABLE}/children/*", _PRODUCTS, "delete_variant", requests.detach),
    # Whatever is no SKU stands above.
    Route("GET", "products/*", _PRODUCTS, "product", requests.product),
    Route("PUT", "products/*", _PRODUCTS, "save_product", requests.save_product),
    Route(
        "DELETE",
        "products/*",
        _PRODUCTS,
        "delete_product",
        lambda call: call.shop.catalog.remove(call.places[0]),
    ),
)
