"""Mirrors on a real database against a naive model, in any order of what may happen."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString, TypeVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pricing_proxy.resilience.errors import UpstreamError, UpstreamUnavailableError
from sync.engine.database import database
from sync.store.mirror_records import MirrorChange
from sync.store.mirror_run_record import RunDecisionError
from tests.fakes.mirror_world import FLOW, LIMITS, LOCK, MARKET, Asked, MirrorWorld, risks
from tests.fakes.toy_shop import KilledError
from tests.property.mirror_model import ABSENT, Change, Held, MirrorModel, Staged, one

T = TypeVar("T")
# Two of them are one to the shop.
KEYS = ("LAMP", "lamp ", "CHAIR", "DESK-1", "DESK-2", "DESK-3", "SOFA", "Rug", "SHELF")
ANY = st.integers(0, 1000)
SOME_KEYS = st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)
RESET = (
    "TRUNCATE mirror_row, mirror_run, mirror_staging, mirror_change, mirror_approval,"
    " mirror_wanted, sync_event, sync_attempt, audit RESTART IDENTITY"
)
HELD = """
    SELECT lock_key, coalesce(payload -> 'refused' -> 'global', '{}'),
           coalesce(payload -> 'wanted' -> 'global', '{}'),
           CAST(payload ->> 'refusals' AS int), state = 'received'
    FROM sync_event WHERE state IN ('held', 'received')
"""
# Longer than anything new of what is held waits.
LONG = 70
YESTERDAY = "UPDATE mirror_change SET written_at = written_at - interval '25 hours'"
NEXT = "SELECT last_value + CAST(is_called AS int) FROM mirror_run_id_seq"
CHANGES = """
    SELECT run, folded, key, wanted, known, state, risks, began_at,
           coalesce(written_at > clock_timestamp() - interval '24 hours', false)
    FROM mirror_change
"""


class Mirrors(RuleBasedStateMachine):
    """An ERP that changes and breaks off, a shop that refuses, workers that die, people."""

    def __init__(
        self, runner: asyncio.Runner, world: MirrorWorld, looking: psycopg.Connection
    ) -> None:
        super().__init__()
        self._runner, self._world, self._looking = runner, world, looking
        self._erp, self._shelf = world.erp, world.shelf
        self._model = MirrorModel(risks, LIMITS)
        self._wishes: dict[str, tuple[bool, int]] = {}
        self._unfinished: tuple[int, Staged, dict[str, tuple[bool, int]]] | None = None
        self._failed: dict[int, str] = {}
        # Held keys of which something new is tried later.
        self._later: set[str] = set()
        self._flight: tuple[int, Sequence[MirrorChange]] | None = None
        self._tick = 0
        self._erp.rows.clear()
        self._erp.odd.clear()
        self._shelf.rows.clear()
        self._shelf.refused.clear()
        self._shelf.kept.clear()
        self._erp.leaves_out = set()
        world.entered.held.clear()
        self._run(world.execute(RESET))

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(doing)

    @initialize(keys=st.permutations(KEYS))
    def fill(self, keys: Sequence[str]) -> None:
        """Without rows, most runs would be over before anything could happen."""
        for key in keys[:7]:
            self._erp.rows[key] = {"price": "100", "status": "1"}
        self.full(breaks=None, how="broken", nested=[])
        if self._model.runs:
            self.write(number=0, most=100)

    @rule(key=st.sampled_from(KEYS), price=st.sampled_from(["0", "90", "100", "105", "110", "200"]))
    def reprice(self, key: str, price: str) -> None:
        self._erp.rows.setdefault(key, {"status": "1"})["price"] = price

    @rule(key=st.sampled_from(KEYS), status=st.sampled_from("12"))
    def block(self, key: str, status: str) -> None:
        self._erp.rows.setdefault(key, {"price": "100"})["status"] = status

    @rule(price=st.sampled_from(["0", "105"]))
    def reprice_all(self, price: str) -> None:
        """As a poisoned export does."""
        for values in self._erp.rows.values():
            values["price"] = price

    @rule(keys=SOME_KEYS)
    def take_away(self, keys: list[str]) -> None:
        for key in keys:
            self._erp.rows.pop(key, None)

    @rule(keys=SOME_KEYS, is_odd=st.booleans())
    def make_odd(self, keys: list[str], is_odd: bool) -> None:  # noqa: FBT001 -- Hypothesis' way
        change = self._erp.odd.update if is_odd else self._erp.odd.difference_update
        change(keys)

    @rule(keys=SOME_KEYS)
    def leave_out(self, keys: list[str]) -> None:
        """A read of everything does not bring them, though they are there."""
        self._erp.leaves_out = set(keys[:1])

    @rule(key=st.sampled_from(KEYS), how=st.sampled_from(["refused", "kept", "well"]))
    def be_difficult(self, key: str, how: str) -> None:
        for name in ("refused", "kept"):
            keys: set[str] = getattr(self._shelf, name)
            (keys.add if name == how else keys.discard)(one(key))

    @rule(keys=SOME_KEYS, is_forced=st.booleans())
    def want(self, keys: list[str], is_forced: bool) -> None:  # noqa: FBT001 -- as above
        self._run(self._want(keys, is_forced=is_forced))

    async def _want(self, keys: Sequence[str], *, is_forced: bool) -> None:
        await self._world.want(*keys, is_forced=is_forced)
        for key in keys:
            self._later.discard(one(key))
            self._wish(one(key), is_forced=is_forced)

    def _wish(self, key: str, *, is_forced: bool) -> None:
        self._tick += 1
        was = self._wishes.get(key, (False, 0))[0]
        self._wishes[key] = (was or is_forced, self._tick)

    @rule(
        breaks=st.sampled_from([None, None, 0, 1, 2]),
        how=st.sampled_from(["broken", "away", "killed"]),
        nested=st.one_of(st.just([]), SOME_KEYS),
    )
    def full(self, breaks: int | None, how: str, nested: list[str]) -> None:
        """Read everything; maybe other keys are read for a change meanwhile."""
        self._run(self._full(breaks, how, nested))

    async def _full(self, breaks: int | None, how: str, nested: list[str]) -> None:
        number, staged, wishes = self._unfinished or (
            await self._next(),
            Staged(),
            dict(self._wishes),
        )
        self._unfinished = None
        self._erp.breaks_after, self._erp.error = breaks, ERRORS[how]
        self._erp.between = lambda: self._meanwhile(nested)
        reads: list[Asked] = []
        self._erp.reads = reads
        has_broken = False
        try:
            await self._world.reads.full()
        except (UpstreamError, KilledError):
            has_broken = True
        self._erp.breaks_after = self._erp.between = None
        for asked in reads:
            for page in asked.pages if asked.keys is None else ():
                staged.page(page)
        if has_broken and how != "broken":
            self._unfinished = (number, staged, wishes)
            return
        last = self._model.last_whole
        is_few = not staged.count or (last is not None and staged.count * 10 < last * 9)
        if has_broken or is_few:
            self._failed[number] = "failed"
            return
        await self._planned(number, staged, reads, wishes, trigger="full", keys=None)

    async def _meanwhile(self, keys: list[str]) -> None:
        """Read some keys while a read of everything goes on, once."""
        if not keys:
            return
        mine, self._erp.reads = self._erp.reads, []
        await self._want(keys, is_forced=False)
        keys.clear()
        await self._change()
        self._erp.reads = mine

    @rule()
    def change(self) -> None:
        self._run(self._change())

    async def _change(self) -> None:
        if not self._wishes:
            return
        keys = await self._world.plans.wanted.due(FLOW, MARKET, most=99)
        assert sorted(map(one, keys)) == sorted(self._wishes)
        await self._some("change", keys)

    @rule(keys=SOME_KEYS, is_forced=st.booleans())
    def read_by_hand(self, keys: list[str], is_forced: bool) -> None:  # noqa: FBT001 -- as above
        self._run(self._some("by_hand", keys, is_forced=is_forced))

    @rule(keys=SOME_KEYS)
    def only_look(self, keys: list[str]) -> None:
        self._run(self._some("plan", keys))

    async def _some(self, trigger: str, keys: Sequence[str], *, is_forced: bool = False) -> None:
        number, wishes, reads = await self._next(), dict(self._wishes), list[Asked]()
        self._erp.reads = reads
        if trigger == "change":
            await self._world.reads.change()
        else:
            await self._world.reads.by_hand(
                by="anna", keys=keys, is_forced=is_forced, only_looks=trigger == "plan"
            )
        staged = Staged()
        for page in reads[0].pages:
            staged.page(page)
        await self._planned(
            number, staged, reads[1:], wishes, trigger=trigger, keys=keys, is_forced=is_forced
        )

    async def _planned(
        self,
        number: int,
        staged: Staged,
        reads: Sequence[Asked],
        wishes: dict[str, tuple[bool, int]],
        *,
        trigger: str,
        keys: Sequence[str] | None,
        is_forced: bool = False,
    ) -> None:
        second = [asked for asked in reads if asked.keys is not None]
        renamed = set() if keys is None else self._model.renamed(staged)
        if renamed:
            assert set(second[0].keys or ()) == renamed
            for page in second.pop(0).pages:
                staged.page(page, is_second=True)
        if unread := self._model.unread(staged, keys):
            [asked] = second
            assert list(asked.keys or ()) == [self._model.known[key].key for key in unread]
            for page in asked.pages:
                staged.page(page, is_second=True)
            for key in unread:
                if key not in staged.keys:
                    staged.rows[key] = [(self._model.known[key].key, ABSENT, asked.at)]
        else:
            assert second == []
        fulfilled = {
            key: forced
            for key, (forced, tick) in wishes.items()
            if self._wishes.get(key, (False, -1))[1] == tick
        }
        forced = {key for key, is_so in fulfilled.items() if is_so}
        later = self._model.plan(
            number, staged, trigger=trigger, forced=forced, keys=keys, is_forced=is_forced
        )
        for key in fulfilled if trigger != "plan" else ():
            if keys is None or key in map(one, keys):
                del self._wishes[key]
        # What is wished for anyhow is not put off.
        for key in later & self._wishes.keys():
            self._wish(key, is_forced=False)
        self._later |= later - self._wishes.keys()
        self._note_odd(staged, trigger)

    def _note_odd(self, staged: Staged, trigger: str) -> None:
        held = self._model.held
        entered = {one(each.key) for each in self._world.entered.held}
        new = staged.odd.keys() - held.keys() if trigger not in ("plan", "alone") else set()
        # Of those that are held so already it may say something else now.
        assert entered - {key for key, each in held.items() if not each.refused} == new
        for key in new:
            held[key] = Held()
        self._world.entered.held.clear()

    async def _next(self) -> int:
        """Return the number of the run that is begun next."""
        return int(await self._world.value(NEXT))

    def _pick(self, number: int, *states: str) -> int | None:
        runs = [run for run, each in self._model.runs.items() if each.state in states]
        return sorted(runs)[number % len(runs)] if runs else None

    @precondition(lambda self: self._flight is None)
    @rule(number=ANY, most=st.sampled_from([1, 3, 100]))
    def write(self, number: int, most: int) -> None:
        """Write a chunk, all of it at once."""
        self.begin_to_write(number, most)
        self.end_writing()

    @precondition(lambda self: self._flight is None)
    @rule(number=ANY, most=st.sampled_from([1, 3, 100]))
    def begin_to_write(self, number: int, most: int) -> None:
        """Take a chunk and look at the shop; other runs may be planned before it is written."""
        run = self._pick(number, "writing")
        if run is None:
            return
        planned = {
            key: c for key, c in self._model.runs[run].changes.items() if c.state == "planned"
        }
        changes = self._run(self._world.begin(run, most))
        assert [one(each.key) for each in changes] == sorted(planned)[:most]
        for each in changes:
            assert each.wanted == planned[one(each.key)].wanted
            self._model.note(run, one(each.key), self._shelf.rows.get(one(each.key)))
        self._flight = (run, changes)

    @precondition(lambda self: self._flight is not None)
    @rule()
    def end_writing(self) -> None:
        if self._flight is None:
            return
        run, changes = self._flight
        self._flight = None
        ends = [self._shelf.take(each) for each in changes]
        self._run(self._world.end(run, changes, ends))
        for each in ends:
            change = self._model.runs[run].changes[one(each.key)]
            self._model.end(run, change, each.end.value, each.values)
        self._model.runs[run].settle()

    @precondition(lambda self: self._flight is not None)
    @rule()
    def die_after_writing(self) -> None:
        """The shop has it, and nobody knows: the same rows are handed out again."""
        if self._flight is not None:
            for each in self._flight[1]:
                self._shelf.take(each)
        self._flight = None

    @precondition(lambda self: self._flight is None)
    @rule(number=ANY)
    def try_again(self, number: int) -> None:
        """Carry the event of a held key that is in line."""
        self._run(self._try_again(number))

    async def _try_again(self, number: int) -> None:
        events = sorted(await self._world.in_line())
        if not events:
            return
        event = events[number % len(events)]
        statement = "SELECT payload FROM sync_event WHERE id = :id"
        payload = await self._world.value(statement, id=event)
        keys, run = [payload["key"], *payload["meets"]], await self._next()
        wishes, reads, model = dict(self._wishes), list[Asked](), self._model
        shelf = {key: dict(values) for key, values in self._shelf.rows.items()}
        held = model.held[one(keys[0])]
        held.refused, held.wanted = {}, {}
        self._erp.reads = reads
        ends = await self._world.try_again(event)
        staged = Staged()
        for page in reads[0].pages:
            staged.page(page)
        await self._planned(run, staged, reads[1:], wishes, trigger="alone", keys=keys)
        changes = model.runs[run].changes
        for each in ends:
            model.note(run, one(each.key), shelf.get(one(each.key)))
        for each in ends:
            model.end(run, changes[one(each.key)], each.end.value, each.values)
        if staged.odd and not changes:
            # Its event says all that is to be said.
            del model.runs[run]
        held.is_in_line = held.is_rested = False
        if not staged.odd and not held.refused:
            del model.held[one(keys[0])]

    @precondition(lambda self: self._unfinished is None)
    @rule()
    def let_an_hour_pass(self) -> None:
        self._run(self._world.let_pass(LONG))
        for held in self._model.held.values():
            held.is_rested = True
        for key in sorted(self._later):
            self._wish(key, is_forced=False)
        self._later.clear()

    @rule(number=ANY, risk=st.sampled_from([None, "repriced", "withdrawn", "zeroed"]))
    def approve(self, number: int, risk: str | None) -> None:
        run = self._pick(number, "waiting", "writing")
        if run is None:
            return
        approving = self._world.plans.decisions.approve(run, by="anna", risk=risk)
        before = {**self._model.approvals}
        if rows := self._model.approve(run, risk):
            assert self._run(approving) == rows
            return
        # Nothing was changed by it.
        self._model.approvals = before
        with pytest.raises(RunDecisionError):
            self._run(approving)
        self._unmark(run)

    def _unmark(self, run: int) -> None:
        """Take what the database has: the decision was not taken."""
        rows = self._run(
            self._world.all("SELECT folded, risks FROM mirror_change WHERE run = :r", r=run)
        )
        for folded, kept in rows:
            its = [each.split("/") for each in kept]
            self._model.runs[run].changes[folded].risks = {name: rest for name, *rest in its}

    @rule(number=ANY)
    def reject(self, number: int) -> None:
        run = self._pick(number, "waiting", "writing")
        if run is None:
            return
        rejecting = self._world.plans.decisions.reject(run, by="anna")
        if not any(c.state == "waiting" for c in self._model.runs[run].changes.values()):
            with pytest.raises(RunDecisionError):
                self._run(rejecting)
            return
        self._model.reject(run)
        self._run(rejecting)

    @precondition(lambda self: self._flight is None)
    @rule(number=ANY)
    def undo(self, number: int) -> None:
        undone = self._pick(number, "done", "waiting", "writing")
        if undone is None:
            return
        at: datetime = self._world.clock.utc()
        expected = self._run(self._next())
        undoing = self._world.plans.undo.plan(undone, by="anna", at=at)
        if self._model.undo(expected, undone, at):
            run = self._run(undoing)
            self._model.runs[run.id] = self._model.runs.pop(expected)
            return
        with pytest.raises(RunDecisionError):
            self._run(undoing)

    @rule()
    def let_a_day_pass(self) -> None:
        self._run(self._world.execute(YESTERDAY))
        for run in self._model.runs.values():
            for change in run.changes.values():
                change.is_today = False

    @invariant()
    def is_as_in_the_model(self) -> None:
        model, rows = self._model, self._all("SELECT folded, key, values, read_at FROM mirror_row")
        same(
            {row[0]: tuple(row[1:]) for row in rows},
            {key: (row.key, row.values, row.read_at) for key, row in model.known.items()},
        )
        same(
            {tuple(row[:2]): tuple(row[2:]) for row in self._all(CHANGES)},
            {
                (number, key): as_kept(change)
                for number, run in model.runs.items()
                for key, change in run.changes.items()
            },
        )
        unfinished = {self._unfinished[0]: "reading"} if self._unfinished else {}
        planned = {number: run.state for number, run in model.runs.items()}
        runs = dict(self._all("SELECT id, state FROM mirror_run"))
        same(runs, {**planned, **unfinished, **self._failed})
        rows = self._all("SELECT folded, risk, direction FROM mirror_approval")
        same({(row[0], row[1]): row[2] for row in rows}, model.approvals)
        wanted = dict(self._all("SELECT folded, is_forced FROM mirror_wanted"))
        wishes = {key: forced for key, (forced, _) in self._wishes.items()}
        same(wanted, {**dict.fromkeys(self._later, False), **wishes})
        same(
            {row[0].removeprefix(LOCK): tuple(row[1:]) for row in self._all(HELD)},
            {
                key: (held.refused, held.wanted, held.refusals, held.is_in_line)
                for key, held in model.held.items()
            },
        )

    def _all(self, statement: LiteralString) -> list[Any]:
        return self._looking.execute(statement).fetchall()


def same(found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> None:
    """Tell what differs, of each what was found and what was expected."""
    keys = {*found, *expected}
    told = {key: (found.get(key), expected.get(key)) for key in keys}
    differing = {key: pair for key, pair in told.items() if pair[0] != pair[1]}
    assert not differing, differing


def as_kept(change: Change) -> tuple[Any, ...]:
    """Return a row of a plan as it is read here."""
    risks_of = [f"{name}/{way}/{why}" for name, (way, why) in change.risks.items()]
    place = (change.key, change.wanted, change.known, change.state)
    return (*place, risks_of, change.began_at, change.is_today)


ERRORS: dict[str, Callable[[], BaseException]] = {
    "broken": lambda: UpstreamError("not as agreed", system="fo"),
    "away": lambda: UpstreamUnavailableError("gone", system="fo"),
    "killed": KilledError,
}


def test_mirrors_do_as_the_model(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opening = database(database_url, connections=4)
        world = MirrorWorld(runner.run(opening.__aenter__()))
        try:
            with psycopg.connect(database_url, autocommit=True) as looking:
                run_state_machine_as_test(
                    lambda: Mirrors(runner, world, looking),  # type: ignore[arg-type]  # a factory
                    settings=settings(
                        max_examples=10,
                        stateful_step_count=25,
                        deadline=None,
                        suppress_health_check=list(HealthCheck),
                    ),
                )
        finally:
            runner.run(opening.__aexit__(None, None, None))
