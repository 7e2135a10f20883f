"""Simulated Finance & Operations: OData under `/data`, prices under `/api/services`, `/Metadata`.

Every request needs a bearer token of the simulated Entra ID for exactly this
environment; without one the answer is 401 with no body. Spellings, envelopes and limits of
pages and batches are F&O's own.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from pricing_proxy.sandbox.calls import Calls
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.documents.posted import OPERATIONS
from pricing_proxy.sandbox.documents.store import WRITE_NAMES, Documents
from pricing_proxy.sandbox.faults import HAS_WRITTEN
from pricing_proxy.sandbox.metadata import Metadata, listed
from pricing_proxy.sandbox.odata import Tables, entity_set
from pricing_proxy.sandbox.odata_batch import BadBatchError, read_batch, write_batch
from pricing_proxy.sandbox.odata_service import Call, ODataService, Reply
from pricing_proxy.sandbox.price_service import ErpPriceService, InvalidLineError, UnpricedError
from pricing_proxy.sandbox.tokens import Tokens
from pricing_proxy.sandbox.wire import application_error, from_json, invalid_operation, json_answer

PRICE_PATH = "/api/services/PricingProxyServiceGroup/PricingProxyService/getPrices"

_PAGE = "<!DOCTYPE html><title>Sign in</title><p>This is no price service.</p>"
_ACTIONS = "/data/DataManagementEntities/Microsoft.Dynamics.DataEntities."
_VERSIONS: Mapping[str, str] = {
    "GetApplicationVersion": "10.0.44",
    "GetPlatformBuildVersion": "7.0.7606.0",
}
_DEEDS: Mapping[str, str] = {
    "GET": "read",
    "POST": "create",
    "PATCH": "update",
    "PUT": "update",
    "DELETE": "delete",
}
_ODATA_ERROR = "Microsoft.OData.ODataException"


async def count_fo_call(request: web.Request, calls: Calls) -> None:
    """Count a request under what it asks F&O for, and the lines of a price batch."""
    path = request.path
    if path == PRICE_PATH:
        calls.count("price_batch", lines=_count_lines(await request.read()))
    elif path.startswith(_ACTIONS):
        calls.count("application_version")
    elif path.startswith("/Metadata/"):
        calls.count("metadata")
    elif path == "/data/$batch":
        calls.count("batch")
    else:
        calls.count(_operation(request.method, path.removeprefix("/data/").partition("(")[0]))


def _operation(method: str, name: str) -> str:
    posted = OPERATIONS.get(name)
    if posted is not None:
        return posted if method == "GET" else "other"
    written = WRITE_NAMES.get(name)
    if written is not None and (method != "GET" or entity_set(name) is None):
        return f"{written}_{_DEEDS.get(method, 'other')}"
    named = entity_set(name)
    return named.operation if named else "other"


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
    documents: Documents,
    prices: ErpPriceService,
    environment_url: Callable[[], str],
    middleware: Middleware,
) -> web.Application:
    """Return F&O as an application.

    Args:
        dials: `token_revoked` refuses every token; the sets of `short_sets`, `hidden_sets` are cut.
        tokens: What Entra ID issued.
        tables: The OData sets of master data.
        documents: The OData sets that can be written.
        prices: The custom price service.
        environment_url: This environment's address, which tokens must name.
        middleware: The faults of this system.
    """
    odata = ODataService(
        tables=tables, documents=documents, dials=dials, environment_url=environment_url
    )
    environment = _Environment(odata, Metadata(documents, tables, dials), prices, environment_url)

    @web.middleware
    async def signed_in(request: web.Request, handler: Handler) -> web.StreamResponse:
        authorization = request.headers.get("Authorization", "")
        if dials.token_revoked or not tokens.admits(authorization, environment_url()):
            return web.Response(status=401)
        return await handler(request)

    app = web.Application(middlewares=[middleware, signed_in])
    environment.add_routes(app.router)
    return app


class _Environment:
    def __init__(
        self,
        odata: ODataService,
        metadata: Metadata,
        prices: ErpPriceService,
        environment_url: Callable[[], str],
    ) -> None:
        self._odata_service = odata
        self._metadata = metadata
        self._prices = prices
        self._environment_url = environment_url

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post(PRICE_PATH, self.get_prices)
        for action in _VERSIONS:
            router.add_post(_ACTIONS + action, self.version)
        router.add_post("/data/$batch", self.batch)
        router.add_route("*", "/data/{rest:.+}", self.odata)
        router.add_get("/Metadata/DataEntities", self.entities)
        router.add_get("/Metadata/PublicEntities", self.public_entities)
        router.add_get("/Metadata/PublicEnumerations", self.enumerations)
        router.add_get("/Metadata/PublicEntities('{name:\\w+}')", self.entity)
        router.add_get("/Metadata/PublicEnumerations('{name:\\w+}')", self.enumeration)

    async def get_prices(self, request: web.Request) -> web.Response:
        if (status := self._prices.page_status) is not None:
            return web.Response(status=status, text=_PAGE, content_type="text/html")
        try:
            sent = await request.read()
            # Without a body the service is called without its parameter.
            body = from_json(sent) if sent else None
            answer = self._prices.get_prices(body)
        except ValueError:
            text = "The request body is not valid JSON."
            return application_error(text, kind=_ODATA_ERROR, status=400)
        except InvalidLineError as invalid:
            return application_error(str(invalid), kind=_ODATA_ERROR, status=400)
        except UnpricedError as refused:
            return invalid_operation(str(refused))
        return json_answer(answer)

    async def version(self, request: web.Request) -> web.Response:
        action = request.path.rpartition(".")[2]
        root = f"{self._environment_url()}/data/$metadata#Edm.String"
        return json_answer({"@odata.context": root, "value": _VERSIONS[action]})

    async def odata(self, request: web.Request) -> web.Response:
        call = Call(
            method=request.method,
            path=request.rel_url.raw_path,
            query=request.query,
            body=await request.read(),
            if_match=request.headers.get("If-Match"),
        )
        reply = self._odata_service.answer(call)
        _note_write(request, [call], [reply])
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    async def batch(self, request: web.Request) -> web.Response:
        try:
            parts = read_batch(request.headers.get("Content-Type", ""), await request.read())
        except BadBatchError as error:
            return application_error(str(error), kind=_ODATA_ERROR, status=400)
        answers = [self._answer_part(request, *part) for part in parts]
        content_type, body = write_batch(answers)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def entities(self, request: web.Request) -> web.Response:
        return self._listed(request, self._metadata.entities())

    async def public_entities(self, request: web.Request) -> web.Response:
        return self._listed(request, self._metadata.public_entities())

    async def enumerations(self, request: web.Request) -> web.Response:
        return self._listed(request, self._metadata.enumerations())

    def _listed(self, request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
        address = f"{self._environment_url()}{request.path}"
        try:
            return json_answer(listed(rows, request.query, address))
        except ValueError:
            return application_error(
                "The query specified in the URI is not valid.", kind=_ODATA_ERROR, status=400
            )

    async def entity(self, request: web.Request) -> web.Response:
        found = self._metadata.entity(request.match_info["name"])
        return web.Response(status=404) if found is None else json_answer(found)

    async def enumeration(self, request: web.Request) -> web.Response:
        found = self._metadata.enumeration(request.match_info["name"])
        return web.Response(status=404) if found is None else json_answer(found)

    def _answer_part(
        self, request: web.Request, calls: list[Call], content_ids: list[str]
    ) -> tuple[list[Reply], list[str]]:
        if not content_ids:
            return [self._odata_service.answer(calls[0])], []
        replies = self._odata_service.answer_together(calls)
        if not replies[-1].is_success:
            return replies, []
        _note_write(request, calls, replies)
        return replies, content_ids


def _note_write(request: web.Request, calls: Sequence[Call], replies: Sequence[Reply]) -> None:
    if any(call.method != "GET" for call in calls) and replies[-1].is_success:
        request[HAS_WRITTEN] = True
