"""Build the running price service out of its settings; each part is opened on those above it.

    metrics, traces
    Redis           shared_state.opening: a client, or the embedded stand-in
    ├── caching     both cache levels, Redis' breaker, its clock and its health
    ├── ledgers     what reads every market's invalidations, by that clock
    ├── erps        the way to each environment: tokens, gates, breakers, limits
    │   └── markets     their maps and their way to a price
    └── callers     keys and tokens; the browsers' budget, behind Redis' breaker
    use cases       Loader ── Warmer ── RefreshAhead; PriceService, Explainer: all on one Basis
    routing         gives each handler what it needs; `snapshot` tells how the parts are

Everything is opened in one stack and closed in reverse order: first loads under way are
written, then callers, markets, ERPs, ledgers and caches end, and Redis last.
"""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from pricing_proxy.clock import Clock
from pricing_proxy.d365.way import PRICING, ErpWay, erp_way
from pricing_proxy.prices.ahead import RefreshAhead
from pricing_proxy.prices.basis import Basis
from pricing_proxy.prices.explaining import Explainer
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.modes import mode_policies
from pricing_proxy.prices.service import PriceService
from pricing_proxy.prices.warming import Warmer
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import CallRefusedError
from pricing_proxy.resilience.operation import CallWatch, OperationClass
from pricing_proxy.serve.caching import open_caching
from pricing_proxy.serve.callers import open_callers
from pricing_proxy.serve.key_watch import KeyWatch
from pricing_proxy.serve.ledgers import open_ledgers
from pricing_proxy.serve.markets import market_of, open_maps
from pricing_proxy.serve.parts import Engine, Parts
from pricing_proxy.serve.readiness import Readiness
from pricing_proxy.serve.routing import routes_of
from pricing_proxy.serve.worker_place import Beating, WorkerPlace
from pricing_proxy.settings import ConfigurationFiles, Settings
from pricing_proxy.shared_state.gate import Gates
from pricing_proxy.shared_state.opening import redis_client
from pricing_proxy.supervision import Supervision
from pricing_proxy.telemetry.metrics import Metrics
from pricing_proxy.telemetry.traces import traces_to
from pricing_proxy.web.app import admin_app, public_app

# What the last answers started is still written to Redis, where the other replicas find it.
_LAST_LOADS_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The running service.

    Attributes:
        public: Routes for the shop.
        admin: Routes for operators.
        readiness: Whether to send requests here; switched off before stopping.
        place: Where it stands among workers.
        key_watch: Takes changed keys; None where nobody changes them.
        metrics: What is counted, for the listeners to add to.
        supervision: How background work fares, theirs too.
    """

    public: web.Application
    admin: web.Application
    readiness: Readiness
    place: WorkerPlace
    key_watch: KeyWatch | None
    metrics: Metrics
    supervision: Supervision


@asynccontextmanager
async def application(
    settings: Settings,
    *,
    clock: Clock,
    files: ConfigurationFiles | None = None,
    place: WorkerPlace | None = None,
) -> AsyncIterator[Application]:
    """Build the service; on exit, close all in reverse.

    Args:
        settings: What to serve.
        clock: Time.
        files: Where changed keys are taken from; None where nobody changes them.
        place: Where it stands among workers; None for alone.
    """
    async with AsyncExitStack() as stack:
        parts = await _open_parts(settings, clock, files, stack, place or WorkerPlace())
        if parts.place.is_shared:
            await stack.enter_async_context(_beating(parts))
        engine = _engine(parts)
        flights = engine.loader.flights
        stack.push_async_callback(flights.aclose, patience_seconds=_LAST_LOADS_SECONDS)
        ahead = engine.ahead.watched(parts.supervision, "refreshing ahead")
        await stack.enter_async_context(ahead)
        routes = routes_of(parts, engine)
        service, limit = settings.service, settings.service.body_limit_kb * 1024
        yield Application(
            public=public_app(
                routes,
                body_limit_bytes=limit,
                traces=parts.traces,
                is_leaving=lambda: parts.readiness.is_stopping,
            ),
            admin=admin_app(routes, body_limit_bytes=limit, host_names=service.admin.open_names),
            readiness=parts.readiness,
            place=parts.place,
            key_watch=parts.callers.watch,
            metrics=parts.metrics,
            supervision=parts.supervision,
        )


async def _open_parts(
    settings: Settings,
    clock: Clock,
    files: ConfigurationFiles | None,
    stack: AsyncExitStack,
    place: WorkerPlace,
) -> Parts:
    supervision = (metrics := Metrics()).watch_background()
    traces = stack.enter_context(traces_to(settings.telemetry, service="pricing-proxy"))
    redis = await stack.enter_async_context(redis_client(settings.redis))
    caching = await stack.enter_async_context(
        open_caching(settings, redis, clock=clock, supervision=supervision)
    )
    ledgers = await stack.enter_async_context(
        open_ledgers(settings, redis, caching=caching, clock=clock, supervision=supervision)
    )
    gates = Gates(redis, clock, supervision)
    erps = await _open_erps(settings, gates, metrics.watch_calls(traces), stack)
    metrics.watch_certificates({name: erp.certificate_ends_at for name, erp in erps.items()})
    callers = await stack.enter_async_context(
        open_callers(
            settings, redis, files=files, caching=caching, clock=clock, supervision=supervision
        )
    )
    maps = await open_maps(settings, erps, redis, clock, stack, supervision=supervision)
    return Parts(
        settings=settings,
        clock=clock,
        supervision=supervision,
        metrics=metrics,
        traces=traces,
        caching=caching,
        ledgers=ledgers,
        erps=erps,
        maps=maps,
        markets={code: market_of(settings, code, erps, maps[code], clock) for code in maps},
        callers=callers,
        readiness=Readiness(maps, place),
        place=place,
    )


def _beating(parts: Parts) -> Beating:
    beating = Beating(parts.place, parts.readiness.state)
    return beating.watched(parts.supervision, "telling the other workers")


async def _open_erps(
    settings: Settings, gates: Gates, watch: CallWatch, stack: AsyncExitStack
) -> dict[str, ErpWay]:
    return {
        name: await stack.enter_async_context(
            erp_way(name, environment, PRICING, gates=gates, watch=watch)
        )
        for name, environment in settings.environments.items()
    }


def _engine(parts: Parts) -> Engine:
    ms = parts.settings.service
    basis = Basis(
        markets=parts.markets,
        modes=mode_policies(browse_ms=ms.browse_ms, cart_ms=ms.cart_ms, checkout_ms=ms.checkout_ms),
        memory=parts.caching.memory,
        store=parts.caching.store,
        invalidations=parts.ledgers.invalidations,
        is_verified=parts.ledgers.is_verified,
        clock=parts.clock,
        watch=parts.caching.watch,
        draw=random.random,
    )
    loader = Loader(basis, budget=parts.callers.budget, opens_in_us=partial(_opens_in_us, parts))
    warmer = Warmer(
        basis, loader=loader, marks=parts.caching.marks, is_well=partial(_is_well, parts)
    )
    return Engine(
        loader=loader,
        warmer=warmer,
        ahead=RefreshAhead(basis, warmer=warmer),
        service=PriceService(basis, loader=loader, warmer=warmer),
        explainer=Explainer(basis, loader=loader, refusal=partial(_refusal, parts)),
    )


def _refusal(
    parts: Parts, market: str, ticket: Ticket, deadline: Deadline
) -> CallRefusedError | None:
    policy = parts.erp_of(market).policy
    return policy.refusal(OperationClass.PRICE_READ, ticket, deadline=deadline)


def _opens_in_us(parts: Parts, market: str) -> int:
    calls, _ = parts.erp_of(market).gates
    return calls.view().opens_in_us


def _is_well(parts: Parts, market: str) -> bool:
    return parts.erp_of(market).policy.is_well(OperationClass.PRICE_READ)
