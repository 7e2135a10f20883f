"""Build what decides who may call: keys, tokens, the browsers' permissions and their budget."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from pricing_proxy.cache.cold_budget import SharedColdBudget
from pricing_proxy.clock import Clock
from pricing_proxy.configuration.api_keys import KeyRing
from pricing_proxy.prices.cold_budget import UNBOUNDED, ColdBudget, OwnColdBudget
from pricing_proxy.serve.caching import Caching
from pricing_proxy.serve.key_watch import KeyReport, KeyWatch
from pricing_proxy.settings import ConfigurationFiles, Settings
from pricing_proxy.supervision import Supervision
from pricing_proxy.web.access import Access
from pricing_proxy.web.browsers import BrowserRoutes
from pricing_proxy.web.tokens import StorefrontTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Who may call.

    Attributes:
        access: Checks each request.
        watch: Takes changed keys; None where there are no files to watch.
        browsers: Which pages may read answers.
        budget: What browsers may have loaded from the ERP.
    """

    access: Access
    watch: KeyWatch | None
    browsers: BrowserRoutes
    budget: ColdBudget

    def keys_report(self) -> KeyReport | None:
        """Return what became of the last change of the keys."""
        return None if self.watch is None else self.watch.report()


@asynccontextmanager
async def open_callers(
    settings: Settings,
    redis: Redis,
    *,
    files: ConfigurationFiles | None,
    caching: Caching,
    clock: Clock,
    supervision: Supervision,
) -> AsyncIterator[Callers]:
    """Build what the settings allow; on exit, end the watch over their files.

    Args:
        settings: Keys, tokens and origins.
        files: Where they came from; None for settings that nobody will change.
        redis: Where replicas count together.
        caching: Redis' breaker, and the names of what is kept.
        clock: Time.
        supervision: Told how the watch fares.
    """
    tokens = StorefrontTokens(settings.storefront, markets=settings.markets, clock=clock)
    access = Access(KeyRing(settings.api_keys), tokens=tokens, clock=clock)
    origins = {code: market.storefront_origins for code, market in settings.markets.items()}
    async with AsyncExitStack() as stack:
        watch = None
        if files is not None:
            watch = _watch(files, settings, access, clock).watched(supervision, "watch over keys")
            await stack.enter_async_context(watch)
        yield Callers(
            access=access,
            watch=watch,
            browsers=BrowserRoutes(origins=origins, access=access),
            budget=_budget(settings, redis, caching, clock),
        )


def _watch(files: ConfigurationFiles, settings: Settings, access: Access, clock: Clock) -> KeyWatch:
    def apply(changed: Settings) -> None:
        access.replace(KeyRing(changed.api_keys), changed.storefront)

    return KeyWatch(files, started=settings, apply=apply, clock=clock)


def _budget(settings: Settings, redis: Redis, caching: Caching, clock: Clock) -> ColdBudget:
    if settings.storefront is None:
        return UNBOUNDED
    own = OwnColdBudget(settings.storefront.cold_skus_per_minute, clock=clock)
    return SharedColdBudget(redis, keys=caching.keys, guard=caching.guard, own=own, clock=clock)
