"""Each row of the freshness table, as each mode sees it through the service."""

import asyncio

import pytest

from pricing_proxy.domain.freshness import Level, Mode, State
from pricing_proxy.domain.lifetime import Lifetimes
from pricing_proxy.domain.price import NoPrice, NoPriceReason
from pricing_proxy.prices.query import QuotedLine
from pricing_proxy.resilience.call_class import CallClass
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from tests.fakes.erp import outage_of
from tests.fakes.price_world import PriceWorld, context_of, key_of, price_service

ERP_AWAY = outage_of(UpstreamUnavailableError)
BOTH_SHOPPING_MODES = pytest.mark.parametrize("mode", [Mode.BROWSE, Mode.CART])


def unit_price(line: QuotedLine) -> str:
    assert line.entry is not None
    return line.entry.fragment.split('"unit_price":"')[1].split('"')[0]


async def aged(seconds: float) -> PriceWorld:
    """Return a world whose only price was read so long ago, and is another one by now."""
    world = price_service()
    await world.load("S-1")
    began = world.now_us
    world.erp.set_price("C-1", "S-1", "77")
    # Loading took its latency, and age counts from when the read began.
    await asyncio.sleep(seconds - world.erp.latency_seconds)
    assert world.now_us > began
    return world


@BOTH_SHOPPING_MODES
async def test_a_fresh_price_is_served_from_memory(mode: Mode) -> None:
    world = await aged(299)
    before_us = world.now_us
    line = await world.ask_one(mode=mode)
    assert (line.state, line.is_served, line.is_verified) == (State.FRESH, True, True)
    assert (unit_price(line), line.level) == ("1.0001", "l1")
    assert world.now_us == before_us
    assert (world.erp.batches, world.redis.reads) == ([], 0)


async def test_a_checkout_serves_what_was_read_two_seconds_ago() -> None:
    world = await aged(2)
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served, unit_price(line)) == (State.FRESH, True, "1.0001")
    assert world.erp.batches == []


async def test_a_checkout_reads_again_what_is_older_than_two_seconds() -> None:
    world = await aged(2.001)
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served, line.is_verified) == (State.FRESH, True, True)
    assert (unit_price(line), line.level) == ("77.0000", "source")
    assert [batch.klass for batch in world.erp.batches] == [CallClass.CHECKOUT]


@pytest.mark.parametrize("age", [300, 3599])
async def test_browse_serves_a_soft_stale_price_and_refreshes_behind(age: float) -> None:
    world = await aged(age)
    before_us = world.now_us
    line = await world.ask_one()
    assert (line.state, line.is_served, line.is_verified) == (State.STALE_SOFT, True, True)
    assert (unit_price(line), world.now_us) == ("1.0001", before_us)
    await world.settle()
    assert [batch.klass for batch in world.erp.batches] == [CallClass.REFRESH]
    assert unit_price(await world.ask_one()) == "77.0000"


async def test_a_cart_waits_for_the_refresh_of_a_soft_stale_price() -> None:
    world = await aged(301)
    line = await world.ask_one(mode=Mode.CART)
    assert (line.state, unit_price(line)) == (State.FRESH, "77.0000")


async def test_a_cart_flags_a_soft_stale_price_after_600_ms() -> None:
    world = await aged(301)
    world.erp.latency_seconds = 0.7
    before_us = world.now_us
    line = await world.ask_one(mode=Mode.CART)
    assert (line.state, line.is_served, unit_price(line)) == (State.STALE_SOFT, True, "1.0001")
    assert world.now_us == before_us + 600_000
    await world.settle()
    assert unit_price(await world.ask_one(mode=Mode.CART)) == "77.0000"


async def test_a_checkout_does_not_bind_with_a_soft_stale_price() -> None:
    world = await aged(301)
    world.erp.outage = ERP_AWAY
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served) == (State.STALE_SOFT, False)
    assert unit_price(line) == "1.0001"
    assert line.reason == "erp_unavailable"


async def test_browse_flags_an_unverified_price_and_refreshes_behind() -> None:
    world = await aged(10)
    world.lose_redis()
    line = await world.ask_one()
    assert (line.state, line.is_served, line.is_verified) == (State.UNVERIFIED, True, False)
    assert unit_price(line) == "1.0001"
    await world.settle()
    assert [batch.klass for batch in world.erp.batches] == [CallClass.REFRESH]


async def test_browse_does_not_refresh_what_was_read_within_the_lease() -> None:
    """While Redis is away everything is unverified; reading more often than that is in vain."""
    world = await aged(4.9)
    world.lose_redis()
    line = await world.ask_one()
    assert (line.state, line.is_served) == (State.UNVERIFIED, True)
    await world.settle()
    assert world.erp.batches == []


async def test_a_cart_without_redis_reads_once_and_flags_the_new_price() -> None:
    """Reading again would give another unverified price, and three times the load."""
    world = await aged(10)
    world.lose_redis()
    line = await world.ask_one(mode=Mode.CART)
    assert (line.state, line.is_served, line.is_verified) == (State.UNVERIFIED, True, False)
    assert unit_price(line) == "77.0000"
    assert len(world.erp.batches) == 1


async def test_a_cart_in_doubt_does_not_take_the_price_that_redis_holds_for_news() -> None:
    """Redis answers reads, but its invalidations were not heard of within the lease."""
    world = await aged(10)
    world.verification.verified = False
    line = await world.ask_one(mode=Mode.CART)
    assert (line.state, unit_price(line)) == (State.UNVERIFIED, "77.0000")
    assert len(world.erp.batches) == 1


async def test_a_refresh_in_doubt_asks_the_erp_and_not_redis() -> None:
    world = await aged(10)
    world.verification.verified = False
    await world.ask_one()
    await world.settle()
    assert len(world.erp.batches) == 1
    assert unit_price(await world.ask_one()) == "77.0000"


async def test_a_cart_without_redis_and_with_a_slow_erp_flags_after_600_ms() -> None:
    world = await aged(10)
    world.lose_redis()
    world.erp.latency_seconds = 5
    before_us = world.now_us
    line = await world.ask_one(mode=Mode.CART)
    assert (line.state, line.is_served, unit_price(line)) == (State.UNVERIFIED, True, "1.0001")
    assert world.now_us == before_us + 600_000


async def test_a_checkout_without_redis_binds_with_a_read_of_its_own() -> None:
    world = await aged(0.5)
    world.lose_redis()
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served, line.is_verified) == (State.FRESH, True, True)
    assert unit_price(line) == "77.0000"
    assert len(world.erp.batches) == 1


async def test_a_checkout_in_doubt_does_not_circle_around_a_recent_price_in_redis() -> None:
    """It is recent enough for a verified checkout, but this one needs a read of its own."""
    world = await aged(1)
    world.verification.verified = False
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served, unit_price(line)) == (State.FRESH, True, "77.0000")
    assert len(world.erp.batches) == 1


@BOTH_SHOPPING_MODES
async def test_a_hard_stale_price_is_replaced_while_the_erp_is_well(mode: Mode) -> None:
    world = await aged(3600)
    line = await world.ask_one(mode=mode)
    assert (line.state, unit_price(line)) == (State.FRESH, "77.0000")


@BOTH_SHOPPING_MODES
@pytest.mark.parametrize("age", [3600, 80_000])
async def test_a_hard_stale_price_stands_in_flagged_while_the_erp_fails(
    mode: Mode, age: float
) -> None:
    world = await aged(age)
    world.erp.outage = ERP_AWAY
    line = await world.ask_one(mode=mode)
    assert (line.state, line.is_served, line.is_verified) == (State.STALE_HARD, True, False)
    assert unit_price(line) == "1.0001"
    assert len(world.erp.batches) == 1


@BOTH_SHOPPING_MODES
async def test_within_the_pause_after_a_failure_it_stands_in_without_a_call(mode: Mode) -> None:
    world = await aged(3600)
    world.erp.outage = ERP_AWAY
    await world.ask_one(mode=mode)
    before_us = world.now_us
    line = await world.ask_one(mode=mode)
    assert (line.state, line.is_served) == (State.STALE_HARD, True)
    assert (len(world.erp.batches), world.now_us) == (1, before_us)


@BOTH_SHOPPING_MODES
async def test_a_softly_invalidated_price_stands_in_only_when_a_load_failed(mode: Mode) -> None:
    world = await aged(10)
    world.invalidate(level=Level.SOFT)
    line = await world.ask_one(mode=mode)
    assert (line.state, unit_price(line)) == (State.FRESH, "77.0000")
    world.invalidate(level=Level.SOFT)
    world.erp.outage = ERP_AWAY
    line = await world.ask_one(mode=mode)
    assert (line.state, line.is_served, unit_price(line)) == (State.STALE_HARD, True, "77.0000")


async def test_a_checkout_names_a_hard_stale_price_only_as_last_known() -> None:
    world = await aged(3600)
    world.erp.outage = ERP_AWAY
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served, unit_price(line)) == (State.STALE_HARD, False, "1.0001")


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("is_invalidated", [True, False])
async def test_an_expired_price_is_as_good_as_none(mode: Mode, *, is_invalidated: bool) -> None:
    world = await aged(10 if is_invalidated else 24 * 3600)
    if is_invalidated:
        world.invalidate(level=Level.HARD)
    world.erp.outage = ERP_AWAY
    line = await world.ask_one(mode=mode)
    assert (line.state, line.is_served, line.entry) == (State.ABSENT, False, None)
    assert line.reason == "erp_unavailable"


@pytest.mark.parametrize("mode", Mode)
async def test_an_absent_price_is_loaded(mode: Mode) -> None:
    world = price_service()
    line = await world.ask_one(mode=mode)
    assert (line.state, line.is_served, line.is_verified) == (State.FRESH, True, True)
    assert (unit_price(line), line.level) == ("1.0001", "source")


@BOTH_SHOPPING_MODES
async def test_no_price_is_believed_for_a_minute(mode: Mode) -> None:
    world = price_service()
    world.erp.without_price["S-1"] = NoPrice(NoPriceReason.NOT_PRICED)
    await world.load("S-1")
    del world.erp.without_price["S-1"]
    line = await world.ask_one(mode=mode)
    assert (line.state, line.is_served, line.is_verified) == (State.NO_PRICE, True, True)
    await asyncio.sleep(59.9)
    assert (await world.ask_one(mode=mode)).state is State.NO_PRICE
    assert world.erp.batches == []
    await asyncio.sleep(0.1)
    line = await world.ask_one(mode=mode)
    assert (line.state, unit_price(line)) == (State.FRESH, "1.0001")


@pytest.mark.parametrize("age", [0.5, 30])
async def test_a_checkout_asks_again_whether_there_is_no_price(age: float) -> None:
    """Also when Redis holds that answer, from a moment ago."""
    world = price_service()
    world.erp.without_price["S-1"] = NoPrice(NoPriceReason.NOT_SOLD)
    await world.load("S-1")
    await asyncio.sleep(age)
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served, line.level) == (State.NO_PRICE, True, "source")
    assert len(world.erp.batches) == 1
    del world.erp.without_price["S-1"]
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served) == (State.FRESH, True)


@pytest.mark.parametrize("mode", Mode)
async def test_a_price_found_in_redis_is_judged_by_the_same_table(mode: Mode) -> None:
    """Another process read it; this one has never seen it."""
    first = price_service()
    await first.load("S-1")
    await asyncio.sleep(1)
    second = price_service(redis=first.redis)
    line = await second.ask_one(mode=mode)
    assert (line.state, line.is_served, line.level) == (State.FRESH, True, "l2")
    assert second.erp.batches == []
    assert context_of() in first.redis.values
    assert key_of() in second.cache.shelf(context_of())


@pytest.mark.parametrize(
    ("age", "mode", "state", "price"),
    [
        (301, Mode.BROWSE, State.STALE_SOFT, "1.0001"),
        (301, Mode.CART, State.FRESH, "77.0000"),
        (10, Mode.CHECKOUT, State.FRESH, "77.0000"),
        (3700, Mode.BROWSE, State.FRESH, "77.0000"),
    ],
)
async def test_an_old_price_found_in_redis_is_read_anew(
    age: float, mode: Mode, state: State, price: str
) -> None:
    first = await aged(age)
    second = price_service(redis=first.redis, erp=first.erp)
    line = await second.ask_one(mode=mode)
    assert (line.state, unit_price(line)) == (state, price)
    await second.settle()
    assert len(first.erp.batches) == 1


async def test_a_price_from_redis_stands_in_when_memory_forgot_it() -> None:
    first = await aged(3700)
    second = price_service(redis=first.redis)
    second.erp.outage = ERP_AWAY
    line = await second.ask_one()
    assert (line.state, line.is_served, line.level) == (State.STALE_HARD, True, "l2")


async def test_a_clock_of_redis_that_stepped_back_makes_prices_soft_stale() -> None:
    """Such a price is served and replaced; it never keeps the new one out."""
    first = await aged(10)
    first.redis.clock_offset_us -= 3600 * 1_000_000
    second = price_service(redis=first.redis, erp=first.erp)
    line = await second.ask_one()
    assert (line.state, line.is_served, unit_price(line)) == (State.STALE_SOFT, True, "1.0001")
    await second.settle()
    line = await second.ask_one()
    assert (line.state, unit_price(line)) == (State.FRESH, "77.0000")
    assert len(first.erp.batches) == 1


async def test_a_price_that_ends_with_the_day_is_read_again_after_midnight() -> None:
    """A price whose source knows no dates is trusted until the ERP's midnight."""
    world = price_service(lifetimes=Lifetimes(soft_us=10**12, hard_us=10**12, max_us=10**12))
    midnight = 15.5 * 3600  # 23:00 UTC in November, seen from 07:30
    await asyncio.sleep(midnight - 1)
    await world.load("S-1")
    assert (await world.ask_one()).state is State.FRESH
    world.erp.set_price("C-1", "S-1", "77")
    await asyncio.sleep(1)
    assert unit_price(await world.ask_one()) == "77.0000"


async def test_a_read_across_midnight_is_repeated() -> None:
    """It began on the old day, so it ends with it."""
    world = price_service()
    await asyncio.sleep(15.5 * 3600 - 0.03)
    line = await world.ask_one(mode=Mode.CART)
    assert (line.state, unit_price(line)) == (State.FRESH, "1.0001")
    assert len(world.erp.batches) == 2


async def test_jitter_spreads_the_refreshing_of_prices_that_were_read_together() -> None:
    world = price_service()
    world.dice.number = 0.5
    await world.load("S-1")
    await asyncio.sleep(286)
    assert (await world.ask_one()).state is State.STALE_SOFT
