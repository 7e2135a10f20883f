"""A page that waits for one line answers with what is known of all of them when it leaves."""

import asyncio
from typing import cast

import pytest

from pricing_proxy.domain.freshness import Level, Mode, State
from pricing_proxy.prices.query import Quote, QuotedLine
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.ledger import ScopeKind
from tests.fakes.erp import outage_of
from tests.fakes.price_world import LEASE_US, PriceWorld, context_of, key_of, price_service
from tests.fakes.replicas import Replicas
from tests.virtual_time import VirtualLoop

ERP_AWAY = outage_of(UpstreamUnavailableError)
# They fill one call to the ERP, and so leave the second line of a page to another one.
MANY = tuple(f"S-{number}" for number in range(3, 102))
OLD, NEW = '"unit_price":"1.0001"', '"unit_price":"77.0000"'


async def waiting(*, slow_seconds: float = 1.0, remembers: bool = True) -> PriceWorld:
    """Return a world in which only the second line of a page has to be waited for."""
    world = price_service()
    if remembers:
        await world.load("S-1")
    world.erp.slow["S-2"] = slow_seconds
    return world


async def asked(
    world: PriceWorld,
    *others: str,
    mode: Mode = Mode.BROWSE,
    after_seconds: float = 0.5,
    wait_seconds: float = 5,
) -> "asyncio.Task[Quote]":
    """Return a page that has waited for some time."""
    page = world.ask("S-1", *others, "S-2", mode=mode, wait_seconds=wait_seconds)
    asking = asyncio.get_running_loop().create_task(page)
    await asyncio.sleep(after_seconds)
    return asking


async def first_of(asking: "asyncio.Task[Quote]") -> tuple[QuotedLine, str]:
    """Return the first line of the answer, and what it shows."""
    line = (await asking).lines[0]
    return line, line.entry.fragment if line.entry is not None else ""


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("kind", [ScopeKind.ALL, ScopeKind.ITEM])
async def test_what_changed_while_a_page_waited_is_read_again(
    mode: Mode, level: Level, kind: ScopeKind
) -> None:
    world = await waiting()
    asking = await asked(world, mode=mode)
    world.erp.set_price("C-1", "S-1", "77")
    world.invalidate(kind, "" if kind is ScopeKind.ALL else "S-1", level=level)
    line, shown = await first_of(asking)
    assert (line.state, line.is_served, line.is_verified, NEW in shown) == (
        State.FRESH,
        True,
        True,
        True,
    )


@pytest.mark.parametrize(("level", "state"), [(Level.HARD, "absent"), (Level.SOFT, "stale_hard")])
async def test_where_it_cannot_be_read_again_the_table_says_what_is_left(
    level: Level, state: str
) -> None:
    world = await waiting()
    asking = await asked(world)
    world.invalidate(ScopeKind.ITEM, "S-1", level=level)
    world.erp.outage = ERP_AWAY
    line, shown = await first_of(asking)
    assert (line.state, line.is_served, line.is_verified) == (state, level is Level.SOFT, False)
    assert (OLD in shown) == (level is Level.SOFT)
    assert (await asking).lines[1].state is State.FRESH


async def test_a_flagged_price_goes_too_once_it_must_not_be_shown() -> None:
    """It stood in for a load that failed; then its invalidation came, and it is hard."""
    world = await waiting()
    world.invalidate(ScopeKind.ITEM, "S-1")
    world.erp.outage = ERP_AWAY
    await world.ask_one()
    world.erp.outage = None
    asking = await asked(world, after_seconds=0.1)
    world.invalidate(ScopeKind.ITEM, "S-1", level=Level.HARD)
    line, shown = await first_of(asking)
    assert (line.state, line.is_served, shown) == (State.ABSENT, False, "")


@pytest.mark.parametrize("others", [(), ("NO-SUCH-SKU",)])
async def test_a_lease_that_ended_while_a_page_waited_verifies_nothing(
    others: tuple[str, ...],
) -> None:
    world = await waiting()
    asking = await asked(world, *others)
    world.verification.verified = False
    line, shown = await first_of(asking)
    assert (line.state, line.is_served, OLD in shown) == (State.UNVERIFIED, True, True)
    assert [each.is_verified for each in (await asking).lines] == [False] * (2 + len(others))


@pytest.mark.parametrize("others", [(), ("NO-SUCH-SKU",)])
async def test_a_lease_that_began_while_a_page_waited_verifies_all(others: tuple[str, ...]) -> None:
    world = await waiting()
    world.verification.verified = False
    asking = await asked(world, *others)
    world.verification.verified = True
    line, shown = await first_of(asking)
    assert (line.state, line.is_served, OLD in shown) == (State.FRESH, True, True)
    assert [each.is_verified for each in (await asking).lines] == [True] * (2 + len(others))


async def test_a_patient_checkout_binds_nothing_that_is_older_than_the_lease() -> None:
    """Read by itself, and before the lease ended; by the answer nobody vouches for it."""
    world = await waiting(slow_seconds=3.5, remembers=False)
    asking = await asked(world, *MANY, mode=Mode.CHECKOUT, after_seconds=2, wait_seconds=8)
    world.invalidate(ScopeKind.ITEM, "S-2")
    world.verification.verified = False
    quote = await asking
    assert world.now_us - world.erp.batches[0].began_us > LEASE_US
    assert all(line.is_served for line in quote.lines)
    oldest_us = min(line.entry.loaded_us for line in quote.lines if line.entry is not None)
    assert oldest_us >= world.now_us - LEASE_US


async def test_lines_that_change_for_ever_settle_for_less() -> None:
    world = await waiting()

    async def change_for_ever() -> None:
        while True:
            world.invalidate(ScopeKind.ITEM, "S-1")
            await asyncio.sleep(0.05)

    asking = await asked(world, after_seconds=0.1)
    changing = asyncio.ensure_future(change_for_ever())
    line, _ = await first_of(asking)
    assert (line.state, line.is_served) == (State.STALE_HARD, True)
    assert world.erp.asked("S-1") == 2
    changing.cancel()
    await world.settle()


async def test_a_price_that_grew_stale_while_a_page_waited_says_so() -> None:
    world = await waiting(slow_seconds=3)
    await asyncio.sleep(298)
    line, _ = await first_of(await asked(world))
    assert (line.state, line.is_served, line.is_verified) == (State.STALE_SOFT, True, True)
    await world.settle()
    assert (await world.ask_one()).state is State.FRESH


def fall_asleep(world: PriceWorld, seconds: float) -> None:
    """Have the machine sleep; Redis' clock, known as so far ahead of ours, went on."""
    world.clock.slept_seconds += seconds
    world.redis.clock_offset_us += round(seconds * 1_000_000)
    cast("VirtualLoop", asyncio.get_running_loop()).skip(seconds)


@pytest.mark.parametrize("mode", [Mode.BROWSE, Mode.CHECKOUT])
@pytest.mark.parametrize("remembers", [True, False])
async def test_a_page_that_slept_shows_no_price_as_young_as_its_time_awake(
    mode: Mode, *, remembers: bool
) -> None:
    """What it had from memory or from the first of two calls is older by the sleep."""
    world = await waiting(remembers=remembers)
    asking = await asked(world, *MANY, mode=mode)
    world.erp.set_price("C-1", "S-1", "77")
    fall_asleep(world, 600)
    line, shown = await first_of(asking)
    assert line.is_served
    assert line.entry is not None
    age_us = world.now_us - line.entry.loaded_us
    assert NEW in shown or (age_us > 600_000_000 and line.state is State.STALE_SOFT)
    assert NEW in shown or mode is Mode.BROWSE


async def test_a_price_of_redis_stays_as_old_as_the_sleep_made_it() -> None:
    """The load that found it goes on, and still holds it as it was."""
    world = await waiting()
    redis_only = price_service(redis=world.redis)
    redis_only.erp.latency_seconds, redis_only.erp.outage = 1, ERP_AWAY
    world.invalidate(ScopeKind.ITEM, "S-1")
    asking = await asked(redis_only)
    fall_asleep(redis_only, 600)
    line, shown = await first_of(asking)
    assert OLD in shown
    assert line.entry is not None
    assert redis_only.now_us - line.entry.loaded_us > 600_000_000
    assert (line.state, line.is_served) == (State.STALE_HARD, True)


async def test_what_was_read_before_a_sleep_does_not_reach_redis_after_it() -> None:
    """Redis' clock went on meanwhile, so it would stand there as younger by the sleep."""
    world = await waiting(remembers=False)
    asking = await asked(world, *MANY)
    fall_asleep(world, 60)
    await asking
    await world.settle()
    assert key_of("S-1") in world.cache.shelf(context_of())
    assert world.redis.stored(context_of(), key_of("S-1")) is None


@pytest.mark.parametrize("which", [0, 1])
async def test_a_page_after_a_sleep_shows_nothing_as_young_as_before_it(which: int) -> None:
    """Nobody had noticed the sleep when it looked into memory, or into Redis."""
    replicas = await Replicas.start()
    await replicas.ask(0, "S-1", wait_seconds=5)
    await asyncio.sleep(0.1)
    replicas.reprice()
    replicas.erp.slow["S-2"] = 3
    replicas.sleep(60)
    first, second = (await replicas.ask(which, "S-1", "S-2", wait_seconds=5)).lines
    assert (first.is_verified, second.is_verified) == (True, True)
    assert first.entry is not None
    assert first.state is not State.FRESH or '"unit_price":"211.' in first.entry.fragment
    await replicas.stop()


async def test_a_page_across_a_sleep_shows_nothing_of_before_a_hard_invalidation() -> None:
    """Its first line came at once after waking, before the ledger was read; its second one late."""
    replicas = await Replicas.start()
    replicas.fail_over(-100)
    first = asyncio.ensure_future(replicas.ask(0, "S-1"))
    await asyncio.sleep(0.01)
    replicas.sleep(6)
    replicas.reprice()
    replicas.announce(level=Level.HARD)
    replicas.sleep(6)
    await asyncio.gather(first, replicas.ask(0, "S-1", "S-2"))
    await replicas.stop()


async def test_a_page_across_a_sleep_verifies_nothing_that_was_decided_before() -> None:
    replicas = await Replicas.start()
    await replicas.ask(0, "S-1", wait_seconds=5)
    replicas.sleep(1.5)
    replicas.reprice()
    replicas.announce()
    replicas.sleep(1.5)
    asking = asyncio.ensure_future(replicas.ask(0, "S-1", "S-2"))
    await asyncio.sleep(0)
    replicas.sleep(12)
    await asking
    await replicas.stop()
