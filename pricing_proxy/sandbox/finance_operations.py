"""Simulated Finance & Operations: `/data` with its OData sets, `/api/services` with prices.

Every request needs a bearer token of the simulated Entra ID for exactly this
environment; without one the answer is 401 with no body. Shapes and limits are those
of facts/d365-fo/README.md sections 2 and 3.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pricing_proxy.sandbox.calls import Calls
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.entities import EntitySet
from pricing_proxy.sandbox.odata import Tables, entity_set
from pricing_proxy.sandbox.odata_filter import BadQueryError
from pricing_proxy.sandbox.price_service import PriceService, RefusedError
from pricing_proxy.sandbox.tokens import Tokens
from pricing_proxy.sandbox.wire import application_error, from_json, invalid_operation, to_json

PRICE_PATH = "/api/services/PricingProxyServiceGroup/PricingProxyService/getPrices"

_ACTIONS = "/data/DataManagementEntities/Microsoft.Dynamics.DataEntities."
_VERSIONS: Mapping[str, str] = {
    "GetApplicationVersion": "10.0.44",
    "GetPlatformBuildVersion": "7.0.7606.0",
}
_ODATA_ERROR = "Microsoft.OData.ODataException"


async def count_fo_call(request: web.Request, calls: Calls) -> None:
    """Count a request under what it asks F&O for, and the lines of a price batch."""
    path = request.path
    if path == PRICE_PATH:
        calls.count("price_batch", lines=_count_lines(await request.read()))
    elif path.startswith(_ACTIONS):
        calls.count("application_version")
    else:
        named = entity_set(path.removeprefix("/data/").partition("(")[0])
        calls.count(named.operation if named else "other")


def _count_lines(body: bytes) -> int:
    try:
        lines = from_json(body)["_request"]["lines"]
        return len(lines) if isinstance(lines, list) else 0
    except (ValueError, KeyError, TypeError):
        return 0


def fo_app(
    *,
    dials: Dials,
    tokens: Tokens,
    tables: Tables,
    prices: PriceService,
    environment_url: Callable[[], str],
    middleware: Middleware,
) -> web.Application:
    """Return F&O as an application.

    Args:
        dials: `token_revoked` refuses every token.
        tokens: What Entra ID issued.
        tables: The OData sets.
        prices: The custom price service.
        environment_url: This environment's address, which tokens must name.
        middleware: The faults of this system.
    """
    environment = _Environment(tables, prices, environment_url)

    @web.middleware
    async def signed_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        authorization = request.headers.get("Authorization", "")
        if dials.token_revoked or not tokens.admits(authorization, environment_url()):
            return web.Response(status=401)
        return await handler(request)

    app = web.Application(middlewares=[middleware, signed_in])
    app.router.add_post(PRICE_PATH, environment.get_prices)
    for action in _VERSIONS:
        app.router.add_post(_ACTIONS + action, environment.version)
    app.router.add_get("/data/{name:\\w+}", environment.rows)
    app.router.add_get("/data/{name:\\w+}({key:.*})", environment.row)
    return app


class _Environment:
    def __init__(
        self, tables: Tables, prices: PriceService, environment_url: Callable[[], str]
    ) -> None:
        self._tables = tables
        self._prices = prices
        self._environment_url = environment_url

    async def get_prices(self, request: web.Request) -> web.Response:
        try:
            body = from_json(await request.read())
            answer = self._prices.get_prices(body)
        except ValueError:
            return invalid_operation("The request body is not valid JSON.")
        except RefusedError as refused:
            return invalid_operation(str(refused))
        return web.Response(body=to_json(answer), content_type="application/json")

    async def version(self, request: web.Request) -> web.Response:
        action = request.path.rpartition(".")[2]
        return self._odata("Edm.String", {"value": _VERSIONS[action]})

    async def rows(self, request: web.Request) -> web.Response:
        named = entity_set(request.match_info["name"])
        if named is None:
            return web.Response(status=404)
        try:
            page = self._tables.page(named, request.query)
        except BadQueryError as error:
            return _bad_query(error)
        body: dict[str, Any] = {} if page.total is None else {"@odata.count": page.total}
        if page.next_query is not None:
            body["@odata.nextLink"] = self._link(named, page.next_query)
        return self._odata(named.name, {**body, "value": page.rows})

    async def row(self, request: web.Request) -> web.Response:
        named = entity_set(request.match_info["name"])
        if named is None:
            return web.Response(status=404)
        try:
            row = self._tables.row(named, request.match_info["key"], request.query)
        except BadQueryError as error:
            return _bad_query(error)
        if row is None:
            return web.Response(status=404)
        return self._odata(f"{named.name}/$entity", row)

    def _link(self, named: EntitySet, query: Mapping[str, str]) -> str:
        asked = urlencode(query, safe="$", quote_via=quote)
        return f"{self._environment_url()}/data/{named.name}?{asked}"

    def _odata(self, context: str, body: Mapping[str, Any]) -> web.Response:
        root = f"{self._environment_url()}/data/$metadata#{context}"
        return web.Response(
            body=to_json({"@odata.context": root, **body}),
            headers={
                "Content-Type": "application/json; odata.metadata=minimal",
                "OData-Version": "4.0",
            },
        )


def _bad_query(error: BadQueryError) -> web.Response:
    text = f"The query specified in the URI is not valid. {error}"
    return application_error(text, kind=_ODATA_ERROR, status=400)
