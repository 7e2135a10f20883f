"""The control port's part for the shop: what people do there, without the shop's login.

Orders are placed, people register, change their own data and leave; somebody in the back office
holds, cancels, invoices, ships, refunds or edits an order; and somebody else writes into the tables
(`odd_rows`). A refusal of the shop itself is answered with its own status and message. With a `row`
in them, members of an order, a registration or an action make what comes of it odd before anybody
can read it. `GET /systems/magento/orders/7` tells an order's papers and what stands on it,
`GET /systems/magento/papers` those of all orders that have any,
`GET /systems/magento/writes` what was written by route, and DELETE forgets it.
Products are in `shop_product_control`, stock in `shop_stock_control`.
"""

from typing import Any

from aiohttp import web

from pricing_proxy.sandbox.control_answers import read_members
from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.shop.back_office import ACTIONS, MADE
from pricing_proxy.sandbox.shop.judging import told_all_papers, told_papers
from pricing_proxy.sandbox.shop.odd_rows import odd_row
from pricing_proxy.sandbox.shop.placing import Counter
from pricing_proxy.sandbox.shop.registering import change, register
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop_answers import answered, done
from pricing_proxy.sandbox.shop_product_control import add_product_routes
from pricing_proxy.sandbox.shop_stock_control import add_stock_routes
from pricing_proxy.sandbox.wire import from_json, told_json

_MAGENTO = "/systems/magento"


def add_shop_routes(app: web.Application, shop: Shop, orders: Counter) -> None:
    """Add the routes under `/systems/magento`."""
    control = _ShopControl(shop, orders)
    app.router.add_post(f"{_MAGENTO}/orders", control.place_orders)
    app.router.add_get(f"{_MAGENTO}/orders", control.orders)
    app.router.add_get(rf"{_MAGENTO}/orders/{{number:\d+}}", control.papers)
    app.router.add_post(rf"{_MAGENTO}/orders/{{number:\d+}}/{{action}}", control.act)
    app.router.add_get(f"{_MAGENTO}/papers", control.all_papers)
    app.router.add_get(f"{_MAGENTO}/writes", control.writes)
    app.router.add_delete(f"{_MAGENTO}/writes", control.forget_writes)
    app.router.add_patch(rf"{_MAGENTO}/rows/{{table}}/{{number:\d+}}", control.change_row)
    app.router.add_post(f"{_MAGENTO}/customers", control.register)
    app.router.add_get(f"{_MAGENTO}/customers", control.customers)
    app.router.add_patch(rf"{_MAGENTO}/customers/{{number:\d+}}", control.change_customer)
    app.router.add_delete(rf"{_MAGENTO}/customers/{{number:\d+}}", control.delete_customer)
    add_product_routes(app, shop)
    add_stock_routes(app, shop.inventory)


class _ShopControl:
    def __init__(self, shop: Shop, orders: Counter) -> None:
        self._shop = shop
        self._orders = orders

    async def orders(self, _: web.Request) -> web.Response:
        return answered(self._orders.told())

    async def place_orders(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return done(lambda: {"orders": self._orders.place(members)}, status=201)

    async def act(self, request: web.Request) -> web.Response:
        body = await request.read()
        members = read_members(body, from_json) if body else {}
        return done(lambda: {"done": self._acted(request.match_info["action"], request, members)})

    async def papers(self, request: web.Request) -> web.Response:
        return done(lambda: told_papers(self._shop, _number(request)))

    async def all_papers(self, _: web.Request) -> web.Response:
        return answered(told_all_papers(self._shop))

    async def writes(self, _: web.Request) -> web.Response:
        waiting = len(self._shop.bulks.waiting)
        return answered({**self._shop.write_log.told(), "waiting": waiting})

    async def forget_writes(self, _: web.Request) -> web.Response:
        self._shop.write_log.reset()
        return web.Response(status=204)

    async def change_row(self, request: web.Request) -> web.Response:
        odd = read_members(await request.read(), from_json)
        table, number = request.match_info["table"], _number(request)
        return done(lambda: {"odd": self._shop.write_row(table, number, odd_row(odd))})

    async def customers(self, _: web.Request) -> web.Response:
        return answered(list(self._shop.customers.all()))

    async def register(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), told_json)
        return done(lambda: self._registered(members), status=201)

    async def change_customer(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), told_json)
        return done(lambda: change(self._shop, _number(request), members))

    async def delete_customer(self, request: web.Request) -> web.Response:
        return done(lambda: self._shop.remove_customer(_number(request)))

    def _registered(self, members: dict[str, Any]) -> dict[str, Any]:
        odd = odd_row(members.pop("row", {}))
        made = register(self._shop, members)
        self._shop.write_row("customers", made["id"], odd)
        return made

    def _acted(self, action: str, request: web.Request, members: dict[str, Any]) -> Any:
        number = _number(request)
        if action == "edit":
            return self._orders.edit(number, members)
        if action not in ACTIONS:
            raise BadMemberError("action", f"unknown; there are edit, {', '.join(ACTIONS)}")
        odd = odd_row(members.pop("row", {}))
        done = ACTIONS[action](self._shop, number, members)
        table = MADE.get(action)
        self._shop.write_row(table or "orders", int(done) if table else number, odd)
        return done


def _number(request: web.Request) -> int:
    return int(request.match_info["number"])
