"""Redis is for speed: without it prices are slower and flagged, never wrong or missing."""

import asyncio

import pytest

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from tests.fakes.erp import outage_of
from tests.fakes.price_world import LEASE_US, SECOND_US, context_of, key_of, price_service


async def test_a_page_reads_redis_once_and_the_erp_for_what_is_left() -> None:
    first = price_service()
    await first.load("S-1", "S-2")
    second = price_service(redis=first.redis)
    quote = await second.ask("S-1", "S-3", "S-2")
    assert [line.level for line in quote.lines] == ["l2", "source", "l2"]
    assert second.redis.reads == 1
    assert [batch.keys for batch in second.erp.batches] == [(key_of("S-3"),)]


async def test_a_page_that_redis_holds_asks_the_erp_nothing() -> None:
    first = price_service()
    await first.load("S-1", "S-2")
    second = price_service(redis=first.redis)
    await second.ask("S-1", "S-2")
    await second.settle()
    assert second.erp.batches == []
    quote = await second.ask("S-1", "S-2")
    assert [line.level for line in quote.lines] == ["l1", "l1"]


@pytest.mark.parametrize("mode", Mode)
async def test_without_redis_prices_come_from_the_erp(mode: Mode) -> None:
    world = price_service()
    world.lose_redis()
    line = await world.ask_one(mode=mode)
    assert line.is_served
    # A checkout's own read needs no word from Redis to be current; a page's is flagged.
    assert line.is_verified == (mode is Mode.CHECKOUT)
    assert len(world.erp.batches) == 1


async def test_without_redis_memory_still_answers() -> None:
    world = price_service()
    world.lose_redis()
    await world.ask_one()
    await world.settle()
    line = await world.ask_one()
    assert (line.state, line.is_served, line.level) == (State.UNVERIFIED, True, "l1")
    assert len(world.erp.batches) == 1


async def test_what_was_read_while_redis_failed_is_not_stored_there() -> None:
    """A failure must not store: it might put an old price over a newer one when it is back."""
    world = price_service()
    world.lose_redis()
    await world.ask_one()
    world.redis.is_cut = False
    await world.settle()
    assert world.redis.stored(context_of(), key_of()) is None


async def test_a_redis_that_takes_no_writes_costs_no_answer() -> None:
    world = price_service()
    world.redis.takes_no_writes = True
    line = await world.ask_one()
    await world.settle()
    assert (line.state, line.is_served) == (State.FRESH, True)
    assert (await world.ask_one()).level == "l1"


async def test_without_redis_and_erp_memory_answers_flagged() -> None:
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(100)
    world.lose_redis()
    world.erp.outage = outage_of(UpstreamUnavailableError)
    quote = await world.ask("S-1", "S-2")
    known, unknown = quote.lines
    assert (known.state, known.is_served, known.is_verified) == (State.UNVERIFIED, True, False)
    assert (unknown.is_served, unknown.reason) == (False, "erp_unavailable")
    checkout = await world.ask_one(mode=Mode.CHECKOUT)
    assert (checkout.is_served, checkout.entry is not None) == (False, True)


async def test_a_flushed_redis_is_filled_again() -> None:
    world = price_service()
    await world.load("S-1")
    world.redis.flush()
    await asyncio.sleep(301)
    await world.ask_one()
    await world.settle()
    assert world.redis.stored(context_of(), key_of()) is not None


async def test_a_slow_redis_delays_only_what_memory_does_not_hold() -> None:
    world = price_service()
    await world.load("S-1")
    world.redis.latency_seconds = 0.05
    before_us = world.now_us
    await world.ask_one("S-1")
    assert world.now_us == before_us
    await world.ask_one("S-2")
    assert world.now_us - before_us == 110_000


async def test_a_slow_redis_does_not_hold_up_the_answer_of_what_was_loaded() -> None:
    """Writing happens behind the answer."""
    world = price_service()
    asking = asyncio.ensure_future(world.ask_one())
    await asyncio.sleep(0.03)
    world.redis.latency_seconds = 10
    await asking
    assert world.redis.stored(context_of(), key_of()) is None
    await world.settle()
    assert world.redis.stored(context_of(), key_of()) is not None


async def test_prices_that_redis_holds_are_found_while_the_erp_fails_without_memory() -> None:
    """With no memory at all, also within the pause after a failure."""
    first = price_service()
    await first.load("S-1")
    await asyncio.sleep(3700)
    second = price_service(redis=first.redis, memory_bytes=0)
    second.erp.outage = outage_of(UpstreamUnavailableError)
    for _ in range(2):
        line = await second.ask_one()
        assert (line.state, line.is_served, line.level) == (State.STALE_HARD, True, "l2")
    assert len(second.erp.batches) == 1


async def test_a_pause_ends_when_another_process_has_loaded_the_price() -> None:
    first = price_service()
    first.erp.outage = outage_of(UpstreamUnavailableError)
    assert not (await first.ask_one()).is_served
    second = price_service(redis=first.redis)
    await second.load("S-1")
    line = await first.ask_one()
    assert (line.state, line.is_served, line.level) == (State.FRESH, True, "l2")


async def test_a_patient_checkout_without_redis_binds_with_nothing_older_than_the_lease() -> None:
    """What the ERP was asked for longer ago than that may have changed without word of it."""
    world = price_service()
    world.lose_redis()
    world.erp.slow = {"S-1": LEASE_US / SECOND_US, "S-2": LEASE_US / SECOND_US + 0.001}
    in_time = await world.ask_one("S-1", mode=Mode.CHECKOUT, wait_seconds=6)
    too_late = await world.ask_one("S-2", mode=Mode.CHECKOUT, wait_seconds=6)
    assert (in_time.is_served, in_time.is_verified) == (True, True)
    assert (too_late.is_served, too_late.is_verified) == (False, False)
