"""Run all checks of a configuration, and keep what they found."""

import asyncio

from pricing_proxy.check.market import MASTER_DATA_ROWS, CheckedMarket, MasterDataChecks
from pricing_proxy.check.prices import PRICE_ROWS, Prices
from pricing_proxy.clock import Clock
from pricing_proxy.diagnosis.board import Board
from pricing_proxy.diagnosis.direct_calls import DirectErp, Patience
from pricing_proxy.diagnosis.environment import EnvironmentCheck
from pricing_proxy.diagnosis.exposure import REDIS_LINE, redis_line, this_machine
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.redis_row import check_redis
from pricing_proxy.diagnosis.report import Progress, Report
from pricing_proxy.diagnosis.steps import Steps
from pricing_proxy.settings import Settings
from pricing_proxy.shared_state.redis_watch import SERVICE_KEYS

_REDIS = "Redis answers"
_EMBEDDED = "each process keeps prices alone, and forgets them when it ends"


async def run_checks(
    settings: Settings, *, clock: Clock, limits: Limits, on_progress: Progress
) -> Report:
    """Return what works; environments are checked side by side."""
    checks = [
        EnvironmentCheck(
            name,
            environment,
            "pricing",
            {
                code: _MarketRows(settings, code, on_progress)
                for code, market in settings.markets.items()
                if market.environment == name
            },
            limits=limits,
            on_progress=on_progress,
        )
        for name, environment in settings.environments.items()
    ]
    patience = Patience.of(limits, clock)
    async with asyncio.TaskGroup() as group:
        redis = group.create_task(
            check_redis(settings.redis, embedded=_EMBEDDED, clock=clock, keys=SERVICE_KEYS)
        )
        for check in checks:
            group.create_task(check.run(patience))
    kept = Board("Redis", (_REDIS, REDIS_LINE))
    kept.put(_REDIS, redis.result())
    kept.put(REDIS_LINE, redis_line(settings.redis))
    boards = [this_machine(), kept, *(board for check in checks for board in check.boards)]
    return Report(boards, any(check.is_stuck for check in checks))


class _MarketRows:
    """What is asked about a market; a `MarketCheck`."""

    rows = (*MASTER_DATA_ROWS, *PRICE_ROWS)

    def __init__(self, settings: Settings, code: str, on_progress: Progress) -> None:
        self._settings = settings
        self._code = code
        self._say = on_progress

    async def check(self, way: DirectErp, steps: Steps) -> None:
        """Write the rows."""
        market = self._settings.markets[self._code]
        checked = CheckedMarket(
            code=self._code,
            market=market,
            environment=self._settings.environments[market.environment],
            erp=way,
            clock=way.patience.clock,
        )
        master = MasterDataChecks(checked, steps=steps)
        self._say(f"{self._code}: company and catalog")
        await master.run()
        self._say(f"{self._code}: prices")
        await Prices(checked, master, steps=steps).run()
