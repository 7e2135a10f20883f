"""What is remembered of the ledger: the newest of each scope, so many and so long."""

import sys
from types import FrameType

import pytest

from pricing_proxy.domain.freshness import Level
from pricing_proxy.prices import scope_marks
from pricing_proxy.prices.invalidations import Invalidations, PageMarks
from pricing_proxy.prices.scope_marks import LONG_AGO_US
from pricing_proxy.shared_state.ledger import LedgerEntry, Scope, ScopeKind

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


def test_as_many_items_as_are_kept_one_by_one_touch_nothing_else() -> None:
    """A price list that changes overnight must not make a shop ask for all its prices."""
    known = _knowledge(*(_entry(n, ScopeKind.ITEM, f"I-{n}") for n in range(1, 20_001)))
    assert _marks(known).level("untouched", 0, 0) is None
    assert _marks(known).level("I-1", 0, 0) is Level.SOFT


def test_of_more_scopes_than_are_kept_the_oldest_are_an_old_change_of_everything(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was read after the oldest is still as fresh as it was."""
    monkeypatch.setattr(scope_marks, "MOST_MARKS", 3)
    known = _knowledge(*(_entry(n, ScopeKind.ITEM, f"I-{n}", is_hard=n == 1) for n in range(1, 5)))
    levels = [_marks(known).level("untouched", position, 0) for position in range(3)]
    assert levels == [Level.HARD, None, None]
    assert _marks(known).level("I-4", 3, 0) is Level.SOFT
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    known.take("m", _entry(5, ScopeKind.ITEM, "I-5"), changed_us=5)
    assert len(caplog.records) == 1, "said once"


def test_what_was_told_and_is_kept_no_more_holds_for_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scope_marks, "MOST_MARKS", 1)
    known = _knowledge()
    known.tell("m", Scope(ScopeKind.CUSTOMER, "C"), Level.HARD)
    known.take("m", _entry(9, ScopeKind.CUSTOMER, "D"), changed_us=NOW)
    levels = [_marks(known).level("I", 9, loaded_us) for loaded_us in (NOW - 1, NOW)]
    assert levels == [Level.HARD, None]


def test_what_changes_again_is_not_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope_marks, "MOST_MARKS", 2)
    changed = [_entry(n, ScopeKind.ITEM, code) for n, code in enumerate(["I", "J", "I", "K"], 1)]
    known = _knowledge(*changed)
    levels = [_marks(known).level("untouched", position, 0) for position in (1, 2)]
    assert levels == [Level.SOFT, None]


def test_reading_the_ledger_again_gives_up_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mark given up would push the next one out, up to the newest."""
    monkeypatch.setattr(scope_marks, "MOST_MARKS", 3)
    entries = [_entry(n, ScopeKind.ITEM, f"I-{n}") for n in range(1, 8)]
    known = _knowledge(*entries, *entries)
    assert _marks(known).level("untouched", 4, 0) is None
    assert known.count("m") == 4


def test_a_page_is_touched_by_what_changed_or_was_said_after_it_was_read() -> None:
    known = _knowledge(_entry(5, ScopeKind.ITEM, "I"))
    assert [_marks(known).touches(["i"], position, NOW) for position in (4, 5)] == [True, False]
    assert not _marks(known).touches(["J"], 4, NOW)
    known.tell("m", Scope(ScopeKind.ITEM, "I"), Level.SOFT)
    assert [_marks(known).touches(["I"], 5, read_us) for read_us in (NOW - 1, NOW)] == [True, False]


def test_reading_an_old_entry_again_hides_no_newer_one() -> None:
    known = _knowledge(_entry(9, ScopeKind.ITEM, "I"), _entry(3, ScopeKind.ITEM, "J"))
    assert _marks(known).touches(["I"], 8, NOW)


def test_work_grows_as_the_number_of_changes_does() -> None:
    """Looking at all that is known, time and again, made a long ledger cost minutes."""
    few, many = _calls_for(1500), _calls_for(3000)
    assert many < 2.2 * few


def _calls_for(count: int) -> int:
    """Return how many functions are called to take so many changes."""
    calls = 0

    def profile(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event == "call"

    entries = [_entry(n, ScopeKind.ITEM, f"I-{n}") for n in range(1, count + 1)]
    sys.setprofile(profile)
    try:
        _knowledge(*entries)
    finally:
        sys.setprofile(None)
    return calls
