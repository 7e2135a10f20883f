"""Pages of the storefront, as shoppers and a probe get them: no REST, no sign-in.

`/` is the first page, `/{url key}.html` a product's; `?___store=code` chooses the view. A page
takes longer for every write in progress. Prices on it are those of the index, which follows with
the delay of a schedule.
"""

import asyncio
from decimal import Decimal
from html import escape

from aiohttp import web

from pricing_proxy.sandbox.shop.catalog import Product
from pricing_proxy.sandbox.shop.products.url_keys import url_key
from pricing_proxy.sandbox.shop.stores import STORES, store_named
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import page

_MILLISECONDS = 1000
_SUFFIX = ".html"


def is_storefront(path: str) -> bool:
    """Say whether a path is one of the storefront's."""
    return path == "/" or (path.endswith(_SUFFIX) and path.count("/") == 1)


async def storefront_page(request: web.Request, shop: Shop) -> web.Response:
    """Return a page, after the time that it takes on a shop with so many writes."""
    dials = shop.dials
    milliseconds = dials.page_latency_ms + dials.page_ms_per_write * shop.writes.in_progress
    await asyncio.sleep(milliseconds / _MILLISECONDS)
    store = store_named(request.query.get("___store", "")) or STORES[0]
    if request.path == "/":
        return page(store.name, status=200)
    key = request.path.removeprefix("/").removesuffix(_SUFFIX)
    product = _named(shop, key, store.id)
    if product is None or not _is_shown(product, store.website_id):
        return page("404 Not Found", status=404)
    price = shop.shown_prices.price(product, store.id)
    return page(product.name, status=200, body=_product(product, price))


def _named(shop: Shop, key: str, store_id: int) -> Product | None:
    """Return the product of a URL key, which is mostly its SKU."""
    likely = shop.catalog.by_sku(key)
    if likely is not None and url_key(likely.seen_from(store_id)) == key:
        return likely.seen_from(store_id)
    found = (one.seen_from(store_id) for one in shop.catalog.all())
    return next((one for one in found if url_key(one) == key), None)


def _is_shown(product: Product, website_id: int) -> bool:
    return product.status == 1 and product.visibility > 1 and website_id in product.website_ids


def _product(product: Product, price: Decimal) -> str:
    return (
        f'<h1 itemprop="name">{escape(product.name)}</h1>\n'
        f'<meta itemprop="price" content="{price.normalize():f}" />'
    )
