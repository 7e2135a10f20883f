"""Simulated Magento over HTTP: what happens to every request, in the server's own order.

The path decides first (store code, version, route), then who asks, then what they
may, then the body, then the route's own rules. Each answer sets a session cookie.
"""

import asyncio
from dataclasses import dataclass
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import unquote, unquote_plus

from aiohttp import web
from aiohttp.typedefs import Middleware

from pricing_proxy.sandbox.calls import Calls
from pricing_proxy.sandbox.faults import HAS_WRITTEN
from pricing_proxy.sandbox.shop.bulk.kinds import BulkKind, kind_of
from pricing_proxy.sandbox.shop.bulk.routes import posted
from pricing_proxy.sandbox.shop.criteria import trimmed
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.paths import ASYNC, BAD_PATH, SINGLE, Place, place_of
from pricing_proxy.sandbox.shop.reading import Call
from pricing_proxy.sandbox.shop.route import ANONYMOUS, Route
from pricing_proxy.sandbox.shop.routes import route_of
from pricing_proxy.sandbox.shop.sign_in import SELF
from pricing_proxy.sandbox.shop.signatures import Doorman, Integration
from pricing_proxy.sandbox.shop.storefront import is_storefront, storefront_page
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.shop.whole_saves import saved_whole
from pricing_proxy.sandbox.shop.wire import (
    CrashedError,
    RefusedError,
    answer,
    crash,
    internal_error,
    not_authorized,
    page,
)
from pricing_proxy.sandbox.shop.wording import translated
from pricing_proxy.sandbox.wire import from_json

_NO_ROUTE = "Request does not match any route."
_ERROR_PAGE = "There has been an error processing your request"
_MAX_LINE_BYTES = 8192
_MAX_BODY_BYTES = 64 * 1024 * 1024
_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a request asks for: a route of its own, or a post of operations."""

    place: Place
    name: str
    resource: str
    route: Route | None = None
    places: tuple[str, ...] = ()
    kind: BulkKind | None = None


async def count_shop_call(request: web.Request, calls: Calls) -> None:
    """Count a request under what it asks the shop for."""
    if is_storefront(request.path):
        calls.count("page")
        return
    try:
        found = _asked(request)
    except RefusedError:
        found = None
    calls.count(found.name if found else "other")


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
        if is_storefront(request.path):
            return await storefront_page(request, shop)
        if not request.path.startswith("/rest/"):
            return page("404 Not Found", status=404)
        if not _accepts_json(request):
            return page(_ERROR_PAGE, status=500)
        answered = await _answered(request, dials, shop, doorman)
        answered.headers["Date"] = format_datetime(shop.time(), usegmt=True)
        return answered

    app = web.Application(middlewares=[middleware], client_max_size=_MAX_BODY_BYTES)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _answered(
    request: web.Request, dials: ShopDials, shop: Shop, doorman: Doorman
) -> web.StreamResponse:
    try:
        return await _answer(request, dials, shop, doorman)
    except RefusedError as refused:
        body = translated(refused.body) if dials.translated else refused.body
        return answer(body, status=refused.status)
    except CrashedError:
        return crash()


async def _answer(
    request: web.Request, dials: ShopDials, shop: Shop, doorman: Doorman
) -> web.StreamResponse:
    asked = _asked(request)
    if asked is None:
        raise RefusedError(404, _NO_ROUTE)
    integration, caller = _admit(request, asked.resource, dials, shop, doorman)
    query = _query(request)
    is_read = asked.route is not None and not asked.route.writes
    body = {} if is_read else await _body(request)
    call = Call(
        shop=shop,
        query=query,
        places=asked.places,
        body=body if isinstance(body, dict) else {},
        store=asked.place.store,
        caller=caller,
        integration=integration,
    )
    if asked.kind is not None:
        accepted = posted(call, asked.kind, body, is_single=asked.place.way == ASYNC)
        request[HAS_WRITTEN] = True
        return answer(accepted, status=202)
    done = await _done(request, asked.route, call) if asked.route is not None else None
    await asyncio.sleep(dials.row_latency_ms * _rows_of(done) / _MILLISECONDS)
    return answer(trimmed(done, dict(query).get("fields")))


async def _done(request: web.Request, route: Route, call: Call) -> Any:
    """Return what a route answers, after the time that it takes."""
    if not route.writes:
        return route.handle(call)
    cost = 0.0 if route.cost is None else route.cost.seconds(call.body)
    rows = 1 if route.cost is None else route.cost.count(call.body)

    async def write() -> Any:
        async with call.shop.writes.taking(cost * call.shop.dials.write_cost):
            # Without a search engine, too, it is written before it is refused.
            request[HAS_WRITTEN] = True
            writes = call.shop.writes
            if route.saves is not None:
                return await saved_whole(call, route.saves(call), partial(route.handle, call))
            return writes.done(
                lambda: route.handle(call), route.failure, is_victim=writes.is_victim(route.failure)
            )

    return await call.shop.write_log.to_its_end(route.name, rows, write())


def _asked(request: web.Request) -> _Asked | None:
    """Return what a request asks for, None where no route is.

    Raises:
        RefusedError: An unknown store code, or no version.
    """
    place = place_of(request.raw_path.partition("?")[0])
    if place.way == SINGLE:
        found = route_of(request.method, place.segments)
        if found is None:
            return None
        route, places = found
        return _Asked(
            place=place, name=route.name, resource=route.resource, route=route, places=places
        )
    if request.method == "GET":
        raise RefusedError(400, BAD_PATH)
    kind = kind_of(request.method, place.segments)
    if kind is None:
        return None
    return _Asked(place=place, name=kind.name, resource=kind.resource, kind=kind)


def _rows_of(body: Any) -> int:
    return len(body["items"]) if isinstance(body, dict) and "search_criteria" in body else 0


def _admit(
    request: web.Request, resource: str, dials: ShopDials, shop: Shop, doorman: Doorman
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
    if resource == ANONYMOUS:
        return integration, 0
    caller = shop.sign_in.customer_of(header) if resource == SELF else None
    if caller is not None:
        return None, caller
    if resource == SELF or integration is None or not integration.may(resource):
        raise not_authorized(resource)
    return integration, 0


def _accepts_json(request: web.Request) -> bool:
    accepted = request.headers.get("Accept", "*/*")
    return "json" in accepted or "*/*" in accepted


def _query(request: web.Request) -> tuple[tuple[str, str], ...]:
    text = request.raw_path.partition("?")[2]
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return tuple((unquote(name), unquote_plus(value)) for name, _, value in pairs)


async def _body(request: web.Request) -> Any:
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
        members = from_json(text)
    except ValueError:
        raise RefusedError(400, "Decoding error.") from None
    return members if isinstance(members, dict | list) else {}
