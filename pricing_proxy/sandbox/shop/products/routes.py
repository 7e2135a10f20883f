"""The routes of products and what belongs to them."""

from pricing_proxy.sandbox.shop import reading
from pricing_proxy.sandbox.shop.route import Route

_PRODUCTS = "Magento_Catalog::products"

PRODUCT_ROUTES = (
    Route("GET", "products", _PRODUCTS, "products", reading.products),
    Route("POST", "products", _PRODUCTS, "save_product", reading.save_product),
    Route("GET", "products/*", _PRODUCTS, "product", reading.product),
    Route("PUT", "products/*", _PRODUCTS, "save_product", reading.save_product),
    Route(
        "DELETE",
        "products/*",
        _PRODUCTS,
        "delete_product",
        lambda call: call.shop.catalog.remove(call.places[0]),
    ),
)
