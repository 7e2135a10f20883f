"""Build what decides who may call: keys, tokens, the browsers' permissions and their budget."""

from dataclasses import dataclass

from redis.asyncio import Redis

from pricing_proxy.cache.cold_budget import SharedColdBudget
from pricing_proxy.clock import Clock
from pricing_proxy.configuration.api_keys import KeyRing
from pricing_proxy.prices.cold_budget import UNBOUNDED, ColdBudget, OwnColdBudget
from pricing_proxy.resilience.guard import BreakerGuard
from pricing_proxy.settings import Settings
from pricing_proxy.web.access import Access
from pricing_proxy.web.browsers import BrowserRoutes
from pricing_proxy.web.tokens import StorefrontTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """Who may call.

    Attributes:
        access: Checks each request.
        browsers: Which pages may read answers.
        budget: What browsers may have loaded from the ERP.
    """

    access: Access
    browsers: BrowserRoutes
    budget: ColdBudget


def callers(settings: Settings, redis: Redis, *, guard: BreakerGuard, clock: Clock) -> Callers:
    """Return what the settings allow.

    Args:
        settings: Keys, tokens and origins.
        redis: Where replicas count together.
        guard: Redis' breaker.
        clock: Time.
    """
    tokens = StorefrontTokens(settings.storefront, markets=settings.markets, clock=clock)
    access = Access(KeyRing(settings.api_keys), tokens=tokens, clock=clock)
    origins = {code: market.storefront_origins for code, market in settings.markets.items()}
    return Callers(
        access=access,
        browsers=BrowserRoutes(origins=origins, access=access),
        budget=_budget(settings, redis, guard, clock),
    )


def _budget(settings: Settings, redis: Redis, guard: BreakerGuard, clock: Clock) -> ColdBudget:
    if settings.storefront is None:
        return UNBOUNDED
    own = OwnColdBudget(settings.storefront.cold_skus_per_minute, clock=clock)
    return SharedColdBudget(redis, guard=guard, own=own, clock=clock)
