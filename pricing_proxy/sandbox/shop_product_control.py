"""The control port's part for the shop's products: what people do in its back office.

    GET    /systems/magento/products?sku=LAMP-01,LAMP-02    by scope, as judges read them; or all,
                                    ?after=1000&most=500    or some above an id
    POST   /systems/magento/products                        {"sku": "X-1", "name": "X", "price": 9}
    PATCH  /systems/magento/products/LAMP-01                {"store": "b2b_de", "name": "Lampe"}
    DELETE /systems/magento/products/LAMP-01
    POST   /systems/magento/products/LAMP-01/recreate       the same again, under another id

What may be edited stands in `shop.products.editing`.
"""

from typing import Any

from aiohttp import web

from pricing_proxy.sandbox.control_answers import read_members, whole
from pricing_proxy.sandbox.shop.products.editing import (
    create_product,
    edit_product,
    recreate_product,
    told_product,
    told_products,
)
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop_answers import answered, done
from pricing_proxy.sandbox.wire import from_json

_PRODUCTS = "/systems/magento/products"


def add_product_routes(app: web.Application, shop: Shop) -> None:
    """Add the routes under `/systems/magento/products`."""
    control = _ProductControl(shop)
    app.router.add_get(_PRODUCTS, control.told)
    app.router.add_post(_PRODUCTS, control.create)
    app.router.add_patch(f"{_PRODUCTS}/{{sku}}", control.edit)
    app.router.add_delete(f"{_PRODUCTS}/{{sku}}", control.delete)
    app.router.add_post(f"{_PRODUCTS}/{{sku}}/recreate", control.recreate)


class _ProductControl:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def told(self, request: web.Request) -> web.Response:
        asked, most = request.query.get("sku"), request.query.get("most")
        if most is None:
            return answered(told_products(self._shop, None if asked is None else asked.split(",")))
        return done(lambda: self._page(request.query.get("after", "0"), most))

    def _page(self, after: str, most: str) -> list[dict[str, Any]]:
        catalog = self._shop.catalog
        numbers = catalog.numbers(above=whole("after", after))[: whole("most", most)]
        return [told_product(self._shop, catalog.by_id(number)) for number in numbers]

    async def create(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return done(lambda: create_product(self._shop, members), status=201)

    async def edit(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return done(lambda: edit_product(self._shop, request.match_info["sku"], members))

    async def delete(self, request: web.Request) -> web.Response:
        return done(lambda: self._shop.catalog.remove(request.match_info["sku"]))

    async def recreate(self, request: web.Request) -> web.Response:
        return done(lambda: recreate_product(self._shop, request.match_info["sku"]))
