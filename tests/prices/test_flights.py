"""Every claimed key is given back and every waiter answered, wherever a load breaks."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.prices.ports import Entries
from pricing_proxy.prices.query import Quote
from pricing_proxy.shared_state.ledger import ScopeKind
from tests.fakes.price_world import PriceWorld, context_of, key_of, price_service

PAGE = tuple(f"S-{number}" for number in range(1, 151))
REDIS_SECONDS, ERP_SECONDS = 0.01, 0.06
# Instants before, during and after each await of a load, in milliseconds.
INSTANTS = (0, 5, 10, 11, 40, 70, 71, 75, 80, 81)


class _BrokenError(Exception):
    """Nobody expects it."""


def slow_world() -> PriceWorld:
    world = price_service()
    world.redis.latency_seconds = REDIS_SECONDS
    world.erp.latency_seconds = ERP_SECONDS
    return world


@asynccontextmanager
async def answered(world: PriceWorld) -> AsyncIterator[list[asyncio.Task[Quote]]]:
    """Have a page asked for by five requests; in the end all are answered and no key is held."""
    asking = [
        asyncio.ensure_future(world.ask(*PAGE, mode=mode, wait_seconds=5))
        for mode in (Mode.BROWSE, Mode.CART, Mode.CART, Mode.BROWSE, Mode.BROWSE)
    ]
    yield asking
    quotes = await asyncio.gather(*asking)
    await world.settle()
    assert all(len(quote.lines) == len(PAGE) for quote in quotes)
    assert (world.loader.flights.count, world.loader.flights.oldest_age_us()) == (0, 0)
    assert not world.loader.flights.carries_any(context_of(), map(key_of, PAGE))


async def assert_recovers(world: PriceWorld) -> None:
    """Ask again, a little later: nothing of the broken load is in the way."""
    await asyncio.sleep(15)
    quote = await world.ask(*PAGE, wait_seconds=5)
    assert [line.state for line in quote.lines] == [State.FRESH] * len(PAGE)
    await world.settle()


@pytest.mark.parametrize("instant_ms", INSTANTS)
@pytest.mark.parametrize("turns", range(4))
async def test_a_load_cancelled_at_any_await_leaves_no_key_behind(
    instant_ms: int, turns: int
) -> None:
    world = slow_world()
    async with answered(world) as asking:
        await asyncio.sleep(instant_ms / 1000)
        for _ in range(turns):
            await asyncio.sleep(0)
        await world.loader.flights.aclose()
    reasons = {line.reason for task in asking for line in task.result().lines}
    assert reasons <= {None, "load_ended"}
    await assert_recovers(world)


@pytest.mark.parametrize("broken", ["read", "remember", "load", "write"])
async def test_a_load_that_breaks_anywhere_answers_its_waiters(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = slow_world()
    caplog.set_level(logging.CRITICAL)
    with monkeypatch.context() as patched:
        _break(world, broken, patched)
        async with answered(world) as asking:
            await asyncio.sleep(0)
        reasons = {line.reason for task in asking for line in task.result().lines}
        assert reasons <= {None, "load_ended"}
        # Once delivered a price stays delivered, also when keeping it breaks.
        assert ("load_ended" in reasons) == (broken in {"read", "load"})
    world.erp.outage = None
    await assert_recovers(world)


def _break(world: PriceWorld, part: str, patched: pytest.MonkeyPatch) -> None:
    if part == "load":
        world.erp.outage = _BrokenError
        return

    async def read(*_: object) -> Entries:
        await asyncio.sleep(REDIS_SECONDS)
        raise _BrokenError

    async def write(*_: object) -> None:
        await asyncio.sleep(REDIS_SECONDS)
        raise _BrokenError

    def remember(*_: object) -> None:
        raise _BrokenError

    replacements: dict[str, Callable[..., object]] = {
        "read": read,
        "write": write,
        "remember": remember,
    }
    patched.setattr(world.cache, part, replacements[part])


async def test_a_broken_load_is_logged_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    world = price_service()
    world.erp.outage = _BrokenError
    line = await world.ask_one()
    assert (line.is_served, line.reason) == (False, "load_ended")
    assert [record.message for record in caplog.records] == ["a load of prices broke"]


async def test_one_chunk_that_breaks_ends_the_others_and_all_their_waiting() -> None:
    world = slow_world()
    world.erp.slow["S-150"] = 100
    world.erp.outage = None
    asking = asyncio.ensure_future(world.ask(*PAGE, wait_seconds=5))
    await asyncio.sleep(0.011)
    assert world.loader.flights.oldest_age_us() == 11_000
    await world.loader.flights.aclose()
    quote = await asking
    assert {line.reason for line in quote.lines} == {"load_ended"}


async def test_closing_with_nothing_under_way_is_no_work() -> None:
    await price_service().loader.flights.aclose()


async def test_closing_with_patience_lets_a_load_reach_redis() -> None:
    world = slow_world()
    world.erp.slow["S-150"] = 100
    quick = asyncio.ensure_future(world.ask("S-1", wait_seconds=0))
    slow = asyncio.ensure_future(world.ask("S-150", wait_seconds=0))
    await asyncio.gather(quick, slow)
    began_us = world.now_us

    await world.loader.flights.aclose(patience_seconds=2)

    assert world.now_us - began_us == 2_000_000
    assert world.redis.stored(context_of(), key_of("S-1")) is not None
    assert world.redis.stored(context_of(), key_of("S-150")) is None
    assert world.loader.flights.count == 0


async def test_a_load_started_later_takes_a_key_over_and_keeps_it() -> None:
    """The older load ends first, and must not give away what is no longer its own."""
    world = price_service()
    world.erp.slow["S-1"] = 3
    browsing = asyncio.ensure_future(world.ask_one(wait_seconds=5))
    await asyncio.sleep(2.5)
    checkout = asyncio.ensure_future(world.ask_one(mode=Mode.CHECKOUT))
    await asyncio.sleep(0.6)
    assert (await browsing).is_served
    assert world.loader.flights.carries_any(context_of(), [key_of()])
    joining = await world.ask_one(mode=Mode.CHECKOUT)
    assert joining.is_served
    assert (await checkout).is_served
    assert world.erp.asked("S-1") == 2
    assert key_of() in world.cache.shelf(context_of())


async def test_a_line_loaded_again_leaves_the_page_s_other_loads_alone() -> None:
    """What changed while it was loaded is asked for anew, and nothing else is."""
    world = slow_world()
    world.erp.slow["S-2"] = 1
    slow = asyncio.ensure_future(world.ask_one("S-2", wait_seconds=5))
    await asyncio.sleep(0.02)
    page = asyncio.ensure_future(world.ask("S-1", "S-2", wait_seconds=5))
    await asyncio.sleep(0.03)
    world.invalidate(ScopeKind.ITEM, "S-1")

    quote = await page

    assert [line.state for line in quote.lines] == [State.FRESH, State.FRESH]
    assert (await slow).is_served
    assert (world.erp.asked("S-1"), world.erp.asked("S-2")) == (2, 1)
