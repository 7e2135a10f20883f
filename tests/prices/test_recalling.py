"""A page answered as a whole is answered as each of its lines would have been."""

from dataclasses import replace
from typing import NamedTuple, cast

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pricing_proxy.domain.entry import Entry, Kind
from pricing_proxy.domain.freshness import Level, Mode, State, are_fresh, classify
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.prices.modes import mode_policies
from pricing_proxy.prices.page import Knowledge, Page
from pricing_proxy.prices.query import Columns, Key, Line, PriceQuery, Quote
from pricing_proxy.prices.recalling import KeyTable, RecalledLines, recall
from pricing_proxy.shared_state.item_map import Item
from pricing_proxy.shared_state.ledger import LedgerEntry, Scope, ScopeKind
from tests.fakes.price_world import ACCOUNT, MARKET, price_service
from tests.virtual_time import run_virtual

SECOND = 1_000_000
NOW = 1000 * SECOND
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


class _Lease(NamedTuple):
    holds: bool


async def _answers(
    shelf: dict[Key, Entry],
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
    page = Page(query, market=world.market, policy=mode_policies()[mode], arrived_us=NOW)
    page.look_in_memory(shelf, known)
    table = KeyTable()
    # The second time with the keys that are remembered.
    first, again = (
        recall(query, market=world.market, shelf=shelf, known=known, table=table) for _ in range(2)
    )
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
    if are_fresh(kinds, loaded, soft, now_us=NOW):
        states = {classify(entry, NOW, 86_400 * SECOND, True, None) for entry in entries}
        assert states == {State.FRESH}


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


@pytest.mark.parametrize("mode", [Mode.BROWSE, Mode.CART])
async def test_a_page_of_another_change_is_still_recalled(mode: Mode) -> None:
    prices = price_service()
    await prices.load("S-1")
    prices.invalidate(ScopeKind.ITEM, "S-2")
    assert isinstance((await prices.ask("S-1", mode=mode)).lines, RecalledLines)


async def test_remembered_keys_answer_as_found_ones_do() -> None:
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
    catalog = cast("dict[str, Item]", prices.master.items())
    prices.master.catalog = {**catalog, "S-1": replace(catalog["S-1"], is_sold=False)}
    assert (await prices.ask_one("S-1")).state is State.NO_PRICE


def test_columns_are_the_lines_they_came_from() -> None:
    lines = [Line("A", "1"), Line("B", "2.50", "BOX")]
    columns = Columns.of(lines)
    assert list(columns) == lines
    assert columns[1] == lines[1]
    assert columns[:1] == lines[:1]
    assert (len(columns), columns.quantity, columns.shortest) == (2, None, ["1", "2.5"])
    assert list(Columns(["A"], ["1"])) == [Line("A", "1")]
