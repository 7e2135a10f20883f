"""The budgets of cold lines over several replicas, on fakeredis and on a real Redis."""

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from pricing_proxy.cache.cold_budget import SharedColdBudget
from pricing_proxy.clock import SystemClock
from pricing_proxy.prices.cold_budget import WINDOW_US, OwnColdBudget
from pricing_proxy.prices.query import Context
from pricing_proxy.shared_state.guard import redis_guard
from tests.cache.shared_prices import KEYS

CLOCK = SystemClock()


def replica(redis: Redis, *, per_minute: int = 10) -> SharedColdBudget:
    guard = redis_guard(CLOCK, timeout_us=5_000_000)
    own = OwnColdBudget(per_minute, clock=CLOCK)
    return SharedColdBudget(redis, keys=KEYS, guard=guard, own=own, clock=CLOCK)


@pytest.fixture
def context(unique: str) -> Context:
    return Context(unique, "C-1", "EUR")


async def test_replicas_count_together(redis: Redis, context: Context) -> None:
    one, other = replica(redis), replica(redis)

    granted = [await one.grant(context, 6), await other.grant(context, 6)]

    assert [grant.lines for grant in granted] == [6, 4]
    assert (await one.grant(context, 1)).lines == 0
    await redis.delete(KEYS.budget(context))


async def test_the_minute_ends_for_all_at_once(redis: Redis, context: Context) -> None:
    began_us = CLOCK.monotonic_us()
    first = await replica(redis).grant(context, 6)
    second = await replica(redis).grant(context, 6)

    for grant in (first, second):
        assert began_us < grant.renews_us <= CLOCK.monotonic_us() + WINDOW_US
    assert 0 < await redis.pttl(KEYS.budget(context)) <= 60_000
    await redis.delete(KEYS.budget(context))
    assert (await replica(redis).grant(context, 6)).lines == 6
    await redis.delete(KEYS.budget(context))


async def test_a_clock_that_stepped_back_makes_no_minute_longer(
    redis: Redis, context: Context
) -> None:
    """To Redis, a counter from before the step ends an hour later."""
    await replica(redis).grant(context, 10)
    await redis.expire(KEYS.budget(context), 3660)

    granted = await replica(redis).grant(context, 1)

    assert granted.renews_us <= CLOCK.monotonic_us() + WINDOW_US
    assert 0 < await redis.pttl(KEYS.budget(context)) <= 60_000
    await redis.delete(KEYS.budget(context))


async def test_another_currency_is_the_same_customer(redis: Redis, context: Context) -> None:
    await replica(redis).grant(context, 10)

    assert (await replica(redis).grant(context._replace(currency="USD"), 1)).lines == 0
    await redis.delete(KEYS.budget(context))


def test_the_counter_s_name_tells_nothing_of_the_customer() -> None:
    name = KEYS.budget(Context("b2b_de", "C-1001", "EUR"))

    assert "C-1001" not in name
    assert name != KEYS.budget(Context("b2b_de", "C-1002", "EUR"))
    assert name != KEYS.budget(Context("b2b_ch", "C-1001", "EUR"))


class _DeadRedis:
    def pipeline(self, *, transaction: bool) -> "_DeadRedis":
        assert not transaction
        raise RedisConnectionError("refused")


async def test_without_redis_a_process_counts_alone() -> None:
    budget = replica(_DeadRedis(), per_minute=10)  # type: ignore[arg-type]
    context = Context("b2b_de", "C-1", "EUR")

    granted = [(await budget.grant(context, 6)).lines for _ in range(3)]

    assert granted == [6, 4, 0]
