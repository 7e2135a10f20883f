"""A price read before a change is not shown as a current one after it."""

import asyncio

import pytest

from pricing_proxy.domain.freshness import Level, Mode, State
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.ledger import Scope, ScopeKind
from tests.fakes.erp import outage_of
from tests.fakes.price_world import MARKET, PriceWorld, context_of, key_of, price_service

ERP_AWAY = outage_of(UpstreamUnavailableError)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ScopeKind.ALL, ""),
        (ScopeKind.CUSTOMER, "C-1"),
        (ScopeKind.PRICE_GROUP, "G"),
        (ScopeKind.ITEM, "S-1"),
    ],
)
async def test_each_scope_reaches_the_prices_it_names(
    kind: ScopeKind, code: str, level: Level
) -> None:
    world = price_service()
    await world.load("S-1")
    world.invalidate(kind, code, level=level)
    world.erp.outage = ERP_AWAY
    line = await world.ask_one()
    expected = State.STALE_HARD if level is Level.SOFT else State.ABSENT
    assert (line.state, line.is_served) == (expected, level is Level.SOFT)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (ScopeKind.CUSTOMER, "C-2"),
        (ScopeKind.PRICE_GROUP, "C-1"),
        (ScopeKind.ITEM, "S-2"),
        (ScopeKind.ITEM, "C-1"),
    ],
)
async def test_a_scope_reaches_nothing_else(kind: ScopeKind, code: str) -> None:
    world = price_service()
    await world.load("S-1")
    world.invalidate(kind, code, level=Level.HARD)
    assert (await world.ask_one()).state is State.FRESH


async def test_a_change_in_another_market_is_none_here() -> None:
    world = price_service()
    await world.load("S-1")
    world.ledger.put("b2b_fr", Scope(ScopeKind.ALL), Level.HARD)
    assert (await world.ask_one()).state is State.FRESH


async def test_the_stricter_of_two_changes_counts() -> None:
    world = price_service()
    await world.load("S-1")
    world.invalidate(ScopeKind.ITEM, "S-1", level=Level.SOFT)
    world.invalidate(ScopeKind.CUSTOMER, "C-1", level=Level.HARD)
    world.erp.outage = ERP_AWAY
    assert (await world.ask_one()).state is State.ABSENT


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("level", Level)
async def test_a_change_during_a_load_makes_it_load_again(mode: Mode, level: Level) -> None:
    """The ERP read its prices when the call arrived: the answer on its way is the old one."""
    world = price_service()
    asking = asyncio.ensure_future(world.ask_one(mode=mode))
    await asyncio.sleep(0.03)
    world.erp.set_price("C-1", "S-1", "77")
    world.invalidate(level=level)
    line = await asking
    if mode is Mode.BROWSE:  # its 120 ms are over before the second load is
        await world.settle()
        line = await world.ask_one()
    assert line.state is State.FRESH
    assert line.entry is not None
    assert '"unit_price":"77.0000"' in line.entry.fragment
    assert len(world.erp.batches) == 2


async def test_what_was_invalidated_while_it_was_read_enters_no_cache() -> None:
    world = price_service()
    asking = asyncio.ensure_future(world.ask_one())
    await asyncio.sleep(0.03)
    world.invalidate(ScopeKind.ITEM, "S-1")
    world.erp.outage = ERP_AWAY
    await asking
    await world.settle()
    assert key_of() not in world.cache.shelf(context_of())
    assert world.redis.stored(context_of(), key_of()) is None


async def test_what_is_invalidated_on_its_way_to_redis_does_not_arrive() -> None:
    """Redis is written once, when the last chunk is there; the first one waits for it."""
    world = price_service()
    world.erp.slow["S-150"] = 0.3
    skus = [f"S-{number}" for number in range(1, 151)]
    await world.ask(*skus)
    world.invalidate(ScopeKind.ITEM, "S-1")
    await world.settle()
    assert world.redis.stored(context_of(), key_of("S-1")) is None
    assert world.redis.stored(context_of(), key_of("S-2")) is not None


async def test_changes_that_never_stop_end_in_an_answer_all_the_same() -> None:
    """Three loads, then the line settles for less."""
    world = price_service()

    async def change_for_ever() -> None:
        while True:
            world.invalidate()
            await asyncio.sleep(0.05)

    changing = asyncio.ensure_future(change_for_ever())
    line = await world.ask_one(mode=Mode.CHECKOUT)
    assert (line.state, line.is_served, line.reason) == (State.STALE_HARD, False, "changing")
    assert len(world.erp.batches) == 3
    changing.cancel()
    await world.settle()


async def test_nobody_joins_a_load_that_began_before_a_change() -> None:
    world = price_service()
    first = asyncio.ensure_future(world.ask_one(mode=Mode.CART))
    await asyncio.sleep(0.03)
    world.erp.set_price("C-1", "S-1", "77")
    world.invalidate()
    second = await world.ask_one(mode=Mode.CART)
    assert second.entry is not None
    assert '"unit_price":"77.0000"' in second.entry.fragment
    assert (await first).is_served
    # The first one joined the second load instead of starting a third.
    assert len(world.erp.batches) == 2


async def test_a_price_read_right_after_a_change_is_soon_read_again() -> None:
    """The ERP may announce before it commits: ten seconds, then the price is refreshed."""
    world = price_service()
    world.invalidate()
    await asyncio.sleep(9.9)
    await world.load("S-1")
    assert (await world.ask_one()).state is State.FRESH
    await asyncio.sleep(10)
    assert (await world.ask_one()).state is State.STALE_SOFT


async def test_ten_seconds_after_a_change_lifetimes_are_the_usual_ones() -> None:
    world = price_service()
    world.invalidate()
    await asyncio.sleep(10)
    await world.load("S-1")
    await asyncio.sleep(290)
    assert (await world.ask_one()).state is State.FRESH


async def test_an_invalidation_that_redis_did_not_take_is_obeyed_here() -> None:
    world = price_service()
    await world.load("S-1")
    await asyncio.sleep(1)
    scope = Scope(ScopeKind.ITEM, "S-1")
    world.invalidations.tell(MARKET, scope, Level.HARD)
    world.erp.set_price("C-1", "S-1", "77")
    line = await world.ask_one()
    assert (line.state, line.level) == (State.FRESH, "source")
    assert line.entry is not None
    assert '"unit_price":"77.0000"' in line.entry.fragment


async def test_two_processes_with_one_redis_agree_on_positions() -> None:
    """A price of another process that was read before our change is invalidated here too."""
    first = price_service()
    await first.load("S-1")
    second: PriceWorld = price_service(redis=first.redis)
    await asyncio.sleep(1)
    second.invalidate(level=Level.HARD)
    second.erp.set_price("C-1", "S-1", "77")
    line = await second.ask_one()
    assert (line.state, line.level) == (State.FRESH, "source")
    assert line.entry is not None
    assert '"unit_price":"77.0000"' in line.entry.fragment
