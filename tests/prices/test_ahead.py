"""What is asked for often is read anew before it is stale, by one process, within bounds."""

import asyncio
import logging

import pytest

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.prices.query import Line
from pricing_proxy.resilience.call_class import CallClass
from tests.fakes.price_world import PriceWorld, context_of, key_of, price_service

# Four fifths of 300 s.
DUE_SECONDS = 240


async def make_hot(world: PriceWorld, *skus: str, times: int = 3, account: str = "C-1") -> None:
    """Have lines in memory, and ask for them until they are worth it."""
    await world.load(*skus, account=account)
    world.warmer.pages.clear()
    for _ in range(times):
        await world.ask(*skus, account=account)
    await world.ahead.tick()


async def pass_and_tick(world: PriceWorld, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await world.ahead.tick()
    await world.settle()


async def test_what_was_asked_for_three_times_is_loaded_before_it_is_stale() -> None:
    world = price_service()
    await make_hot(world, "S-1")
    await pass_and_tick(world, DUE_SECONDS - 1)
    assert world.erp.batches == []
    await pass_and_tick(world, 2)
    assert [batch.klass for batch in world.erp.batches] == [CallClass.REFRESH]
    await asyncio.sleep(100)
    line = await world.ask_one()
    assert (line.state, line.level) == (State.FRESH, "l1")


async def test_what_was_asked_for_twice_is_left_to_the_next_page() -> None:
    world = price_service()
    await make_hot(world, "S-1", times=2)
    await pass_and_tick(world, DUE_SECONDS + 1)
    assert world.erp.batches == []


async def test_what_nobody_asks_for_any_more_is_loaded_once_and_then_left_alone() -> None:
    world = price_service()
    await make_hot(world, "S-1")
    for _ in range(10):
        await pass_and_tick(world, DUE_SECONDS)
    assert len(world.erp.batches) == 1


async def test_what_was_loaded_meanwhile_is_not_loaded_again() -> None:
    world = price_service()
    await make_hot(world, "S-1")
    await asyncio.sleep(200)
    world.invalidate()
    await world.ask_one()
    await world.settle()
    world.erp.batches.clear()
    await pass_and_tick(world, DUE_SECONDS - 199)
    assert world.erp.batches == []


async def test_what_is_stale_already_is_left_to_the_next_page() -> None:
    world = price_service()
    await make_hot(world, "S-1")
    await pass_and_tick(world, 301)
    assert world.erp.batches == []


async def test_what_left_the_catalog_is_not_loaded() -> None:
    world = price_service()
    await make_hot(world, "S-1")
    world.master.catalog = None
    await pass_and_tick(world, DUE_SECONDS + 1)
    assert world.erp.batches == []


async def test_a_customer_who_left_is_not_loaded() -> None:
    world = price_service()
    await make_hot(world, "S-1")
    del world.master.everybody["C-1"]
    await pass_and_tick(world, DUE_SECONDS + 1)
    assert world.erp.batches == []


async def test_nothing_is_loaded_ahead_while_the_erp_is_in_trouble() -> None:
    world = price_service()
    await make_hot(world, "S-1")
    world.health.well = False
    await pass_and_tick(world, DUE_SECONDS + 1)
    assert world.erp.batches == []


async def test_at_most_four_loads_begin_within_a_second() -> None:
    accounts = [f"C-{number}" for number in range(1, 7)]
    world = price_service(accounts=accounts)
    for account in accounts:
        await make_hot(world, "S-1", "S-2", account=account)
    await pass_and_tick(world, DUE_SECONDS + 1)
    assert [len(batch.keys) for batch in world.erp.batches] == [2] * 4
    await pass_and_tick(world, 1)
    assert {batch.account for batch in world.erp.batches} == set(accounts)


async def test_unknown_and_unloaded_lines_do_not_count() -> None:
    world = price_service()
    for _ in range(3):
        world.warmer.pages.append(world.query("nonsense", Line("S-7", "3")))
    await world.ahead.tick()
    assert world.ahead._asked == {}


async def test_of_a_shared_account_every_line_is_loaded_ahead_by_one_process() -> None:
    first = price_service(shared_accounts=["C-1"])
    second = price_service(redis=first.redis, erp=first.erp, shared_accounts=["C-1"])
    await make_hot(first, "S-1", times=1)
    await second.ask_one()
    await second.ahead.tick()
    await asyncio.sleep(DUE_SECONDS + 1)
    await asyncio.gather(first.ahead.tick(), second.ahead.tick())
    await first.settle()
    await second.settle()
    assert len(first.erp.batches) == 1
    await asyncio.sleep(70)
    quoted = await second.ask_one()
    await second.settle()
    assert quoted.state is State.STALE_SOFT
    assert (await second.ask_one()).state is State.FRESH
    assert len(first.erp.batches) == 1


async def test_of_a_shared_account_nothing_is_loaded_ahead_while_redis_is_away() -> None:
    """Every replica would read the same."""
    world = price_service(shared_accounts=["C-1"])
    await make_hot(world, "S-1", times=1)
    world.redis.is_cut = True
    await pass_and_tick(world, DUE_SECONDS + 1)
    assert world.erp.batches == []


async def test_what_another_process_read_is_taken_from_redis() -> None:
    first = price_service()
    await make_hot(first, "S-1")
    second = price_service(redis=first.redis)
    await asyncio.sleep(200)
    await second.ask_one(mode=Mode.CHECKOUT)
    await second.settle()
    await pass_and_tick(first, DUE_SECONDS - 199)
    assert first.erp.batches == []
    assert first.cache.shelf(context_of())[key_of()].loaded_us > first.now_us - 100_000_000


async def test_no_more_lines_are_tracked_than_there_is_room_for() -> None:
    skus = tuple(f"S-{number}" for number in range(1, 5001))
    world = price_service(skus=skus, memory_bytes=100_000_000, accounts=("C-1", "C-2", "C-3"))
    for account in ("C-1", "C-2", "C-3"):
        await make_hot(world, *skus, account=account)
    assert len(world.ahead._asked) == len(world.ahead._due) == 10_000


async def test_it_works_by_itself_and_outlives_what_nobody_thought_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = price_service()
    await make_hot(world, "S-1")
    async with world.ahead:
        with monkeypatch.context() as patched:
            patched.setattr(world.warmer.seen, "save", None)
            await asyncio.sleep(1.5)
        await asyncio.sleep(DUE_SECONDS + 1)
    await world.settle()
    assert len(world.erp.batches) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_leaving_without_entering_is_harmless() -> None:
    await price_service().ahead.__aexit__(None, None, None)
