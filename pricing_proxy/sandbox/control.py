"""The control port: turn dials, read counts, post prices and orders, whatever is dead.

It is a door of its own, so that it works while a system is dead. Mistakes are answered
as problem+json that names the member. What people do in the ERP is in
`fo_control` and `fo_document_control`, in the shop in `shop_control`, in Entra ID in
`entra_control`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from pricing_proxy.listening.host_names import refusing_other_names
from pricing_proxy.sandbox.app_proofs import AppProofs
from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.calls import Calls
from pricing_proxy.sandbox.control_answers import problem, read_members, unprocessable
from pricing_proxy.sandbox.dials import BadMemberError, Dials
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.entra_control import add_entra_routes
from pricing_proxy.sandbox.fo_control import add_fo_routes
from pricing_proxy.sandbox.fo_document_control import add_document_routes
from pricing_proxy.sandbox.price_posting import post_price
from pricing_proxy.sandbox.shop.placing import Counter
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop_control import add_shop_routes
from pricing_proxy.sandbox.stocked_control import add_stocked_route
from pricing_proxy.sandbox.wire import from_json, json_answer, told_json


@dataclass(frozen=True, slots=True)
class System:
    """A simulated system as the control port sees it."""

    dials: Dials
    calls: Calls = field(default_factory=Calls)


def control_app(  # noqa: PLR0917 - each is one part of the sandbox
    systems: Mapping[str, System],
    book: Book,
    documents: Documents,
    shop: Shop,
    orders: Counter,
    proofs: AppProofs,
    *,
    apply_dead: Callable[[str], Awaitable[None]],
) -> web.Application:
    """Return the control port's application.

    Args:
        systems: By the name in the path.
        book: Where prices are posted.
        documents: What judges are shown of F&O.
        shop: Where people register, and products change.
        orders: Where orders are placed in it.
        proofs: Where apps of Entra ID are given certificates and tokens.
        apply_dead: Called with a system's name after its dials were turned.
    """
    control = _Control(systems, book, documents, apply_dead)
    app = web.Application(middlewares=[refusing_other_names()])
    app.router.add_get("/systems/{system}/dials", control.dials)
    app.router.add_patch("/systems/{system}/dials", control.turn)
    app.router.add_get("/systems/{system}/calls", control.calls)
    app.router.add_delete("/systems/{system}/calls", control.reset)
    app.router.add_post("/systems/fo/prices", control.post_price)
    app.router.add_get("/systems/fo/orders", control.orders)
    app.router.add_get("/systems/fo/customers", control.customers)
    app.router.add_get("/systems/fo/returns", control.returns)
    add_entra_routes(app, proofs)
    # Before those that take any action.
    add_document_routes(app, documents)
    add_fo_routes(app, book, documents)
    add_shop_routes(app, shop, orders)
    add_stocked_route(app, book, documents, shop)
    return app


class _Control:
    def __init__(
        self,
        systems: Mapping[str, System],
        book: Book,
        documents: Documents,
        apply_dead: Callable[[str], Awaitable[None]],
    ) -> None:
        self._systems = systems
        self._book = book
        self._documents = documents
        self._apply_dead = apply_dead

    async def dials(self, request: web.Request) -> web.Response:
        return json_answer(self._system(request).dials.members())

    async def turn(self, request: web.Request) -> web.Response:
        system = self._system(request)
        # Dials are no money: JSON's own numbers will do, and error_rate is a share.
        members = read_members(await request.read(), told_json)
        try:
            system.dials.patch(members)
        except BadMemberError as error:
            raise unprocessable(error) from error
        await self._apply_dead(request.match_info["system"])
        return json_answer(system.dials.members())

    async def calls(self, request: web.Request) -> web.Response:
        return json_answer(self._system(request).calls.counts())

    async def reset(self, request: web.Request) -> web.Response:
        self._system(request).calls.reset()
        return web.Response(status=204)

    async def post_price(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        try:
            journal = post_price(self._book, members)
        except BadMemberError as error:
            raise unprocessable(error) from error
        return json_answer({"journal": journal.number}, status=201)

    async def orders(self, _: web.Request) -> web.Response:
        return json_answer(self._documents.orders.told())

    async def customers(self, _: web.Request) -> web.Response:
        return json_answer(self._documents.customers.told())

    async def returns(self, _: web.Request) -> web.Response:
        return json_answer(self._documents.returns.told())

    def _system(self, request: web.Request) -> System:
        name = request.match_info["system"]
        if name not in self._systems:
            detail = f"There is no system of this name; there are {', '.join(self._systems)}."
            raise web.HTTPNotFound(**problem("unknown_system", 404, detail, []))
        return self._systems[name]
