"""A page answered as a whole is answered as each of its lines would have been."""

import asyncio
from dataclasses import replace
from typing import NamedTuple, cast

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pricing_proxy.cache.memory import MemoryStore
from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.domain.freshness import Level, Mode, State, classify, fresh_span
from pricing_proxy.names import ByName
from pricing_proxy.prices.basis import Knowledge
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.prices.modes import mode_policies
from pricing_proxy.prices.page import Page
from pricing_proxy.prices.query import Columns, Key, Line, PriceQuery, Quote
from pricing_proxy.prices.recalling import RecalledLines, recall
from pricing_proxy.prices.shelf import Shelf
from pricing_proxy.shared_state.item_map import Item
from pricing_proxy.shared_state.ledger import LedgerEntry, Scope, ScopeKind
from tests.fakes.price_cache import MEGABYTE, FakeRedis
from tests.fakes.price_world import ACCOUNT, MARKET, context_of, key_of, price_service
from tests.virtual_time import run_virtual

SECOND = 1_000_000
NOW = 1000 * SECOND
CHANGED = (Scope(ScopeKind.ALL), Scope(ScopeKind.ITEM, "S-1"))
# When this process was told directly of a change.
TOLD = NOW - 10 * SECOND
SKUS = ("S-1", "S-2", "S-3")

ENTRIES = st.builds(
    Entry,
    kind=st.sampled_from(Kind),
    fragment=st.sampled_from(["{1", "{2"]),
    loaded_us=st.sampled_from([NOW - 400 * SECOND, NOW - 20 * SECOND, NOW - SECOND, NOW + 1]),
    position=st.integers(1, 4),
    soft_us=st.sampled_from([10 * SECOND, 300 * SECOND]),
    hard_us=st.just(3600 * SECOND),
)
KEYS = st.builds(Key, st.sampled_from(SKUS), st.sampled_from(["PCS", "BOX"]), st.just("1"))
LINES = st.builds(
    Line,
    st.sampled_from([*SKUS, "UNKNOWN"]),
    st.sampled_from(["1", "1.0"]),
    st.sampled_from([None, "BOX", "PCS"]),
)
CHANGES = st.tuples(
    st.sampled_from(
        [Scope(ScopeKind.ALL), Scope(ScopeKind.ITEM, "S-1"), Scope(ScopeKind.ITEM, "X")]
    ),
    st.sampled_from(Level),
)


class _Read(NamedTuple):
    """A price that was read just before a page."""

    fragment: str
    seconds_ago: int
    position: int
    soft_seconds: int

    def entry(self, now_us: int) -> Entry:
        loaded_us, soft_us = now_us - self.seconds_ago * SECOND, self.soft_seconds * SECOND
        return Entry(Kind.PRICE, self.fragment, loaded_us, self.position, soft_us, soft_us)


READ = st.builds(
    _Read,
    st.sampled_from(["{1", "{2", "{3"]),
    st.sampled_from([0, 5]),
    st.integers(1, 6),
    st.sampled_from([10, 300]),
)


class _Lease(NamedTuple):
    holds: bool


async def _answers(
    entries: dict[Key, Entry],
    lines: list[Line],
    mode: Mode,
    changes: list[tuple[Scope, Level]],
    *,
    is_verified: bool,
) -> tuple[Quote | None, Page]:
    world = price_service(skus=SKUS)
    invalidations = Invalidations(keep_positions=10, keep_us=10, now_us=lambda: TOLD)
    for position, (scope, level) in enumerate(changes, start=1):
        if position == 1:
            entry = LedgerEntry(position, scope, level is Level.HARD)
            invalidations.take(MARKET, entry, changed_us=0)
        else:
            invalidations.tell(MARKET, scope, level)
    known = Knowledge(NOW, invalidations.of_context(MARKET, ACCOUNT, "G"), is_verified)
    query = PriceQuery(
        market=MARKET, customer=None, account=ACCOUNT, currency="EUR", mode=mode, lines=lines
    )
    page = Page(
        query, market=world.market, policy=mode_policies()[mode], arrived_us=NOW, slept_us=0
    )
    page.look_in_memory(entries, known)
    shelf = Shelf(entries)
    # The second time with the plain prices that are kept.
    first, again = (recall(query, market=world.market, shelf=shelf, known=known) for _ in range(2))
    assert (first is None) == (again is None)
    return again, page


@given(
    st.dictionaries(KEYS, ENTRIES, max_size=6),
    st.lists(LINES, min_size=1, max_size=3),
    st.sampled_from(Mode),
    st.lists(CHANGES, max_size=2),
    st.booleans().map(_Lease),
)
def test_what_is_recalled_is_what_the_table_lets_each_line_show(
    shelf: dict[Key, Entry],
    lines: list[Line],
    mode: Mode,
    changes: list[tuple[Scope, Level]],
    lease: _Lease,
) -> None:
    recalled, page = run_virtual(_answers(shelf, lines, mode, changes, is_verified=lease.holds))
    if recalled is None:
        return
    assert page.open_lines == []
    assert page.to_refresh == {}
    by_line = page.quote()
    assert list(recalled.lines) == list(by_line.lines)
    assert recalled._replace(lines=()) == by_line._replace(lines=())


@given(st.lists(ENTRIES, min_size=1, max_size=4))
def test_prices_fresh_together_are_fresh_one_by_one(entries: list[Entry]) -> None:
    kinds, _, loaded, _, soft, _ = zip(*entries, strict=True)
    span = fresh_span(kinds, loaded, soft)
    if span is None:
        assert Kind.NO_PRICE in kinds
        return
    from_us, until_us = span
    for now_us in (from_us, until_us - 1) if from_us < until_us else ():
        states = {classify(entry, now_us, 86_400 * SECOND, True, None) for entry in entries}
        assert states == {State.FRESH}


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(SKUS), min_size=1, max_size=3),
            st.sampled_from([0, 1, 9, 290]),
            st.dictionaries(st.sampled_from(SKUS), READ, max_size=3),
            st.sampled_from([None, None, None, *CHANGED]),
        ),
        min_size=2,
        max_size=6,
    )
)
def test_prices_kept_from_earlier_pages_are_what_the_table_lets_later_ones_show(
    steps: list[tuple[list[str], int, dict[str, _Read], Scope | None]],
) -> None:
    run_virtual(_compare_pages(steps))


async def _compare_pages(
    steps: list[tuple[list[str], int, dict[str, _Read], Scope | None]],
) -> None:
    world, store, now_us = price_service(skus=SKUS), MemoryStore(MEGABYTE), NOW
    invalidations = Invalidations(keep_positions=10, keep_us=10, now_us=lambda: TOLD)
    context = context_of(ACCOUNT)
    for position, (skus, pause_seconds, loaded, changed) in enumerate(steps, start=1):
        now_us += pause_seconds * SECOND
        store.remember(context, {key_of(sku): read.entry(now_us) for sku, read in loaded.items()})
        if changed is not None:
            entry = LedgerEntry(position, changed, is_hard=False)
            invalidations.take(MARKET, entry, changed_us=now_us)
        known = Knowledge(now_us, invalidations.of_context(MARKET, ACCOUNT, "G"), True)
        query = PriceQuery(
            market=MARKET,
            customer=None,
            account=ACCOUNT,
            currency="EUR",
            mode=Mode.BROWSE,
            lines=Columns(skus, ["1"] * len(skus)),
        )
        shelf = store.shelf(context)
        recalled = recall(query, market=world.market, shelf=shelf, known=known)
        page = Page(
            query,
            market=world.market,
            policy=mode_policies()[Mode.BROWSE],
            arrived_us=now_us,
            slept_us=0,
        )
        page.look_in_memory(shelf, known)
        if recalled is not None:
            assert list(recalled.lines) == list(page.quote().lines)


STURDY = _Read("{1", seconds_ago=0, position=5, soft_seconds=300)


@pytest.mark.parametrize(
    ("weaker", "pause_seconds", "changed_at", "is_recalled"),
    [
        (STURDY, 20, 4, True),
        (STURDY._replace(soft_seconds=10), 20, 0, False),
        (STURDY._replace(position=3), 0, 4, False),
        (STURDY._replace(seconds_ago=290), 20, 0, False),
        (STURDY._replace(seconds_ago=-1), 0, 0, False),
    ],
)
async def test_of_prices_kept_together_the_weakest_counts(
    *, weaker: _Read, pause_seconds: int, changed_at: int, is_recalled: bool
) -> None:
    world = price_service(skus=SKUS)
    invalidations = Invalidations(keep_positions=10, keep_us=10, now_us=lambda: TOLD)
    reads = {"S-1": STURDY, "S-2": weaker}
    shelf = Shelf({key_of(sku): read.entry(NOW) for sku, read in reads.items()})

    def page(sku: str, now_us: int) -> Quote | None:
        known = Knowledge(now_us, invalidations.of_context(MARKET, ACCOUNT, "G"), True)
        query = world.query(sku)
        return recall(query, market=world.market, shelf=shelf, known=known)

    assert page("S-1", NOW + SECOND)
    assert page("S-2", NOW + SECOND)
    if changed_at:
        changed = LedgerEntry(changed_at, Scope(ScopeKind.ALL), is_hard=False)
        invalidations.take(MARKET, changed, changed_us=0)
    later = page("S-2", NOW + pause_seconds * SECOND)
    assert (later is not None) == is_recalled


async def test_a_loaded_page_is_recalled() -> None:
    """Otherwise the quick way would be a slow way round."""
    prices = price_service()
    await prices.load("S-1", "S-2")
    quote = await prices.ask("S-2", Line("S-1", "1.0", "PCS"))
    assert isinstance(quote.lines, RecalledLines)
    assert len(quote.lines) == 2
    assert quote.lines[1].line == Line("S-1", "1.0", "PCS")
    assert [line.unit for line in quote.lines[:1]] == ["PCS"]
    assert quote.is_from_memory


async def test_what_memory_holds_whole_is_answered_without_waiting() -> None:
    prices = price_service()
    assert not prices.service.remembers
    assert prices.service.recall(prices.query("S-1")) is None
    await prices.load("S-1")
    assert prices.service.remembers
    recalled = prices.service.recall(prices.query("S-1"))
    assert recalled is not None
    assert list(recalled.lines) == list((await prices.ask("S-1")).lines)


async def test_a_page_unknown_to_this_process_is_answered_as_a_whole_by_one_load() -> None:
    redis = FakeRedis()
    first, second = price_service(redis=redis), price_service(redis=redis)
    cold = await first.ask("S-1", "S-2", "S-1")
    assert isinstance(cold.lines, RecalledLines)
    assert {line.level for line in cold.lines} == {"source"}
    await first.settle()
    shared, same = await asyncio.gather(second.ask("S-2", "S-1"), second.ask("S-1"))
    assert (shared.is_from_memory, redis.reads) == (False, 2)
    for quote in (shared, same):
        assert isinstance(quote.lines, RecalledLines)
        assert quote.lines.level == "l2"


@pytest.mark.parametrize("mode", [Mode.BROWSE, Mode.CART])
async def test_a_page_of_another_change_is_still_recalled(mode: Mode) -> None:
    prices = price_service()
    await prices.load("S-1")
    prices.invalidate(ScopeKind.ITEM, "S-2")
    assert isinstance((await prices.ask("S-1", mode=mode)).lines, RecalledLines)


async def test_kept_prices_answer_as_found_ones_do() -> None:
    prices = price_service()
    await prices.load("S-1", "S-2")
    found = await prices.ask("S-2", "S-1")
    remembered = await prices.ask("S-2", "S-1")
    assert isinstance(remembered.lines, RecalledLines)
    assert list(remembered.lines) == list(found.lines)
    assert [line.line.sku for line in remembered.lines] == ["S-2", "S-1"]


async def test_an_item_no_longer_sold_is_not_recalled() -> None:
    prices = price_service()
    await prices.load("S-1")
    assert isinstance((await prices.ask("S-1")).lines, RecalledLines)
    catalog = cast("ByName[Item]", prices.master.items())
    changed = replace(catalog["S-1"], is_sold=False)
    prices.master.catalog = ByName({**catalog, "S-1": changed})
    assert (await prices.ask_one("S-1")).state is State.NO_PRICE


def test_columns_are_the_lines_they_came_from() -> None:
    lines = [Line("A", "1"), Line("B", "2.50", "BOX")]
    columns = Columns.of(lines)
    assert list(columns) == lines
    assert columns[1] == lines[1]
    assert columns[:1] == lines[:1]
    assert (len(columns), columns.quantity, columns.shortest) == (2, None, ["1", "2.5"])
    assert list(Columns(["A"], ["1"])) == [Line("A", "1")]
