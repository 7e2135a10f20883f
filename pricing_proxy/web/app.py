"""The two listeners' routes: what the shop may reach, and what operators may."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from pricing_proxy.listening.host_names import refusing_other_names
from pricing_proxy.pages.drawing import set_up
from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.browsers import BrowserRoutes
from pricing_proxy.web.docs import DocsRoutes
from pricing_proxy.web.explain import ExplainRoutes
from pricing_proxy.web.handling import (
    Handler,
    Tracing,
    answering_problems,
    no_such_route,
    traced,
)
from pricing_proxy.web.health import HealthRoutes
from pricing_proxy.web.immediate import IMMEDIATE, Immediate
from pricing_proxy.web.invalidations import InvalidationRoutes
from pricing_proxy.web.kept_out import KeptOutRoutes
from pricing_proxy.web.login import LoginRoutes
from pricing_proxy.web.prices import PriceRoutes
from pricing_proxy.web.status import StatusRoutes

# Far more than 200 lines; what is larger may come in pieces and hold its connection back.
_LONGEST_IMMEDIATE_BODY = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All handlers."""

    prices: PriceRoutes
    browsers: BrowserRoutes
    login: LoginRoutes
    health: HealthRoutes
    docs: DocsRoutes
    explain: ExplainRoutes
    invalidations: InvalidationRoutes
    status: StatusRoutes
    kept_out: KeptOutRoutes


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
    tracing = Tracing(traces, routes.browsers.is_browser)
    share = routes.browsers.sharing
    _add(app, "POST", "/v1/prices", routes.prices.post, tracing, share)
    _add(app, "GET", "/v1/prices", routes.prices.get, tracing, share)
    _add(app, "OPTIONS", "/v1/prices", routes.browsers.preflight)
    _add(app, "POST", "/v1/carts/price", routes.prices.price_cart, tracing)
    _add(app, "POST", "/v1/customers/{customer}/login", routes.login.post, tracing)
    _add(app, "GET", "/health/live", routes.health.live)
    _add(app, "GET", "/health/ready", routes.health.ready)
    _add(app, "GET", "/openapi.json", routes.docs.openapi)
    _add_fallback(app)
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
    _add(app, "POST", "/v1/invalidations", routes.invalidations.post)
    _add(app, "POST", "/v1/prices/explain", routes.explain.post)
    _add(app, "GET", "/status", routes.status.status)
    _add(app, "GET", "/metrics", routes.status.metrics)
    _add(app, "POST", "/v1/breakers/{name}", routes.status.order_breaker)
    _add(app, "POST", "/v1/gates/{name}", routes.status.order_gate)
    _add(app, "POST", "/v1/kept-out/clear", routes.kept_out.clear)
    _add(app, "GET", "/openapi.json", routes.docs.openapi)
    _add(app, "GET", "/docs", routes.docs.page)
    _add(app, "GET", "/docs/{file}", routes.docs.file)
    _add(app, "GET", "/health/live", routes.health.live)
    _add(app, "GET", "/health/ready", routes.health.ready)
    _add_fallback(app)
    return app


def _add(  # noqa: PLR0917 -- one line for each route
    app: web.Application,
    method: str,
    path: str,
    handler: Handler,
    tracing: Tracing | None = None,
    share: Callable[[Handler], Handler] | None = None,
) -> None:
    answering = answering_problems(handler)
    if share is not None:
        answering = share(answering)
    if tracing is not None and tracing.traces.is_on:
        # The route's template, never its values: those name customers.
        answering = traced(answering, f"{method} {path}", tracing)
    app.router.add_route(method, path, answering)


def _add_fallback(app: web.Application) -> None:
    app.router.add_route("*", "/{path:.*}", answering_problems(no_such_route))
