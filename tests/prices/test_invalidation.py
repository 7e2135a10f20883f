"""A price read before a change is not shown as a current one after it."""

import asyncio

import pytest

from pricing_proxy.domain.freshness import Level, Mode, State
from pricing_proxy.prices.invalidations import LONG_AGO_US, Invalidations, PageMarks
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.shared_state.ledger import MAX_ITEMS, LedgerEntry, Scope, ScopeKind
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
    asking = asyncio.ensure_future(world.ask(*skus, wait_seconds=5))
    await asyncio.sleep(0.15)
    world.invalidate(ScopeKind.ITEM, "S-1")
    await asking
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


NOW = 10_000


def _entry(position: int, kind: ScopeKind, code: str = "", *, is_hard: bool = False) -> LedgerEntry:
    return LedgerEntry(position, Scope(kind, code), is_hard)


def _knowledge(*entries: LedgerEntry, keep: int = 10**12) -> Invalidations:
    known = Invalidations(keep_positions=keep, keep_us=keep, now_us=lambda: NOW)
    for entry in entries:
        known.take("m", entry, changed_us=entry.position)
    return known


def _marks(known: Invalidations, account: str = "C", price_group: str = "G") -> PageMarks:
    marks = known.of_context("m", account, price_group)
    assert marks is not None
    return marks


def test_a_load_that_begins_at_the_position_of_a_change_knows_it() -> None:
    known = _knowledge()
    before = known.position("m")
    known.take("m", _entry(7, ScopeKind.ITEM, "I", is_hard=True), changed_us=70)
    marks = _marks(known)
    assert marks.level("I", before, 0) is Level.HARD
    assert marks.level("I", known.position("m"), 0) is None
    assert (marks.changed_us("I"), marks.changed_us("J")) == (70, LONG_AGO_US)


def test_an_older_change_that_is_told_again_takes_nothing_back() -> None:
    """A reader that begins anew passes on what was known before."""
    known = _knowledge(_entry(9, ScopeKind.ALL), _entry(5, ScopeKind.ALL), _entry(5, ScopeKind.ALL))
    assert known.position("m") == 9
    assert _marks(known).level("I", 8, 0) is Level.SOFT


def test_the_strictest_of_a_page_and_its_items_counts() -> None:
    known = _knowledge(
        _entry(3, ScopeKind.CUSTOMER, "C", is_hard=True),
        _entry(4, ScopeKind.PRICE_GROUP, "G"),
        _entry(5, ScopeKind.ITEM, "I", is_hard=True),
        _entry(6, ScopeKind.ITEM, "J"),
    )
    marks = _marks(known)
    levels = {p: (marks.level("I", p, 0), marks.level("J", p, 0)) for p in range(2, 7)}
    assert levels == {
        2: (Level.HARD, Level.HARD),
        3: (Level.HARD, Level.SOFT),
        4: (Level.HARD, Level.SOFT),
        5: (None, Level.SOFT),
        6: (None, None),
    }
    assert _marks(known, "D", "").level("J", 5, 0) is Level.SOFT


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("kind", [ScopeKind.ITEM, ScopeKind.ALL])
def test_what_a_process_is_told_holds_for_what_was_read_before(
    kind: ScopeKind, level: Level
) -> None:
    """Whatever its position: Redis may not have taken it, so it has none."""
    known = _knowledge(_entry(3, ScopeKind.ALL))
    known.tell("m", Scope(kind, "I"), level)
    marks = _marks(known)
    assert [marks.level("I", 3, loaded_us) for loaded_us in (NOW - 1, NOW)] == [level, None]
    assert known.position("m") == 3


def test_changes_older_than_any_price_are_forgotten() -> None:
    known = _knowledge(
        _entry(1, ScopeKind.ITEM, "X"),
        _entry(2, ScopeKind.CUSTOMER, "X"),
        *(_entry(1000 + number, ScopeKind.ITEM, "Y") for number in range(500)),
        keep=600,
    )
    assert known.count("m") == 1
    assert _marks(known, "X").level("X", 0, 0) is None


def test_how_much_is_known_can_be_counted() -> None:
    assert _knowledge().count("m") == 0
    assert _knowledge(_entry(1, ScopeKind.ALL), _entry(2, ScopeKind.ITEM, "I")).count("m") == 2


def test_more_single_items_than_can_be_remembered_are_a_change_of_everything() -> None:
    known = _knowledge(*(_entry(n, ScopeKind.ITEM, f"I-{n}") for n in range(1, MAX_ITEMS + 1)))
    assert _marks(known).level("untouched", 0, 0) is None
    known.take("m", _entry(MAX_ITEMS + 1, ScopeKind.ITEM, "one more"), changed_us=0)
    assert _marks(known).level("untouched", MAX_ITEMS, 0) is Level.SOFT
    known.take("m", _entry(MAX_ITEMS + 2, ScopeKind.ITEM, "I-1", is_hard=True), changed_us=0)
    assert _marks(known).level("untouched", MAX_ITEMS + 1, 0) is None


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
