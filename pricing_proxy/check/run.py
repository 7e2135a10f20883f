"""Run all checks of a configuration, and keep what they found."""

import asyncio

from pricing_proxy.check.environment import EnvironmentCheck
from pricing_proxy.clock import Clock
from pricing_proxy.diagnosis.board import Board
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.redis_row import check_redis
from pricing_proxy.diagnosis.report import Progress, Report
from pricing_proxy.settings import Settings

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
            {code: each for code, each in settings.markets.items() if each.environment == name},
            limits=limits,
            clock=clock,
            on_progress=on_progress,
        )
        for name, environment in settings.environments.items()
    ]
    async with asyncio.TaskGroup() as group:
        redis = group.create_task(check_redis(settings.redis, embedded=_EMBEDDED, clock=clock))
        for check in checks:
            group.create_task(check.run())
    kept = Board("Redis", (_REDIS,))
    kept.put(_REDIS, redis.result())
    boards = [kept, *(board for check in checks for board in check.boards)]
    return Report(boards, any(check.is_stuck for check in checks))
