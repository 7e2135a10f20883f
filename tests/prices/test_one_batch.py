"""Simultaneous requests for the same prices cost one ERP call, whatever becomes of them."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.prices.query import Quote
from pricing_proxy.resilience.call_class import CallClass
from tests.fakes.price_world import PriceWorld, price_service

LAMPS = tuple(f"S-{number}" for number in range(1, 25))
CROWD = 10_000


def start(world: PriceWorld, count: int, mode: Mode = Mode.BROWSE) -> list[asyncio.Task[Quote]]:
    query = world.query(*LAMPS, mode=mode)
    return [asyncio.ensure_future(world.service.quote(query)) for _ in range(count)]


def assert_complete(quotes: Sequence[Quote]) -> None:
    for quote in quotes:
        assert [line.state for line in quote.lines] == [State.FRESH] * len(LAMPS)
        for number, line in enumerate(quote.lines, 1):
            assert line.entry is not None
            assert f'"unit_price":"1.{number:04}"' in line.entry.fragment


async def test_ten_thousand_cold_requests_cost_one_batch() -> None:
    world = price_service()
    assert_complete(await asyncio.gather(*start(world, CROWD)))
    await world.settle()
    assert [len(batch.keys) for batch in world.erp.batches] == [len(LAMPS)]
    assert world.redis.reads == 1


@pytest.mark.parametrize("seed", range(3))
async def test_cancelling_any_of_a_thousand_disturbs_no_other(seed: int) -> None:
    """Also the first one, which claimed the keys, and at any moment of the load."""
    chance = random.Random(seed)
    world = price_service()
    world.redis.latency_seconds = 0.01
    asking = start(world, 1000)
    doomed = {0, *chance.sample(range(1000), 100)}
    loop = asyncio.get_running_loop()
    for index in doomed:
        loop.call_later(chance.uniform(0, 0.069), asking[index].cancel)
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    cancelled = {i for i, out in enumerate(outcomes) if isinstance(out, asyncio.CancelledError)}
    assert cancelled == doomed
    assert_complete([out for out in outcomes if isinstance(out, Quote)])
    await world.settle()
    assert [len(batch.keys) for batch in world.erp.batches] == [len(LAMPS)]


async def test_a_load_goes_on_when_everyone_who_waited_has_left() -> None:
    world = price_service()
    asking = start(world, 5)
    await asyncio.sleep(0.01)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await world.settle()
    assert_complete([await world.ask(*LAMPS)])
    assert len(world.erp.batches) == 1


async def test_a_request_cancelled_before_it_ran_leaves_nothing_behind() -> None:
    world = price_service()
    (task,) = start(world, 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert world.loader.flights.count == 0
    assert_complete([await world.ask(*LAMPS)])


async def test_pages_that_overlap_ask_for_each_price_once() -> None:
    world = price_service()
    pages = [LAMPS[:10], LAMPS[5:15], LAMPS[:20]]
    quotes = await asyncio.gather(*(world.ask(*page) for page in pages))
    assert all(line.state is State.FRESH for quote in quotes for line in quote.lines)
    assert world.erp.lines == 20


async def test_customers_do_not_share_a_load() -> None:
    world = price_service()
    first, second = await asyncio.gather(world.ask_one(account="C-1"), world.ask_one(account="C-2"))
    assert first.entry is not None
    assert second.entry is not None
    assert '"unit_price":"1.0001"' in first.entry.fragment
    assert '"unit_price":"2.0001"' in second.entry.fragment
    assert sorted(batch.account for batch in world.erp.batches) == ["C-1", "C-2"]


async def test_a_checkout_joins_a_load_that_began_just_before_it_and_lifts_it() -> None:
    world = price_service()
    world.erp.latency_seconds = 1
    world.redis.latency_seconds = 0.01
    browsing = asyncio.ensure_future(world.ask_one())
    await asyncio.sleep(0.005)
    checkout = await world.ask_one(mode=Mode.CHECKOUT)
    assert (checkout.state, checkout.is_served) == (State.FRESH, True)
    assert [batch.klass for batch in world.erp.batches] == [CallClass.CHECKOUT]
    await browsing


async def test_a_checkout_joins_no_load_that_began_more_than_two_seconds_before_it() -> None:
    world = price_service()
    world.erp.latency_seconds = 3
    browsing = asyncio.ensure_future(world.ask_one())
    await asyncio.sleep(2.001)
    arrived_us = world.now_us
    checkout = await world.ask_one(mode=Mode.CHECKOUT)
    assert checkout.is_served
    assert checkout.entry is not None
    assert checkout.entry.loaded_us >= arrived_us
    assert len(world.erp.batches) == 2
    await browsing


async def test_a_checkout_does_not_take_an_older_price_that_a_joined_load_found_in_redis() -> None:
    first = price_service()
    await first.load("S-1")
    await asyncio.sleep(100)
    second = price_service(redis=first.redis, erp=first.erp)
    second.redis.latency_seconds = 0.01
    browsing = asyncio.ensure_future(second.ask_one())
    await asyncio.sleep(0.005)
    arrived_us = second.now_us
    checkout = await second.ask_one(mode=Mode.CHECKOUT)
    assert checkout.entry is not None
    assert checkout.entry.loaded_us >= arrived_us - 2_000_000
    assert (await browsing).level == "l2"
    assert len(first.erp.batches) == 1
