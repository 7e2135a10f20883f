"""The routes of products and what belongs to them, and what writes of these cost."""

from pricing_proxy.sandbox.shop.products import requests
from pricing_proxy.sandbox.shop.reading import Handler
from pricing_proxy.sandbox.shop.route import Route
from pricing_proxy.sandbox.shop.wire import RefusedError
from pricing_proxy.sandbox.shop.writes import Cost, Failure

_CATALOG = "Magento_Catalog::catalog"
_PRODUCTS = "Magento_Catalog::products"
_ATTRIBUTES = "Magento_Catalog::attributes_attributes"
_CONFIGURABLE = "configurable-products/*"
_UNSAVED_PRICES = "Could not save Prices."
PRODUCT_FAILURE = Failure(
    deadlock="Database deadlock found when trying to get lock",
    deadlock_code=1213,
    unsaved="The product was unable to be saved. Please try again.",
    no_search=RefusedError(400, "The stock item was unable to be saved. Please try again."),
)
BASE_PRICE_FAILURE = Failure(deadlock=_UNSAVED_PRICES, unsaved=_UNSAVED_PRICES)
TIER_PRICE_FAILURE = Failure(
    deadlock=_UNSAVED_PRICES,
    unsaved=_UNSAVED_PRICES,
    no_search=RefusedError(
        400,
        "Could not ping search engine: %1",
        ["No alive nodes found in your cluster"],
    ),
    is_stored_unsearched=True,
)
# As measured, one call after the other.
_ONE_PRODUCT = Cost(first_ms=105)
_BASE_PRICES = Cost(first_ms=55, row_ms=0.175, rows="prices")
_TIER_PRICES = Cost(first_ms=67, row_ms=8, rows="prices")


def _product(method: str, pattern: str, name: str, handle: Handler) -> Route:
    """Return a route that saves one product."""
    return Route(method, pattern, _PRODUCTS, name, handle, _ONE_PRODUCT, PRODUCT_FAILURE)


def _tier(method: str, pattern: str, name: str, handle: Handler) -> Route:
    """Return a route that writes tier prices."""
    return Route(method, pattern, _CATALOG, name, handle, _TIER_PRICES, TIER_PRICE_FAILURE)


PRODUCT_ROUTES = (
    Route("GET", "products", _PRODUCTS, "products", requests.products),
    _product("POST", "products", "save_product", requests.save_product),
    Route(
        "POST",
        "products/base-prices",
        _CATALOG,
        "save_base_prices",
        requests.write_base_prices_of,
        _BASE_PRICES,
        BASE_PRICE_FAILURE,
    ),
    Route(
        "POST", "products/base-prices-information", _CATALOG, "base_prices", requests.base_prices
    ),
    _tier("POST", "products/tier-prices", "save_tier_prices", requests.add_tier_prices),
    _tier("PUT", "products/tier-prices", "save_tier_prices", requests.replace_tier_prices),
    _tier("POST", "products/tier-prices-delete", "delete_tier_prices", requests.delete_tier_prices),
    Route(
        "POST", "products/tier-prices-information", _CATALOG, "tier_prices", requests.tier_prices
    ),
    Route("POST", "products/attributes", _ATTRIBUTES, "save_attribute", requests.create_attribute),
    Route("GET", "products/attributes/*", _ATTRIBUTES, "attribute", requests.attribute),
    Route("GET", "products/attributes/*/options", _ATTRIBUTES, "options", requests.options),
    Route("POST", "products/attributes/*/options", _ATTRIBUTES, "save_option", requests.add_option),
    _product("POST", f"{_CONFIGURABLE}/options", "save_axis", requests.add_axis),
    Route("GET", f"{_CONFIGURABLE}/options/all", _PRODUCTS, "axes", requests.axes),
    _product("POST", f"{_CONFIGURABLE}/child", "save_variant", requests.attach),
    Route("GET", f"{_CONFIGURABLE}/children", _PRODUCTS, "variants", requests.variants),
    _product("DELETE", f"{_CONFIGURABLE}/children/*", "delete_variant", requests.detach),
    Route(
        "PUT",
        "products/*/stockItems/*",
        "Magento_Catalog::catalog_inventory",
        "save_stock_item",
        requests.save_stock_item,
        _ONE_PRODUCT,
        PRODUCT_FAILURE,
    ),
    # Whatever is no SKU stands above.
    Route("GET", "products/*", _PRODUCTS, "product", requests.product),
    _product("PUT", "products/*", "save_product", requests.save_product),
    Route(
        "DELETE",
        "products/*",
        _PRODUCTS,
        "delete_product",
        lambda call: call.shop.catalog.remove(call.places[0]),
    ),
)
