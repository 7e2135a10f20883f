"""Simulated Magento over HTTP: what happens to every request, in the server's own order.

The path decides first (store code, version, route), then who asks, then what they
may, then the body, then the route's own rules. Each answer sets a session cookie.
"""

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, unquote_plus

from aiohttp import web
from aiohttp.typedefs import Middleware

from pricing_proxy.sandbox.calls import Calls
from pricing_proxy.sandbox.faults import HAS_WRITTEN
from pricing_proxy.sandbox.shop.criteria import trimmed
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.reading import Call
from pricing_proxy.sandbox.shop.route import ANONYMOUS, Route
from pricing_proxy.sandbox.shop.routes import route_of
from pricing_proxy.sandbox.shop.sign_in import SELF
from pricing_proxy.sandbox.shop.signatures import Doorman, Integration
from pricing_proxy.sandbox.shop.stores import CODES, STORES, WHOLE_SHOP_CODES, Store, store_named
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.wire import (
    CrashedError,
    RefusedError,
    answer,
    crash,
    internal_error,
    not_authorized,
    page,
)

_NO_ROUTE = "Request does not match any route."
_BAD_PATH = "Specified request cannot be processed."
_ERROR_PAGE = "There has been an error processing your request"
_MAX_LINE_BYTES = 8192
_MILLISECONDS = 1000


async def count_shop_call(request: web.Request, calls: Calls) -> None:
    """Count a request under what it asks the shop for."""
    try:
        found = route_of(request.method, _segments(_path(request)))
    except (RefusedError, LookupError):
        found = None
    calls.count(found[0].name if found else "other")


def shop_app(
    *, dials: ShopDials, shop: Shop, doorman: Doorman, middleware: Middleware
) -> web.Application:
    """Return the shop as an application.

    Args:
        dials: `token_revoked` takes every token back.
        shop: What it knows.
        doorman: Checks signatures.
        middleware: The faults of this system.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        if len(request.raw_path) > _MAX_LINE_BYTES:
            return page("414 Request-URI Too Large", status=414)
        if not request.path.startswith("/rest/"):
            return page("404 Not Found", status=404)
        if not _accepts_json(request):
            return page(_ERROR_PAGE, status=500)
        answered = await _answered(request, dials, shop, doorman)
        answered.headers["Date"] = format_datetime(shop.time(), usegmt=True)
        return answered

    app = web.Application(middlewares=[middleware])
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _answered(
    request: web.Request, dials: ShopDials, shop: Shop, doorman: Doorman
) -> web.StreamResponse:
    try:
        return await _answer(request, dials, shop, doorman)
    except RefusedError as refused:
        return answer(refused.body, status=refused.status)
    except CrashedError:
        return crash()


async def _answer(
    request: web.Request, dials: ShopDials, shop: Shop, doorman: Doorman
) -> web.StreamResponse:
    found = route_of(request.method, _segments(_path(request)))
    if found is None:
        raise RefusedError(404, _NO_ROUTE)
    route, places = found
    integration, caller = _admit(request, route, dials, shop, doorman)
    query = _query(request)
    body = await _body(request) if route.writes else {}
    call = Call(
        shop=shop,
        query=query,
        places=places,
        body=body,
        store=_store(_path(request)),
        caller=caller,
        integration=integration,
    )
    done = route.handle(call)
    if route.writes:
        request[HAS_WRITTEN] = True
    await asyncio.sleep(dials.row_latency_ms * _rows_of(done) / _MILLISECONDS)
    return answer(trimmed(done, dict(query).get("fields")))


def _rows_of(body: Any) -> int:
    return len(body["items"]) if isinstance(body, dict) and "search_criteria" in body else 0


def _path(request: web.Request) -> str:
    return request.raw_path.partition("?")[0]


def _segments(path: str) -> tuple[str, ...]:
    """Return what follows the version, decoded once; a plus is a space here.

    Raises:
        RefusedError: An unknown store code, or no version.
    """
    _, _, *rest = path.split("/")
    if rest and rest[0] != "V1":
        if rest[0] not in CODES or rest[1:2] != ["V1"]:
            raise RefusedError(400, _BAD_PATH)
        rest = rest[1:]
    return tuple(unquote_plus(segment) for segment in rest[1:])


def _store(path: str) -> Store | None:
    """Return the view in a path: the first one where it names none, None for the whole shop."""
    code = path.split("/")[2]
    return None if code in WHOLE_SHOP_CODES else store_named(code) or STORES[0]


def _admit(
    request: web.Request, route: Route, dials: ShopDials, shop: Shop, doorman: Doorman
) -> tuple[Integration | None, int]:
    """Return the integration that asks, and the customer whose own routes these are, else 0.

    Raises:
        RefusedError: The caller may not use the route.
    """
    header = request.headers.get("Authorization", "")
    integration = doorman.admit(
        header,
        method=request.method,
        url=f"{request.scheme}://{request.host}{request.raw_path}",
        is_revoked=dials.token_revoked,
    )
    if route.resource == ANONYMOUS:
        return integration, 0
    caller = shop.sign_in.customer_of(header) if route.resource == SELF else None
    if caller is not None:
        return None, caller
    if route.resource == SELF or integration is None or not integration.may(route.resource):
        raise not_authorized(route.resource)
    return integration, 0


def _accepts_json(request: web.Request) -> bool:
    accepted = request.headers.get("Accept", "*/*")
    return "json" in accepted or "*/*" in accepted


def _query(request: web.Request) -> tuple[tuple[str, str], ...]:
    text = request.raw_path.partition("?")[2]
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return tuple((unquote(name), unquote_plus(value)) for name, _, value in pairs)


async def _body(request: web.Request) -> Mapping[str, Any]:
    text = await request.read()
    if not text:
        return {}
    kind = request.headers.get("Content-Type", "text/plain").partition(";")[0].strip()
    if kind == "application/x-www-form-urlencoded":
        raise internal_error()
    if kind != "application/json":
        message = f"Server cannot understand Content-Type HTTP header media type {kind}"
        raise RefusedError(400, message)
    try:
        members = json.loads(text, parse_float=Decimal)
    except ValueError:
        raise RefusedError(400, "Decoding error.") from None
    return members if isinstance(members, dict) else {}
