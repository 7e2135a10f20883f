"""Warming at login: what the customer will see, at refresh class, and never in anybody's way."""

import asyncio
from datetime import timedelta

from pricing_proxy.domain.freshness import State
from pricing_proxy.prices.query import Line
from pricing_proxy.prices.warming import MOST_WARMED
from pricing_proxy.resilience.call_class import CallClass
from pricing_proxy.resilience.errors import CallRefusedError
from tests.fakes.erp import outage_of
from tests.fakes.master_data import make_item
from tests.fakes.price_world import PriceWorld, context_of, key_of, price_service


async def warm(world: PriceWorld, *skus: str, account: str = "C-1") -> int:
    return await world.warmer.warm(context_of(account), world.master.everybody[account], skus)


async def test_two_hundred_skus_cost_two_calls_at_refresh_class() -> None:
    world = price_service()
    assert await warm(world, *(f"S-{number}" for number in range(1, 301))) == MOST_WARMED
    await world.settle()
    assert [len(batch.keys) for batch in world.erp.batches] == [100, 100]
    assert {batch.klass for batch in world.erp.batches} == {CallClass.REFRESH}
    assert (await world.ask_one("S-200")).level == "l1"
    assert key_of("S-201") not in world.cache.shelf(context_of())


async def test_what_the_shop_names_comes_before_what_was_seen() -> None:
    world = price_service()
    await world.load(*(f"S-{number}" for number in range(1, 201)))
    await asyncio.sleep(400)
    assert await warm(world, "S-300", "S-299") == MOST_WARMED
    await world.settle()
    asked = {key.sku for batch in world.erp.batches for key in batch.keys}
    assert asked == {"S-300", "S-299", *(f"S-{number}" for number in range(3, 201))}


async def test_the_last_two_hundred_lines_seen_are_warmed_with_their_quantities() -> None:
    world = price_service()
    await world.load("S-1")
    await world.ask(Line("S-2", "12"))
    await world.settle()
    await asyncio.sleep(400)
    world.erp.batches.clear()
    assert await warm(world) == 2
    await world.settle()
    assert set(world.erp.batches[0].keys) == {key_of("S-1"), key_of("S-2", quantity="12")}


async def test_only_the_newest_lines_seen_are_remembered() -> None:
    world = price_service()
    for first in (1, 101, 201):
        await world.load(*(f"S-{number}" for number in range(first, first + 100)))
    await asyncio.sleep(400)
    assert await warm(world) == MOST_WARMED
    await world.settle()
    asked = {key.sku for batch in world.erp.batches for key in batch.keys}
    assert asked == {f"S-{number}" for number in range(101, 301)}


async def test_logins_within_thirty_seconds_are_one() -> None:
    world = price_service()
    assert await warm(world, "S-1") == 1
    assert await warm(world, "S-2") == 0
    assert await warm(world, "S-2", account="C-2") == 1
    await asyncio.sleep(29.9)
    assert await warm(world, "S-2") == 0
    await asyncio.sleep(0.1)
    assert await warm(world, "S-2") == 1
    await world.settle()


async def test_what_is_young_enough_is_not_loaded_again() -> None:
    """Half of its fresh time is left to it."""
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(149)
    assert await warm(world, "S-1") == 0
    await asyncio.sleep(31)
    assert await warm(world, "S-1") == 1
    await world.settle()
    assert len(world.erp.batches) == 1
    assert (await world.ask_one()).level == "l1"


async def test_what_another_process_read_lately_is_taken_from_redis() -> None:
    first = price_service()
    await first.load("S-1")
    second = price_service(redis=first.redis)
    assert await warm(second, "S-1", "S-2") == 2
    await second.settle()
    assert [batch.keys for batch in second.erp.batches] == [(key_of("S-2"),)]
    assert (await second.ask_one()).level == "l1"


async def test_what_is_on_its_way_is_not_asked_for_twice() -> None:
    world = price_service()
    asking = asyncio.ensure_future(world.ask_one())
    await asyncio.sleep(0.01)
    assert await warm(world, "S-1", "S-2") == 1
    await asking
    await world.settle()
    assert world.erp.asked("S-1") == 1


async def test_what_lately_failed_is_left_alone() -> None:
    world = price_service()
    world.erp.missing.add("S-1")
    await world.ask_one()
    await world.settle()
    assert await warm(world, "S-1", "S-2") == 1
    await world.settle()


async def test_unknown_and_unsold_skus_are_not_warmed() -> None:
    world = price_service(items=[make_item("S-0", is_sold=False)])
    assert await warm(world, "S-0", "nonsense") == 0
    assert world.loader.flights.count == 0


async def test_warming_is_dropped_while_calls_are_refused() -> None:
    """Nobody waits for it, and it pauses nothing: a customer who comes is served at once."""
    world = price_service()
    world.erp.latency_seconds = 0
    world.erp.outage = outage_of(CallRefusedError, retry_after=timedelta(seconds=5))
    await warm(world, "S-1")
    await world.settle()
    assert world.erp.batches == []
    world.erp.outage = None
    assert (await world.ask_one()).state is State.FRESH


async def test_warming_makes_nobody_cold() -> None:
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(301)
    world.erp.latency_seconds = 5
    await warm(world, "S-1")
    line = await world.ask_one()
    assert (line.state, line.is_served) == (State.STALE_SOFT, True)
    await world.settle()
    assert len(world.erp.batches) == 1


async def test_a_changed_price_is_warmed_however_young_it_is() -> None:
    world = price_service()
    await world.load("S-1", "S-2")
    world.erp.set_price("C-1", "S-1", "77")
    world.invalidate()
    assert await warm(world, "S-1", "S-2") == 2
    await world.settle()
    line = await world.ask_one()
    assert (line.state, line.level) == (State.FRESH, "l1")


async def test_a_customer_who_waits_for_a_warmed_price_lifts_its_load() -> None:
    world = price_service()
    world.redis.latency_seconds = 0.01
    await warm(world, "S-1")
    await asyncio.sleep(0.005)
    assert (await world.ask_one()).is_served
    assert [batch.klass for batch in world.erp.batches] == [CallClass.INTERACTIVE]


async def test_no_more_customers_are_remembered_than_there_is_room_for() -> None:
    world = price_service()
    for number in range(5001):
        world.warmer.seen.note(context_of(f"C-{number}"), [key_of("S-1")])
    assert await world.warmer.seen.of(context_of("C-0")) == []
    assert await world.warmer.seen.of(context_of("C-1")) == [key_of("S-1")]


async def test_another_replica_knows_what_was_seen_here() -> None:
    first = price_service()
    await first.load("S-1", "S-2")
    await first.ahead.tick()
    second = price_service(redis=first.redis)
    first.redis.values.clear()
    assert await warm(second) == 2
    await second.settle()
    assert second.erp.lines == 2


async def test_what_redis_did_not_take_is_written_when_it_is_back() -> None:
    first = price_service()
    await first.load("S-1")
    first.redis.is_cut = True
    await first.ahead.tick()
    first.redis.is_cut = False
    await first.ahead.tick()
    assert first.redis.seen == {context_of(): [key_of("S-1")]}


async def test_a_customer_forgotten_before_it_was_written_is_not_written() -> None:
    world = price_service()
    for number in range(5001):
        world.warmer.seen.note(context_of(f"C-{number}"), [key_of("S-1")])
    world.warmer.seen._unsaved[context_of("C-0")] = None
    for _ in range(51):
        await world.warmer.seen.save()
    assert len(world.redis.seen) == 5000


async def test_logins_at_two_replicas_are_one() -> None:
    first = price_service()
    second = price_service(redis=first.redis)
    assert await warm(first, "S-1") == 1
    assert await warm(second, "S-1") == 0
    await asyncio.sleep(30)
    assert await warm(second, "S-2") == 1
    await first.settle()
    await second.settle()


async def test_without_redis_each_replica_warms_for_itself() -> None:
    first = price_service()
    second = price_service(redis=first.redis)
    first.redis.is_cut = True
    assert await warm(first, "S-1") == 1
    assert await warm(first, "S-1") == 0
    assert await warm(second, "S-1") == 1
    await first.settle()
    await second.settle()


async def test_nothing_is_warmed_while_the_erp_is_in_trouble_and_the_next_login_is_not_lost() -> (
    None
):
    world = price_service()
    world.health.well = False
    assert await warm(world, "S-1") == 0
    assert world.redis.claims == {}
    world.health.well = True
    assert await warm(world, "S-1") == 1
    await world.settle()
