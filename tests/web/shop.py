"""Both listeners over the real price service and fakes: a shop and its operators, by HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.api_keys import ApiKey, KeyRing, Scope, hash_of
from pricing_proxy.shared_state.maps import SharedStateError
from pricing_proxy.telemetry.metrics import Metrics
from pricing_proxy.telemetry.traces import Traces
from pricing_proxy.web.access import Access
from pricing_proxy.web.browsers import BrowserRoutes
from pricing_proxy.web.docs import DocsRoutes
from pricing_proxy.web.explain import ExplainRoutes
from pricing_proxy.web.health import HealthRoutes
from pricing_proxy.web.invalidations import InvalidationRoutes
from pricing_proxy.web.kept_out import KeptOutRoutes
from pricing_proxy.web.login import LoginRoutes
from pricing_proxy.web.meters import PriceMeter
from pricing_proxy.web.openapi import openapi_document
from pricing_proxy.web.prices import PriceRoutes
from pricing_proxy.web.routes import Routes
from pricing_proxy.web.status import StatusRoutes
from pricing_proxy.web.tokens import StorefrontTokens
from tests.fakes.price_world import MARKET, PriceWorld
from tests.virtual_time import ManualClock
from tests.web.storefront import OTHER_MARKET, OTHER_PAGE, PAGE, STOREFRONT

KEY = "a key that opens everything"
READER_KEY = "a key that opens no prices"
REVOKED_KEY = "a key that was revoked"
FORGETTING_KEY = "a key that may forget everything"
BODY_LIMIT = 4096
UNTRACED = Traces(service="tests", exporter=None, sample_ratio=0.0)

_EVERY_SCOPE: tuple[Scope, ...] = ("prices", "login", "explain", "invalidate", "operate")


def _key(name: str, text: str, *scopes: Scope, revoked: bool = False) -> ApiKey:
    return ApiKey(name=name, sha256=hash_of(text), scopes=frozenset(scopes), revoked=revoked)


class FakeBreaker:
    """A breaker that remembers its orders."""

    def __init__(self) -> None:
        self.orders: list[str] = []

    def isolate(self) -> None:
        self.orders.append("isolate")

    def close(self) -> None:
        self.orders.append("close")


class FakeGate:
    """A gate that all processes share, as far as Redis answers."""

    def __init__(self) -> None:
        self.opened = 0
        self.is_redis_away = False

    async def open(self) -> None:
        self.opened += 1
        if self.is_redis_away:
            raise SharedStateError("TimeoutError")


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The running routes, and what stands behind them."""

    world: PriceWorld
    metrics: Metrics
    access: Access
    breaker: FakeBreaker
    gate: FakeGate
    operator_clock: ManualClock
    token_clock: ManualClock
    obstacles: list[str]
    public: "TestClient[Any, Any]"
    admin: "TestClient[Any, Any]"

    async def ask(
        self, *skus: str, headers: Mapping[str, str] | None = None, **members: Any
    ) -> Any:
        """Return the parsed 200 answer for some SKUs."""
        answer = await self.post(body(*skus, **members), headers=headers)
        assert answer.status == 200, await answer.text()
        return await answer.json()

    async def post(
        self, content: Any, *, path: str = "/v1/prices", headers: Mapping[str, str] | None = None
    ) -> ClientResponse:
        """Send JSON, or bytes as they are, to the public listener."""
        return await _post(self.public, content, path, headers)

    async def post_admin(
        self, content: Any, *, path: str = "/v1/invalidations", key: str = KEY
    ) -> ClientResponse:
        """The same to the admin listener."""
        return await _post(self.admin, content, path, {"X-API-Key": key})

    async def get(self, query: str, *, path: str = "/v1/prices") -> ClientResponse:
        """Ask with a query string."""
        return await self.public.get(f"{path}?{query}", headers={"X-API-Key": KEY})


async def _post(
    client: "TestClient[Any, Any]", content: Any, path: str, headers: Mapping[str, str] | None
) -> ClientResponse:
    sent = {"X-API-Key": KEY, **(headers or {})}
    if isinstance(content, bytes):
        return await client.post(path, data=content, headers=sent)
    return await client.post(path, json=content, headers=sent)


def body(*skus: str, **members: Any) -> dict[str, Any]:
    """Return a body that asks for one piece of each SKU."""
    return {
        "market": MARKET,
        "customer": "C-1",
        "lines": [{"sku": sku} for sku in skus or ("S-1",)],
        # A page that may wait: what a machine under load is slow at is not what is tested.
        "wait_ms": 2000,
        **members,
    }


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What `shop_routes` builds besides the routes."""

    routes: Routes
    metrics: Metrics
    access: Access
    breaker: FakeBreaker
    gate: FakeGate
    operator_clock: ManualClock
    token_clock: ManualClock
    obstacles: list[str]


def shop_routes(world: PriceWorld, *, traces: Traces = UNTRACED) -> Parts:
    """Build all handlers as the composition root does."""
    operator_clock, token_clock = ManualClock(), ManualClock()
    obstacles: list[str] = []
    metrics, breaker, gate = Metrics(), FakeBreaker(), FakeGate()
    markets, access = {MARKET: world.market}, _access(token_clock)
    routes = Routes(
        access=access,
        prices=PriceRoutes(
            service=world.service,
            markets=markets,
            access=access,
            meter=PriceMeter(metrics),
            traces=traces,
            clock=SystemClock(),
        ),
        browsers=BrowserRoutes(origins={MARKET: [PAGE], OTHER_MARKET: [OTHER_PAGE]}, access=access),
        login=LoginRoutes(warmer=world.warmer, markets=markets),
        health=HealthRoutes(lambda: obstacles),
        docs=DocsRoutes(openapi_document()),
        explain=_explain(world),
        invalidations=_invalidations(world, access, metrics, operator_clock),
        status=_status(metrics, breaker, gate),
        kept_out=KeptOutRoutes(failures=world.loader.failures, markets=markets),
    )
    return Parts(
        routes=routes,
        metrics=metrics,
        access=access,
        breaker=breaker,
        gate=gate,
        operator_clock=operator_clock,
        token_clock=token_clock,
        obstacles=obstacles,
    )


def _access(token_clock: ManualClock) -> Access:
    keys = KeyRing(
        [
            _key("shop", KEY, *_EVERY_SCOPE),
            _key("reader", READER_KEY, "invalidate_all_hard"),
            _key("forgetting", FORGETTING_KEY, "invalidate", "invalidate_all_hard"),
            _key("former", REVOKED_KEY, "prices", revoked=True),
        ]
    )
    tokens = StorefrontTokens(STOREFRONT, markets={MARKET, OTHER_MARKET}, clock=token_clock)
    return Access(keys, tokens=tokens, clock=SystemClock())


def _explain(world: PriceWorld) -> ExplainRoutes:
    return ExplainRoutes(
        explainer=world.explainer,
        markets={MARKET: world.market},
        guards=lambda market: {"breakers": [], "market": market},
        lease_left_us=lambda _: 4_200_000,
    )


def _invalidations(
    world: PriceWorld, access: Access, metrics: Metrics, clock: ManualClock
) -> InvalidationRoutes:
    return InvalidationRoutes(
        invalidations=world.invalidations,
        ledger=world.ledger,
        markets={MARKET: world.market},
        access=access,
        metrics=metrics,
        clock=clock,
    )


def _status(metrics: Metrics, breaker: FakeBreaker, gate: FakeGate) -> StatusRoutes:
    return StatusRoutes(
        snapshot=lambda: {"service": {}},
        metrics=metrics,
        breakers={"erp:price_read": breaker},
        gates={"erp:pricing": gate},
    )
