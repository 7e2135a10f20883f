"""The control port: turn dials, read counts, post prices and orders, whatever is dead.

It is a door of its own, so that it works while a system is dead. Mistakes are answered
as problem+json that names the member. Orders are placed in the shop here too.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.calls import Calls
from pricing_proxy.sandbox.dials import BadMemberError, Dials
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.price_posting import post_price
from pricing_proxy.sandbox.shop.placing import Counter
from pricing_proxy.sandbox.shop.wire import to_json as shop_json
from pricing_proxy.sandbox.wire import from_json, json_answer, to_json


@dataclass(frozen=True, slots=True)
class System:
    """A simulated system as the control port sees it."""

    dials: Dials
    calls: Calls = field(default_factory=Calls)


def control_app(
    systems: Mapping[str, System],
    book: Book,
    documents: Documents,
    orders: Counter,
    *,
    apply_dead: Callable[[str], Awaitable[None]],
) -> web.Application:
    """Return the control port's application.

    Args:
        systems: By the name in the path.
        book: Where prices are posted.
        documents: What judges are shown of F&O.
        orders: Where orders are placed in the shop.
        apply_dead: Called with a system's name after its dials were turned.
    """
    control = _Control(systems, book, documents, orders, apply_dead)
    app = web.Application()
    app.router.add_get("/systems/{system}/dials", control.dials)
    app.router.add_patch("/systems/{system}/dials", control.turn)
    app.router.add_get("/systems/{system}/calls", control.calls)
    app.router.add_delete("/systems/{system}/calls", control.reset)
    app.router.add_post("/systems/fo/prices", control.post_price)
    app.router.add_get("/systems/fo/orders", control.orders)
    app.router.add_post("/systems/magento/orders", control.place_orders)
    app.router.add_get("/systems/magento/orders", control.placed_orders)
    app.router.add_get("/systems/fo/customers", control.customers)
    app.router.add_get("/systems/fo/returns", control.returns)
    return app


class _Control:
    def __init__(
        self,
        systems: Mapping[str, System],
        book: Book,
        documents: Documents,
        orders: Counter,
        apply_dead: Callable[[str], Awaitable[None]],
    ) -> None:
        self._systems = systems
        self._book = book
        self._documents = documents
        self._counter = orders
        self._apply_dead = apply_dead

    async def dials(self, request: web.Request) -> web.Response:
        return json_answer(self._system(request).dials.members())

    async def turn(self, request: web.Request) -> web.Response:
        system = self._system(request)
        # Dials are no money: JSON's own numbers will do, and error_rate is a share.
        members = _members(await request.read(), json.loads)
        try:
            system.dials.patch(members)
        except BadMemberError as error:
            raise _unprocessable(error) from error
        await self._apply_dead(request.match_info["system"])
        return json_answer(system.dials.members())

    async def calls(self, request: web.Request) -> web.Response:
        return json_answer(self._system(request).calls.counts())

    async def reset(self, request: web.Request) -> web.Response:
        self._system(request).calls.reset()
        return web.Response(status=204)

    async def post_price(self, request: web.Request) -> web.Response:
        members = _members(await request.read(), from_json)
        try:
            journal = post_price(self._book, members)
        except BadMemberError as error:
            raise _unprocessable(error) from error
        return json_answer({"journal": journal.number}, status=201)

    async def orders(self, _: web.Request) -> web.Response:
        return json_answer(self._documents.orders.told())

    async def placed_orders(self, _: web.Request) -> web.Response:
        return web.Response(body=shop_json(self._counter.told()), content_type="application/json")

    async def place_orders(self, request: web.Request) -> web.Response:
        members = _members(await request.read(), from_json)
        try:
            placed = self._counter.place(members)
        except BadMemberError as error:
            raise _unprocessable(error) from error
        return web.Response(
            body=shop_json({"orders": placed}), status=201, content_type="application/json"
        )

    async def customers(self, _: web.Request) -> web.Response:
        return json_answer(self._documents.customers.told())

    async def returns(self, _: web.Request) -> web.Response:
        return json_answer(self._documents.returns.told())

    def _system(self, request: web.Request) -> System:
        name = request.match_info["system"]
        if name not in self._systems:
            detail = f"There is no system of this name; there are {', '.join(self._systems)}."
            raise web.HTTPNotFound(**_problem("unknown_system", 404, detail, []))
        return self._systems[name]


def _members(body: bytes, parse: Callable[[bytes], Any]) -> dict[str, Any]:
    try:
        members = parse(body)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        problem = _problem("bad_json", 400, "The body is not a JSON object.", [])
        raise web.HTTPBadRequest(**problem)
    return members


def _unprocessable(error: BadMemberError) -> web.HTTPUnprocessableEntity:
    pointer = "/" + error.member.replace("~", "~0").replace("/", "~1")
    named = {"pointer": pointer, "code": "bad_member", "detail": error.detail}
    return web.HTTPUnprocessableEntity(**_problem("bad_member", 422, str(error), [named]))


def _problem(code: str, status: int, detail: str, errors: list[dict[str, str]]) -> dict[str, Any]:
    body = {
        "type": f"/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "errors": errors,
    }
    return {"text": to_json(body).decode(), "content_type": "application/problem+json"}
