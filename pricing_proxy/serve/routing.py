"""Give each handler of the two listeners the parts that it needs."""

from pricing_proxy.serve.parts import Engine, Parts
from pricing_proxy.serve.readings import Readings
from pricing_proxy.serve.snapshot import Snapshot, erp_state
from pricing_proxy.settings import Service
from pricing_proxy.web.docs import DocsRoutes
from pricing_proxy.web.explain import ExplainRoutes
from pricing_proxy.web.health import HealthRoutes
from pricing_proxy.web.invalidations import InvalidationRoutes
from pricing_proxy.web.kept_out import KeptOutRoutes
from pricing_proxy.web.login import LoginRoutes
from pricing_proxy.web.meters import PriceMeter
from pricing_proxy.web.openapi import openapi_document
from pricing_proxy.web.prices import PriceRoutes
from pricing_proxy.web.routes import ADMIN, PUBLIC, Routes
from pricing_proxy.web.status import StatusRoutes


def routes_of(parts: Parts, engine: Engine) -> Routes:
    """Return all handlers."""
    markets, access = parts.markets, parts.callers.access
    metrics, clock = parts.metrics, parts.clock
    return Routes(
        access=access,
        prices=PriceRoutes(
            service=engine.service,
            markets=markets,
            access=access,
            meter=PriceMeter(metrics),
            traces=parts.traces,
            clock=clock,
            is_leaving=lambda: parts.readiness.is_stopping,
        ),
        browsers=parts.callers.browsers,
        login=LoginRoutes(warmer=engine.warmer, markets=markets),
        health=HealthRoutes(parts.readiness.obstacles),
        docs=DocsRoutes(openapi_document(_ports(parts.settings.service))),
        explain=_explain_routes(parts, engine),
        invalidations=InvalidationRoutes(
            invalidations=parts.ledgers.invalidations,
            ledger=parts.ledgers.writer,
            markets=markets,
            access=access,
            metrics=metrics,
            clock=clock,
        ),
        status=_status_routes(parts, engine),
        kept_out=KeptOutRoutes(failures=engine.loader.failures, markets=markets),
    )


def _ports(service: Service) -> dict[str, int]:
    return {PUBLIC: service.public.port, ADMIN: service.admin.port}


def _explain_routes(parts: Parts, engine: Engine) -> ExplainRoutes:
    return ExplainRoutes(
        explainer=engine.explainer,
        markets=parts.markets,
        guards=lambda market: erp_state(parts.erp_of(market)),
        lease_left_us=lambda market: parts.ledgers.view(market).lease_left_us,
    )


def _status_routes(parts: Parts, engine: Engine) -> StatusRoutes:
    snapshot = Snapshot(parts, engine.loader)
    parts.metrics.read_when_scraped(Readings(parts, engine.loader).all())
    return StatusRoutes(
        snapshot=snapshot.take,
        metrics=parts.metrics,
        breakers={b.name: b for erp in parts.erps.values() for b in erp.policy.breakers.values()},
        gates={name: g for erp in parts.erps.values() for name, g in erp.openers.items()},
    )
