"""The two listeners' applications, served from the table of routes: the shop's and operators'."""

from collections.abc import Callable, Sequence
from functools import partial

from aiohttp import web

from pricing_proxy.listening.host_names import refusing_other_names
from pricing_proxy.pages.drawing import set_up
from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.handling import (
    answering,
    anybody,
    no_such_route,
    traced,
)
from pricing_proxy.web.immediate import IMMEDIATE, Immediate
from pricing_proxy.web.routes import ADMIN, PUBLIC, ROUTES, Routes

# Far more than 200 lines; what is larger may come in pieces and hold its connection back.
_LONGEST_IMMEDIATE_BODY = 32_768


def public_app(
    routes: Routes,
    *,
    body_limit_bytes: int,
    traces: Traces,
    is_leaving: Callable[[], bool] = lambda: False,
) -> web.Application:
    """Return the application of the public listener.

    Args:
        routes: All handlers.
        body_limit_bytes: Larger bodies are refused.
        traces: Where spans go.
        is_leaving: Whether the process is about to end: each answer then closes its connection,
            so that the next request goes elsewhere and finds no connection that is ending.
    """
    app = web.Application(client_max_size=body_limit_bytes)

    async def close_when_leaving(_: web.Request, response: web.StreamResponse) -> None:
        if is_leaving():
            response.headers["Connection"] = "close"
            response.force_close()

    app.on_response_prepare.append(close_when_leaving)
    app[IMMEDIATE] = Immediate(
        routes.prices.recalled, min(body_limit_bytes, _LONGEST_IMMEDIATE_BODY)
    )
    _serve(app, PUBLIC, routes, traces=traces)
    return app


def admin_app(
    routes: Routes, *, body_limit_bytes: int, host_names: Sequence[str] | None = ()
) -> web.Application:
    """Return the application of the admin listener.

    Args:
        routes: All handlers.
        body_limit_bytes: Larger bodies are refused.
        host_names: Names that it may be called by; None for any, where reading needs a key.
    """
    guards = () if host_names is None else (refusing_other_names(host_names),)
    app = web.Application(client_max_size=body_limit_bytes, middlewares=guards)
    set_up(app, "pricing_proxy.web")
    _serve(app, ADMIN, routes, is_open=host_names is not None)
    return app


def _serve(
    app: web.Application,
    listener: str,
    routes: Routes,
    *,
    traces: Traces | None = None,
    is_open: bool = False,
) -> None:
    """Add the listener's rows of the table, and what answers the rest.

    Args:
        app: Where.
        listener: Whose.
        routes: All handlers.
        traces: Where spans go, if any are made.
        is_open: Whether only this machine reaches the listener.
    """
    for route in ROUTES:
        if listener not in route.listeners:
            continue
        admit = anybody
        if route.scope is not None and not (is_open and route.is_open_on_loopback):
            admit = partial(routes.access.require, scope=route.scope, takes_token=route.takes_token)
        answer = answering(route.handler(routes), admit=admit, body=route.body)
        if route.takes_token:
            answer = routes.browsers.sharing(answer)
        if traces is not None and traces.is_on and route.scope is not None:
            # The route's template, never its values: those name customers.
            name = f"{route.method} {route.path}"
            answer = traced(answer, name, traces, is_browser=routes.browsers.is_browser)
        for method in route.methods:
            app.router.add_route(method, route.path, answer)
    app.router.add_route("*", "/{path:.*}", answering(no_such_route))
