"""What is known to have changed agrees with a model that keeps every change and looks at all."""

from collections.abc import Sequence
from operator import itemgetter
from unittest.mock import patch

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pricing_proxy.domain.freshness import Level
from pricing_proxy.prices import scope_marks
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.shared_state.ledger import LedgerEntry, Scope, ScopeKind

MARKET = "m"
KEEP = 40
# So few that random changes of six items soon are too many.
MOST = 4
ITEMS = [f"I-{number}" for number in range(6)]
ACCOUNTS = ["C-1", "C-2"]
GROUPS = ["G-1", "G-2"]
SCOPES = [
    *(Scope(ScopeKind.ITEM, code) for code in ITEMS * 3),
    *(Scope(ScopeKind.CUSTOMER, code) for code in ACCOUNTS),
    *(Scope(ScopeKind.PRICE_GROUP, code) for code in GROUPS),
    Scope(ScopeKind.ALL),
]


class InvalidationsAgainstModel(RuleBasedStateMachine):
    """Changes in the ledger, changes told directly, time, and the ledger read again.

    A position is the instant of its entry, as in the ledger, where a millisecond is one too.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 1
        self.taken: list[LedgerEntry] = []
        self.told: list[tuple[int, Scope, Level]] = []
        self.real = Invalidations(keep_positions=KEEP, keep_us=KEEP, now_us=lambda: self.now)

    @rule(scope=st.sampled_from(SCOPES), is_hard=st.booleans(), wait=st.integers(1, 9))
    def changed(self, scope: Scope, is_hard: bool, wait: int) -> None:  # noqa: FBT001
        self.now += wait
        entry = LedgerEntry(self.now, scope, is_hard)
        self.taken.append(entry)
        self.take(entry)

    @rule(scope=st.sampled_from(SCOPES), level=st.sampled_from(Level), wait=st.integers(1, 9))
    def said(self, scope: Scope, level: Level, wait: int) -> None:
        self.now += wait
        self.told.append((self.now, scope, level))
        with patch.object(scope_marks, "MOST_MARKS", MOST):
            self.real.tell(MARKET, scope, level)

    @rule()
    def ledger_is_read_again(self) -> None:
        for entry in self.taken:
            if entry.position >= self.now - KEEP:
                self.take(entry)

    def take(self, entry: LedgerEntry) -> None:
        with patch.object(scope_marks, "MOST_MARKS", MOST):
            self.real.take(MARKET, entry, changed_us=entry.position)

    def given_up(self) -> int:
        """Return the newest instant that may count as a change of everything."""
        changes = [(entry.position, entry.scope) for entry in self.taken]
        changes += [(at, scope) for at, scope, _ in self.told]
        last = {
            scope: at
            for at, scope in sorted(changes, key=itemgetter(0))
            if scope.kind is ScopeKind.ITEM
        }
        return max(sorted(last.values())[:-MOST], default=0)

    def instants(self) -> Sequence[int]:
        """Return the beginnings of reads that differ by a change."""
        changes = {entry.position for entry in self.taken} | {at for at, *_ in self.told}
        around = {at - 1 for at in changes} | changes
        return sorted(at for at in around if at >= self.now - KEEP)

    def expected(self, account: str, group: str, item: str, loaded: int) -> Level | None:
        """Return the strictest level of all changes that a read at that instant has not seen."""
        touching = {
            Scope(ScopeKind.ITEM, item),
            Scope(ScopeKind.CUSTOMER, account),
            Scope(ScopeKind.PRICE_GROUP, group),
            Scope(ScopeKind.ALL),
        }
        levels = {
            Level.HARD if entry.is_hard else Level.SOFT
            for entry in self.taken
            if entry.scope in touching and entry.position > loaded
        }
        levels |= {level for at, scope, level in self.told if scope in touching and at > loaded}
        return Level.HARD if Level.HARD in levels else next(iter(levels), None)

    @invariant()
    def nothing_is_missed_and_little_is_made_up(self) -> None:
        given_up = self.given_up()
        for account, group in zip(ACCOUNTS, GROUPS, strict=True):
            marks = self.real.of_context(MARKET, account, group)
            for item in ITEMS:
                for loaded in self.instants():
                    found = None if marks is None else marks.level(item, loaded, loaded)
                    expected = self.expected(account, group, item, loaded)
                    if loaded >= given_up:
                        assert found is expected
                    assert found is expected or expected is not Level.HARD
                    assert expected is None or found is not None

    @invariant()
    def a_page_is_touched_when_an_item_of_it_is(self) -> None:
        marks = self.real.of_context(MARKET, ACCOUNTS[0], GROUPS[0])
        if marks is None:
            return
        for loaded in self.instants():
            levels = [marks.level(item, loaded, loaded) for item in ITEMS[:3]]
            assert marks.touches(ITEMS[:3], loaded, loaded) is any(levels)

    @invariant()
    def no_more_are_kept_than_may_be(self) -> None:
        assert self.real.count(MARKET) <= MOST + len(ACCOUNTS) + len(GROUPS) + 1


TestInvalidationsAgainstModel = InvalidationsAgainstModel.TestCase
TestInvalidationsAgainstModel.settings = settings(max_examples=60, stateful_step_count=25)
