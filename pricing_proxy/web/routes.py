"""The one table of routes: who may call each, what is sent, and what may be answered.

`app` serves the table, asking for access and reading bodies as its rows say, and `openapi`
tells of it. A row names the problems of its own; those of access and of bodies follow from
its other members. The admin listener serves what the shop calls as well, so that the page of
the documentation can try every route: browsers let it call no other address than its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from pricing_proxy.configuration.api_keys import Scope
from pricing_proxy.problem_details import Problem
from pricing_proxy.web import problems, schemas
from pricing_proxy.web.access import Access
from pricing_proxy.web.browsers import BrowserRoutes
from pricing_proxy.web.docs import DocsRoutes
from pricing_proxy.web.explain import ExplainRoutes
from pricing_proxy.web.handling import Handler
from pricing_proxy.web.health import HealthRoutes
from pricing_proxy.web.invalidations import InvalidationRoutes
from pricing_proxy.web.kept_out import KeptOutRoutes
from pricing_proxy.web.login import LoginRoutes
from pricing_proxy.web.prices import PriceRoutes
from pricing_proxy.web.status import StatusRoutes

PUBLIC = "public"
ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All handlers, and who lets callers in to them."""

    access: Access
    prices: PriceRoutes
    browsers: BrowserRoutes
    login: LoginRoutes
    health: HealthRoutes
    docs: DocsRoutes
    explain: ExplainRoutes
    invalidations: InvalidationRoutes
    status: StatusRoutes
    kept_out: KeptOutRoutes


@dataclass(frozen=True, slots=True)
class Route:
    """One row: a method of a path.

    Attributes:
        name: Its `operationId`, under which `openapi_operations.json` describes it.
        method: HTTP method.
        path: Template of the path.
        handler: Finds who answers.
        listeners: Where it is served.
        scope: What an API key needs; None for a route that is open to all.
        takes_token: Whether a storefront token opens it as well.
        is_open_on_loopback: Whether it needs no key where only this machine reaches it.
        has_head: Whether `HEAD` is answered too, as some load balancers ask for health.
        bodies: What may be sent; where a token is taken the handler reads it, as it depends on
            who asks.
        answers: Shapes of its JSON answers, by status.
        own_problems: What it answers besides the problems of access and of bodies.
    """

    name: str
    method: str
    path: str
    handler: Callable[[Routes], Handler]
    listeners: tuple[str, ...] = (ADMIN,)
    scope: Scope | None = None
    takes_token: bool = False
    is_open_on_loopback: bool = False
    has_head: bool = False
    bodies: tuple[TypeAdapter[Any], ...] = ()
    answers: Mapping[int, str] = field(default_factory=dict)
    own_problems: tuple[Problem, ...] = ()

    @property
    def methods(self) -> tuple[str, ...]:
        """All methods that it answers."""
        return (self.method, "HEAD") if self.has_head else (self.method,)

    @property
    def body(self) -> TypeAdapter[Any] | None:
        """What is read before the handler is asked."""
        return self.bodies[0] if self.bodies and not self.takes_token else None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that may be answered instead."""
        tokens = problems.SHOPPER if self.takes_token else (problems.TOKEN_NOT_ENOUGH,)
        access = (*problems.ACCESS, *problems.TOKEN, *tokens) if self.scope else ()
        body = problems.BODY if self.bodies else ()
        return (*access, *body, *self.own_problems, problems.INTERNAL_ERROR)


ROUTES = (
    Route(
        "postPrices",
        "POST",
        "/v1/prices",
        lambda routes: routes.prices.post,
        listeners=(PUBLIC, ADMIN),
        scope="prices",
        takes_token=True,
        bodies=(schemas.PRICES, schemas.SHOPPER_PRICES),
        answers={200: "PricesAnswer"},
        own_problems=problems.PRICES,
    ),
    Route(
        "getPrices",
        "GET",
        "/v1/prices",
        lambda routes: routes.prices.get,
        listeners=(PUBLIC, ADMIN),
        scope="prices",
        takes_token=True,
        answers={200: "PricesAnswer"},
        own_problems=(*problems.VALUES, *problems.PRICES),
    ),
    Route(
        "optionsPrices",
        "OPTIONS",
        "/v1/prices",
        lambda routes: routes.browsers.preflight,
        listeners=(PUBLIC, ADMIN),
        own_problems=(problems.ORIGIN_NOT_ALLOWED,),
    ),
    Route(
        "postCart",
        "POST",
        "/v1/carts/price",
        lambda routes: routes.prices.price_cart,
        listeners=(PUBLIC, ADMIN),
        scope="prices",
        bodies=(schemas.CART,),
        answers={200: "CartAnswer"},
        own_problems=problems.PRICES,
    ),
    Route(
        "postLogin",
        "POST",
        "/v1/customers/{customer}/login",
        lambda routes: routes.login.post,
        listeners=(PUBLIC, ADMIN),
        scope="login",
        bodies=(schemas.LOGIN,),
        answers={202: "WarmingAnswer"},
        own_problems=(problems.UNKNOWN_MARKET, problems.UNKNOWN_CUSTOMER),
    ),
    Route(
        "postInvalidation",
        "POST",
        "/v1/invalidations",
        lambda routes: routes.invalidations.post,
        scope="invalidate",
        bodies=(schemas.INVALIDATION,),
        answers={202: "InvalidationAnswer"},
        own_problems=(
            problems.UNKNOWN_MARKET,
            problems.UNKNOWN_NAME,
            problems.TOO_OFTEN,
            problems.LEDGER_UNAVAILABLE,
        ),
    ),
    Route(
        "postExplain",
        "POST",
        "/v1/prices/explain",
        lambda routes: routes.explain.post,
        scope="explain",
        bodies=(schemas.PRICES,),
        answers={200: "ExplainAnswer"},
        own_problems=problems.ASKING,
    ),
    Route(
        "getStatus",
        "GET",
        "/status",
        lambda routes: routes.status.status,
        scope="operate",
        is_open_on_loopback=True,
        answers={200: "StatusAnswer"},
    ),
    Route(
        "getMetrics",
        "GET",
        "/metrics",
        lambda routes: routes.status.metrics,
        scope="operate",
        is_open_on_loopback=True,
    ),
    Route(
        "postBreakerOrder",
        "POST",
        "/v1/breakers/{name}",
        lambda routes: routes.status.order_breaker,
        scope="operate",
        bodies=(schemas.BREAKER_ORDER,),
        answers={200: "StatusAnswer"},
        own_problems=(problems.UNKNOWN_BREAKER,),
    ),
    Route(
        "postGateOrder",
        "POST",
        "/v1/gates/{name}",
        lambda routes: routes.status.order_gate,
        scope="operate",
        bodies=(schemas.GATE_ORDER,),
        answers={200: "StatusAnswer"},
        own_problems=(problems.UNKNOWN_GATE, problems.GATE_NOT_SHARED),
    ),
    Route(
        "postClearing",
        "POST",
        "/v1/kept-out/clear",
        lambda routes: routes.kept_out.clear,
        scope="operate",
        bodies=(schemas.CLEARING,),
        answers={200: "ClearingAnswer"},
        own_problems=(problems.UNKNOWN_MARKET,),
    ),
    Route(
        "getOpenapi",
        "GET",
        "/openapi.json",
        lambda routes: routes.docs.openapi,
        listeners=(PUBLIC, ADMIN),
    ),
    Route("getDocs", "GET", "/docs", lambda routes: routes.docs.page),
    Route(
        "getDocsFile",
        "GET",
        "/docs/{file}",
        lambda routes: routes.docs.file,
        own_problems=(problems.NO_SUCH_FILE,),
    ),
    Route(
        "getLive",
        "GET",
        "/health/live",
        lambda routes: routes.health.live,
        listeners=(PUBLIC, ADMIN),
        has_head=True,
        answers={200: "LiveAnswer"},
    ),
    Route(
        "getReady",
        "GET",
        "/health/ready",
        lambda routes: routes.health.ready,
        listeners=(PUBLIC, ADMIN),
        has_head=True,
        answers={200: "ReadyAnswer", 503: "ReadyAnswer"},
    ),
)
