"""What the running price service is made of, as `application` hands it on."""

from collections.abc import Mapping
from dataclasses import dataclass

from pricing_proxy.clock import Clock
from pricing_proxy.d365.way import ErpWay
from pricing_proxy.prices.ahead import RefreshAhead
from pricing_proxy.prices.explaining import Explainer
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.master_data import MarketMaps
from pricing_proxy.prices.service import PriceService
from pricing_proxy.prices.warming import Warmer
from pricing_proxy.serve.caching import Caching
from pricing_proxy.serve.callers import Callers
from pricing_proxy.serve.ledgers import Ledgers
from pricing_proxy.serve.readiness import Readiness
from pricing_proxy.serve.worker_place import WorkerPlace
from pricing_proxy.settings import Settings
from pricing_proxy.supervision import Supervision
from pricing_proxy.telemetry.metrics import Metrics
from pricing_proxy.telemetry.traces import Traces


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is opened once and shared by everything above."""

    settings: Settings
    clock: Clock
    supervision: Supervision
    metrics: Metrics
    traces: Traces
    caching: Caching
    ledgers: Ledgers
    erps: Mapping[str, ErpWay]
    maps: Mapping[str, MarketMaps]
    markets: Mapping[str, Market]
    callers: Callers
    readiness: Readiness
    place: WorkerPlace

    def erp_of(self, market: str) -> ErpWay:
        """Return the way to the environment in which a market is."""
        return self.erps[self.settings.markets[market].environment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The use cases."""

    loader: Loader
    warmer: Warmer
    ahead: RefreshAhead
    service: PriceService
    explainer: Explainer
