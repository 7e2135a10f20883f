"""Gather what a decision about stored prices rests on, besides the prices themselves."""

from pricing_proxy.clock import Clock
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.prices.page import Knowledge
from pricing_proxy.prices.ports import Verification
from pricing_proxy.prices.query import PriceQuery


def known_now(
    query: PriceQuery, *, clock: Clock, invalidations: Invalidations, verification: Verification
) -> Knowledge:
    """Return what is known right now about a query's prices."""
    price_group = query.customer.price_group if query.customer is not None else ""
    return Knowledge(
        now_us=clock.monotonic_us(),
        marks=invalidations.of_context(query.market, query.account, price_group),
        is_verified=verification.is_verified(query.market),
    )
