"""Build the running price service out of its settings; the only module that connects the parts.

Everything is opened in one stack and closed in reverse order. What the parts tell about
themselves is collected in `snapshot`.
"""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from aiohttp import web
from redis.asyncio import Redis

from pricing_proxy.cache_access import Caching, open_caching
from pricing_proxy.callers import Callers, open_callers
from pricing_proxy.clock import Clock
from pricing_proxy.configuration.markets import Freshness
from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.domain.lifetime import Lifetimes, erp_day
from pricing_proxy.erp_access import ErpAccess, erp_access
from pricing_proxy.key_watch import KeyWatch
from pricing_proxy.prices.failures import FailureMemory
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.master_data import MarketMaps
from pricing_proxy.prices.modes import mode_policies
from pricing_proxy.prices.service import PriceService
from pricing_proxy.prices.sources.fo_master_data import FoMasterData
from pricing_proxy.prices.sources.fo_service import FoServiceSource
from pricing_proxy.prices.warming import Warmer
from pricing_proxy.readiness import Readiness
from pricing_proxy.redis_access import redis_client
from pricing_proxy.settings import ConfigurationFiles, Settings, Telemetry, is_loopback
from pricing_proxy.shared_state.maps import SharedMaps
from pricing_proxy.snapshot import Snapshot
from pricing_proxy.telemetry.metrics import Metrics
from pricing_proxy.telemetry.traces import Traces, traces_to
from pricing_proxy.web.app import Routes, admin_app, public_app
from pricing_proxy.web.docs import DocsRoutes
from pricing_proxy.web.health import HealthRoutes
from pricing_proxy.web.invalidations import InvalidationRoutes
from pricing_proxy.web.login import LoginRoutes
from pricing_proxy.web.meters import PriceMeter
from pricing_proxy.web.prices import PriceRoutes
from pricing_proxy.web.status import StatusRoutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """The running service.

    Attributes:
        public: Routes for the shop.
        admin: Routes for operators.
        readiness: Whether to send requests here; switched off before stopping.
        key_watch: Takes changed keys; None where nobody changes them.
    """

    public: web.Application
    admin: web.Application
    readiness: Readiness
    key_watch: KeyWatch | None


@asynccontextmanager
async def application(
    settings: Settings, *, clock: Clock, files: ConfigurationFiles | None = None
) -> AsyncIterator[Application]:
    """Build the service, which takes changed keys from `files`; on exit, close all in reverse."""
    async with AsyncExitStack() as stack:
        parts = await _open_parts(settings, clock, files, stack)
        engine = _engine(parts)
        stack.push_async_callback(engine.loader.flights.aclose)
        routes = _routes(parts, engine)
        limit = settings.service.body_limit_kb * 1024
        yield Application(
            public=public_app(routes, body_limit_bytes=limit, traces=parts.traces),
            admin=admin_app(routes, body_limit_bytes=limit),
            readiness=parts.readiness,
            key_watch=parts.callers.watch,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What is opened once and shared by everything above."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    traces: Traces
    caching: Caching
    erps: Mapping[str, ErpAccess]
    maps: Mapping[str, MarketMaps]
    markets: Mapping[str, Market]
    callers: Callers
    readiness: Readiness


@dataclass(frozen=True, slots=True, kw_only=True)
class _Engine:
    """The use cases."""

    invalidations: Invalidations
    loader: Loader
    warmer: Warmer
    service: PriceService


async def _open_parts(
    settings: Settings, clock: Clock, files: ConfigurationFiles | None, stack: AsyncExitStack
) -> _Parts:
    metrics = Metrics()
    traces = stack.enter_context(_traces(settings.telemetry))
    redis = await stack.enter_async_context(redis_client(settings.redis))
    caching = await stack.enter_async_context(open_caching(settings, redis, clock=clock))
    erps = {
        name: await stack.enter_async_context(
            erp_access(name, environment, redis=redis, clock=clock, metrics=metrics, traces=traces)
        )
        for name, environment in settings.environments.items()
    }
    maps = await _open_maps(settings, erps, redis, clock, stack)
    return _Parts(
        settings=settings,
        clock=clock,
        metrics=metrics,
        traces=traces,
        caching=caching,
        erps=erps,
        maps=maps,
        markets={
            code: _market(settings, code, erps[market.environment], maps[code], clock)
            for code, market in settings.markets.items()
        },
        callers=await stack.enter_async_context(
            open_callers(settings, redis, files=files, guard=caching.guard, clock=clock)
        ),
        readiness=Readiness(maps),
    )


def _traces(told: Telemetry) -> Traces:
    ratio = told.trace_sample_ratio
    return traces_to(told.otlp_endpoint, service="pricing-proxy", sample_ratio=ratio)


async def _open_maps(
    settings: Settings,
    erps: Mapping[str, ErpAccess],
    redis: Redis,
    clock: Clock,
    stack: AsyncExitStack,
) -> dict[str, MarketMaps]:
    kept = SharedMaps(redis)
    maps = {}
    for code, market in settings.markets.items():
        reader = FoMasterData(
            erps[market.environment].client,
            company=market.legal_entity,
            decimals=market.price_decimals,
            clock=clock,
        )
        maps[code] = await stack.enter_async_context(
            MarketMaps(
                code,
                reader=reader,
                kept=kept,
                clock=clock,
                refresh_every=timedelta(seconds=settings.service.maps_refresh_seconds),
                seeds=market.magento_customers,
            )
        )
    return maps


def _market(
    settings: Settings, code: str, erp: ErpAccess, maps: MarketMaps, clock: Clock
) -> Market:
    market = settings.markets[code]
    environment = settings.environments[market.environment]
    zone = ZoneInfo(environment.time_zone)
    return Market(
        code=code,
        currency=market.currency,
        currencies=frozenset({market.currency, *market.currencies}),
        company_currency=market.company_currency or market.currency,
        tax_included=market.tax_included,
        decimals=market.price_decimals,
        erp_zone=zone,
        lifetimes=_lifetimes(market.freshness),
        lease_us=market.freshness.lease_seconds * SECOND_US,
        source=FoServiceSource(
            erp.client,
            company=market.legal_entity,
            today=lambda: erp_day(clock.utc(), zone),
            max_lines=environment.max_lines_per_call,
        ),
        master=maps,
    )


def _lifetimes(freshness: Freshness) -> Lifetimes:
    return Lifetimes(
        soft_us=freshness.soft_seconds * SECOND_US,
        hard_us=freshness.hard_seconds * SECOND_US,
        max_us=freshness.max_seconds * SECOND_US,
        no_price_us=freshness.no_price_soft_seconds * SECOND_US,
    )


def _engine(parts: _Parts) -> _Engine:
    clock, markets, caching = parts.clock, parts.markets, parts.caching
    invalidations = Invalidations(
        shared_us=caching.heartbeat.shared_us,
        keep_us=max(market.lifetimes.max_us for market in markets.values()),
    )
    loader = Loader(
        markets=markets,
        cache=caching.tiered,
        invalidations=invalidations,
        verification=caching.heartbeat,
        failures=FailureMemory(now_us=clock.monotonic_us, draw=random.random),
        clock=clock,
        draw=random.random,
        budget=parts.callers.budget,
    )
    warmer = Warmer(markets=markets, cache=caching.tiered, loader=loader, clock=clock)
    times = parts.settings.service
    service = PriceService(
        markets=markets,
        modes=mode_policies(
            browse_ms=times.browse_ms, cart_ms=times.cart_ms, checkout_ms=times.checkout_ms
        ),
        cache=caching.tiered,
        loader=loader,
        invalidations=invalidations,
        verification=caching.heartbeat,
        warmer=warmer,
        clock=clock,
    )
    return _Engine(invalidations=invalidations, loader=loader, warmer=warmer, service=service)


def _routes(parts: _Parts, engine: _Engine) -> Routes:
    markets, access, metrics, clock = (
        parts.markets,
        parts.callers.access,
        parts.metrics,
        parts.clock,
    )
    return Routes(
        prices=PriceRoutes(
            service=engine.service,
            markets=markets,
            access=access,
            meter=PriceMeter(metrics),
            clock=clock,
        ),
        browsers=parts.callers.browsers,
        login=LoginRoutes(warmer=engine.warmer, markets=markets, access=access),
        health=HealthRoutes(parts.readiness.obstacles),
        docs=DocsRoutes(),
        invalidations=InvalidationRoutes(
            invalidations=engine.invalidations,
            markets=markets,
            access=access,
            metrics=metrics,
            clock=clock,
        ),
        status=_status_routes(parts, engine),
    )


def _status_routes(parts: _Parts, engine: _Engine) -> StatusRoutes:
    snapshot = Snapshot(
        settings=parts.settings,
        clock=parts.clock,
        readiness=parts.readiness,
        maps=parts.maps,
        policies={name: erp.policy for name, erp in parts.erps.items()},
        caching=parts.caching,
        loader=engine.loader,
        access=parts.callers.access,
        keys_report=parts.callers.keys_report,
        metrics=parts.metrics,
    )
    parts.metrics.read_when_scraped(snapshot.readers())
    return StatusRoutes(
        snapshot=snapshot.take,
        metrics=parts.metrics,
        breakers={name: b for erp in parts.erps.values() for name, b in erp.breakers.items()},
        access=parts.callers.access,
        is_open=is_loopback(parts.settings.service.admin.host),
    )
