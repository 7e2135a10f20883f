"""Turns by key, then by customer: against a naive model, and as promises to a neighbour."""

from collections.abc import Sequence

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pricing_proxy.resilience.call_class import Caller
from pricing_proxy.resilience.turns import Turns

CALLERS = st.builds(Caller, st.sampled_from("AB"), st.sampled_from("123"))


class TurnsAgainstModel(RuleBasedStateMachine):
    """Come, share, leave and be served in any order; the model keeps lists and counts."""

    newest_first = False

    def __init__(self) -> None:
        super().__init__()
        self.turns: Turns[int] = Turns(newest_first=self.newest_first)
        self.waiting: dict[int, list[Caller]] = {}
        self.served: list[list[Caller]] = []
        self.numbers = 0

    @rule(caller=CALLERS, other=CALLERS)
    def come(self, caller: Caller, other: Caller) -> None:
        self.numbers += 1
        self.turns.add(self.numbers, *dict.fromkeys([caller, other]))
        self.waiting[self.numbers] = list(dict.fromkeys([caller, other]))

    @precondition(lambda self: self.waiting)
    @rule(caller=CALLERS, data=st.data())
    def share(self, caller: Caller, data: st.DataObject) -> None:
        waiter = data.draw(st.sampled_from(list(self.waiting)))
        self.turns.share(waiter, caller)
        if caller not in self.waiting[waiter]:
            self.waiting[waiter].append(caller)

    @rule(waiter=st.integers(1, 30))
    def leave(self, waiter: int) -> None:
        self.turns.remove(waiter)
        self.gone(waiter)

    @precondition(lambda self: self.waiting)
    @rule()
    def serve(self) -> None:
        first = next(self.turns.in_order())
        callers = self.waiting[first]
        assert any(map(self.is_next, callers))
        self.turns.serve(first)
        self.served.append(callers)
        self.gone(first)

    def is_next(self, caller: Caller) -> bool:
        """Return whether neither another key nor another customer of the key is due before."""
        everyone = {each for callers in self.waiting.values() for each in callers}
        first_of_keys = min(self.last_turn_of_key(each.key) for each in everyone)
        first = min(self.last_turn(each) for each in everyone if each.key == caller.key)
        return (self.last_turn_of_key(caller.key), self.last_turn(caller)) == (first_of_keys, first)

    def gone(self, waiter: int) -> None:
        self.waiting.pop(waiter, None)
        if not self.waiting:
            self.served.clear()

    def last_turn(self, caller: Caller) -> int:
        return max((at for at, each in enumerate(self.served, 1) if caller in each), default=0)

    def last_turn_of_key(self, key: str) -> int:
        turns = enumerate(self.served, 1)
        return max((at for at, each in turns if key in {c.key for c in each}), default=0)

    @invariant()
    def all_wait_once_and_are_found(self) -> None:
        assert len(self.turns) == len(self.waiting)
        assert list(self.turns) == list(self.waiting)
        assert set(self.turns.in_order()) == set(self.waiting)


class NewestFirst(TurnsAgainstModel):
    """The same where the newest goes first."""

    newest_first = True


TurnsAgainstModel.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
NewestFirst.TestCase.settings = TurnsAgainstModel.TestCase.settings
TestTurnsAgainstModel = TurnsAgainstModel.TestCase
TestNewestFirst = NewestFirst.TestCase


def served(turns: Turns[str], count: int) -> list[str]:
    order = []
    for _ in range(count):
        first = next(turns.in_order())
        turns.serve(first)
        order.append(first)
    return order


@given(
    floods=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    newest_first=st.booleans(),
)
def test_whoever_waits_is_served_before_any_other_key_is_served_twice(
    floods: Sequence[int], *, newest_first: bool
) -> None:
    turns: Turns[str] = Turns(newest_first=newest_first)
    for key, count in enumerate(floods):
        for number in range(count):
            turns.add(f"{key}:{number}", Caller(str(key), str(number % 3)))
    total = sum(floods)
    order = [name.partition(":")[0] for name in served(turns, total - 1)]
    turns.add("late", Caller("late", ""))
    assert "late" in served(turns, 2)[:2]
    for round_of in range(min(floods)):
        part = order[round_of * len(floods) : (round_of + 1) * len(floods)]
        assert len(set(part)) == len(part)


@pytest.mark.parametrize("newest_first", [False, True])
def test_customers_of_one_key_take_turns(*, newest_first: bool) -> None:
    turns: Turns[str] = Turns(newest_first=newest_first)
    for number in range(20):
        turns.add(f"flood {number}", Caller("shop", "C-1"))
    turns.add("other 1", Caller("shop", "C-2"))
    turns.add("other 2", Caller("shop", "C-2"))

    order = served(turns, 4)

    assert [name.partition(" ")[0] for name in order].count("other") == 2


def test_the_flood_that_comes_back_at_once_is_not_first_again() -> None:
    """Each time one of its calls was served it brings a new one, the newest of all."""
    turns: Turns[str] = Turns(newest_first=True)
    for number in range(3):
        turns.add(f"patient {number}", Caller("shop", f"C-{number}"))
    order = []
    for number in range(4):
        turns.add(f"flood {number}", Caller("shop", "C-9"))
        order += served(turns, 1)

    assert order == ["flood 0", "patient 2", "patient 1", "patient 0"]


def test_a_shared_load_goes_with_the_first_turn_of_either() -> None:
    turns: Turns[str] = Turns(newest_first=False)
    for number in range(5):
        turns.add(f"flood {number}", Caller("A", "C-1"))
    turns.share("flood 4", Caller("B", "C-1"))
    turns.share("flood 4", Caller("B", "C-1"))

    assert served(turns, 2) == ["flood 0", "flood 4"]
    assert list(turns) == ["flood 1", "flood 2", "flood 3"]


@pytest.mark.parametrize(
    ("newest_first", "newcomer", "leaves"),
    [
        (False, Caller("A", "C-1"), None),
        (False, Caller("A", "C-2"), "flood 4"),
        (False, Caller("B", "C-1"), "flood 4"),
        (True, Caller("A", "C-1"), "flood 0"),
        (True, Caller("A", "C-2"), "flood 0"),
        (True, Caller("B", "C-1"), "flood 0"),
    ],
)
def test_who_crowds_a_full_line_makes_room_in_it(
    *, newest_first: bool, newcomer: Caller, leaves: str | None
) -> None:
    turns: Turns[str] = Turns(newest_first=newest_first)
    turns.add("before", Caller("A", "C-2"))
    turns.add("neighbour", Caller("B", "C-9"))
    for number in range(5):
        turns.add(f"flood {number}", Caller("A", "C-1"))

    assert turns.one_too_many(newcomer) == leaves


@given(
    waiting=st.lists(CALLERS, min_size=1, max_size=40),
    newcomer=CALLERS,
    newest_first=st.booleans(),
)
def test_nobody_with_a_smaller_share_of_the_line_is_sent_away(
    waiting: Sequence[Caller], newcomer: Caller, *, newest_first: bool
) -> None:
    turns: Turns[int] = Turns(newest_first=newest_first)
    for number, caller in enumerate(waiting):
        turns.add(number, caller)
    leaving = turns.one_too_many(newcomer)
    everyone = [*waiting, newcomer]
    sent_away = newcomer if leaving is None else waiting[leaving]
    keys = [caller.key for caller in everyone]
    assert keys.count(sent_away.key) == max(map(keys.count, keys))
    same = [keys.count(caller.key) == keys.count(sent_away.key) for caller in everyone]
    rivals = [caller for caller, is_same in zip(everyone, same, strict=True) if is_same]
    assert everyone.count(sent_away) == max(map(everyone.count, rivals))


def test_what_is_remembered_of_turns_is_bounded() -> None:
    turns: Turns[int] = Turns(newest_first=False)
    turns.add(-1, Caller("patient", ""))
    turns.add(-2, Caller("patient", ""))
    for number in range(10_000):
        turns.add(number, Caller("flood", f"C-{number}"))
        turns.serve(number)
    assert len(turns._served) == 4096
    turns.remove(-1)
    turns.remove(-2)
    assert len(turns._served) == 0
