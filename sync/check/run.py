"""Run all checks of a configuration; nothing is started, made, written or told to others."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from pricing_proxy.clock import Clock
from pricing_proxy.diagnosis.board import Board
from pricing_proxy.diagnosis.direct_calls import Patience
from pricing_proxy.diagnosis.environment import EnvironmentCheck
from pricing_proxy.diagnosis.exposure import this_machine
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Progress, Report
from sync.check.kept import check_postgres, check_shared
from sync.check.prices import check_prices
from sync.check.sets import MarketSets
from sync.check.shop import check_shop
from sync.given import ConfiguredMarket
from sync.serve.building import configured_markets
from sync.settings import SyncSettings

# Nobody waits for the sync with a page open: it is slow from another point on than prices.
LIMITS = Limits(
    total=timedelta(seconds=30),
    erp_slow=timedelta(seconds=2),
    unsteady=timedelta(seconds=2),
)


async def run_checks(
    settings: SyncSettings, *, clock: Clock, limits: Limits, on_progress: Progress
) -> Report:
    """Return what works; the systems are checked side by side."""
    markets = configured_markets(settings)
    patience = Patience.of(limits, clock)
    checks = [
        EnvironmentCheck(
            name,
            environment,
            "sync",
            {
                code: MarketSets(market, on_progress)
                for code, market in markets.items()
                if market.section.environment == name
            },
            limits=limits,
            on_progress=on_progress,
        )
        for name, environment in settings.environments.items()
    ]
    async with asyncio.TaskGroup() as group:
        kept = group.create_task(check_postgres(settings.sync.postgres))
        shared = group.create_task(check_shared(settings.redis, clock=clock))
        shop = group.create_task(
            check_shop(
                settings.sync.magento,
                markets,
                limits=limits,
                patience=patience,
                on_progress=on_progress,
            )
        )
        prices = group.create_task(_prices(settings, markets, clock))
        for check in checks:
            group.create_task(check.run(patience))
    boards = [this_machine(), kept.result(), shared.result(), shop.result(), *prices.result()]
    boards += [board for check in checks for board in check.boards]
    return Report(boards, any(check.is_stuck for check in checks))


async def _prices(
    settings: SyncSettings, markets: Mapping[str, ConfiguredMarket], clock: Clock
) -> list[Board]:
    """Return the price service's table, where its address is given."""
    section = settings.sync.price_service
    return [] if section is None else [await check_prices(section, markets, clock=clock)]
