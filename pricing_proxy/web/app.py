"""The two listeners' routes: what the shop may reach, and what operators may."""

from dataclasses import dataclass

from aiohttp import web

from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.docs import DocsRoutes
from pricing_proxy.web.handling import Handler, answering_problems, no_such_route, traced
from pricing_proxy.web.health import HealthRoutes
from pricing_proxy.web.invalidations import InvalidationRoutes
from pricing_proxy.web.login import LoginRoutes
from pricing_proxy.web.prices import PriceRoutes
from pricing_proxy.web.status import StatusRoutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All handlers."""

    prices: PriceRoutes
    login: LoginRoutes
    health: HealthRoutes
    docs: DocsRoutes
    invalidations: InvalidationRoutes
    status: StatusRoutes


def public_app(routes: Routes, *, body_limit_bytes: int, traces: Traces) -> web.Application:
    """Return the application of the public listener."""
    app = web.Application(client_max_size=body_limit_bytes)
    _add(app, "POST", "/v1/prices", routes.prices.post, traces)
    _add(app, "GET", "/v1/prices", routes.prices.get, traces)
    _add(app, "POST", "/v1/customers/{customer}/login", routes.login.post, traces)
    _add(app, "GET", "/health/live", routes.health.live)
    _add(app, "GET", "/health/ready", routes.health.ready)
    _add(app, "GET", "/openapi.json", routes.docs.openapi)
    _add_fallback(app)
    return app


def admin_app(routes: Routes, *, body_limit_bytes: int) -> web.Application:
    """Return the application of the admin listener."""
    app = web.Application(client_max_size=body_limit_bytes)
    _add(app, "POST", "/v1/invalidations", routes.invalidations.post)
    _add(app, "GET", "/status", routes.status.status)
    _add(app, "GET", "/metrics", routes.status.metrics)
    _add(app, "POST", "/v1/breakers/{name}", routes.status.order_breaker)
    _add(app, "GET", "/openapi.json", routes.docs.openapi)
    _add(app, "GET", "/docs", routes.docs.page)
    _add(app, "GET", "/docs/{file}", routes.docs.file)
    _add(app, "GET", "/health/live", routes.health.live)
    _add(app, "GET", "/health/ready", routes.health.ready)
    _add_fallback(app)
    return app


def _add(
    app: web.Application, method: str, path: str, handler: Handler, traces: Traces | None = None
) -> None:
    answering = answering_problems(handler)
    if traces is not None and traces.is_on:
        # The route's template, never its values: those name customers.
        answering = traced(answering, f"{method} {path}", traces)
    app.router.add_route(method, path, answering)


def _add_fallback(app: web.Application) -> None:
    app.router.add_route("*", "/{path:.*}", answering_problems(no_such_route))
