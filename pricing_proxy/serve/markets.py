"""Build the markets: their rules, their maps, and their way to a price."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.markets import Freshness
from pricing_proxy.d365.way import ErpWay
from pricing_proxy.domain.freshness import SECOND_US
from pricing_proxy.domain.lifetime import Lifetimes, erp_day
from pricing_proxy.domain.price_limits import PriceLimits
from pricing_proxy.prices.market import Market
from pricing_proxy.prices.master_data import MarketMaps
from pricing_proxy.prices.sources.fo_master_data import FoMasterData
from pricing_proxy.prices.sources.fo_service import FoServiceSource
from pricing_proxy.settings import Settings
from pricing_proxy.shared_state.maps import SharedMaps
from pricing_proxy.shared_state.provenance import provenances
from pricing_proxy.supervision import Supervision


async def open_maps(
    settings: Settings,
    erps: Mapping[str, ErpWay],
    redis: Redis,
    clock: Clock,
    stack: AsyncExitStack,
    *,
    supervision: Supervision,
) -> dict[str, MarketMaps]:
    """Open every market's maps in the stack; they are read, and read again, behind it."""
    kept = SharedMaps(redis, provenances(settings.environments, settings.markets))
    maps = {}
    for code, market in settings.markets.items():
        reader = FoMasterData(
            erps[market.environment].client,
            company=market.legal_entity,
            clock=clock,
        )
        maps[code] = await stack.enter_async_context(
            MarketMaps(
                code,
                reader=reader,
                kept=kept,
                clock=clock,
                refresh_every=timedelta(seconds=settings.service.maps_refresh_seconds),
                least_percent=market.maps_least_percent,
                seeds=market.magento_customers,
            ).watched(supervision, f"maps of {code}")
        )
    return maps


def market_of(
    settings: Settings, code: str, erps: Mapping[str, ErpWay], maps: MarketMaps, clock: Clock
) -> Market:
    """Return a market as the price path knows it."""
    market = settings.markets[code]
    erp = erps[market.environment]
    environment = settings.environments[market.environment]
    zone = ZoneInfo(environment.time_zone)
    return Market(
        code=code,
        currency=market.currency,
        currencies=frozenset({market.currency, *market.currencies}),
        company_currency=market.company_currency or market.currency,
        tax_included=market.tax_included,
        decimals=market.price_decimals,
        limits=PriceLimits(lowest=market.price_limits.lowest, highest=market.price_limits.highest),
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
        shared_accounts=frozenset(market.guest_accounts),
    )


def _lifetimes(freshness: Freshness) -> Lifetimes:
    return Lifetimes(
        soft_us=freshness.soft_seconds * SECOND_US,
        hard_us=freshness.hard_seconds * SECOND_US,
        max_us=freshness.max_seconds * SECOND_US,
        no_price_us=freshness.no_price_soft_seconds * SECOND_US,
    )
