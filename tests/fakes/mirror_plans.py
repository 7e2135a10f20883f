"""What is kept of one mirror's runs, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.mirror.keys import folded
from sync.store.events import FenceLostError
from sync.store.mirror_records import (
    ChangeState,
    HeldRow,
    Looked,
    MirrorChange,
    MirrorRun,
    RowEnd,
    RowKey,
    RowOutcome,
    RunState,
    RunTrigger,
    Values,
)
from tests.fakes.toy_shop import Mortality
from tests.virtual_time import ManualClock

_KNOWN = (RowEnd.WRITTEN, RowEnd.EQUAL, RowEnd.KEPT)


@dataclass
class FakePlans:
    """A `sync.mirror.chunks.Plans`, with runs that tests plan.

    Attributes:
        known: The last acknowledged values of each row.
        fence: Of the worker that has the event.
        wanted: Keys that are to be read soon, with the reason.
        mortality: Of the process that calls.
    """

    clock: ManualClock
    known: dict[RowKey, HeldRow] = field(default_factory=dict)
    runs: dict[int, MirrorRun] = field(default_factory=dict)
    changes: dict[tuple[int, RowKey], MirrorChange] = field(default_factory=dict)
    states: dict[tuple[int, RowKey], ChangeState] = field(default_factory=dict)
    outcomes: list[RowOutcome] = field(default_factory=list)
    fence: int = 1
    wanted: list[tuple[str, bool, str]] = field(default_factory=list)
    mortality: Mortality = field(default_factory=Mortality)

    def plan(
        self, desired: Mapping[RowKey, Values], trigger: RunTrigger = RunTrigger.FULL
    ) -> MirrorRun:
        """Plan what differs from what is known; an older plan of a row is superseded."""
        number = len(self.runs) + 1
        run = MirrorRun(
            id=number,
            flow="toys",
            market="b2b_de",
            shop="https://shop.example.com",
            trigger=trigger,
            state=RunState.WRITING,
            is_forced=False,
            counts={},
            rows_read=len(desired),
            rows_expected=None,
            began_at=self.clock.utc(),
            changed_at=self.clock.utc(),
            planned_at=self.clock.utc(),
            ended_at=None,
            asked_by="",
            approved_by=None,
            approved_at=None,
            text="",
        )
        self.runs[number] = run
        for row, values in desired.items():
            for key, state in self.states.items():
                if key[1] == row and state is ChangeState.PLANNED:
                    self.states[key] = ChangeState.SUPERSEDED
            known = self.known.get(row)
            before = {} if known is None else known.values
            differs = {
                name: value
                for name, value in values.items()
                if name not in before or before[name] != value
            }
            if differs:
                self.put(number, row, differs, known)
        return run

    def put(self, run: int, row: RowKey, wanted: Values, known: HeldRow | None) -> None:
        """Plan one change."""
        now = self.clock.utc()
        self.states[run, row] = ChangeState.PLANNED
        self.changes[run, row] = MirrorChange(
            run=run,
            scope=row.scope,
            key=row.key,
            wanted=wanted,
            known=None if known is None else known.values,
            before=None,
            is_noted=False,
            edited=(),
            shop_id=None if known is None else known.shop_id,
            began_at=now,
            ended_at=now,
        )

    async def run(self, number: int) -> MirrorRun | None:
        return self.runs.get(number)

    async def take(self, run: int, most: int) -> Sequence[MirrorChange]:
        found = [
            change
            for key, change in self.changes.items()
            if key[0] == run and self.states[key] is ChangeState.PLANNED
        ]
        return sorted(found, key=lambda each: (each.scope, folded(each.key)))[:most]

    async def note(self, run: int, looked: Sequence[Looked]) -> None:
        self.mortality.tick()
        for each in looked:
            change = self.changes[run, each.row]
            if not change.is_noted:
                before = None if each.held is None else each.held.values
                change = replace(change, before=before, is_noted=True)
            edited = sorted({*change.edited, *each.edited})
            self.changes[run, each.row] = replace(change, edited=edited)

    async def acknowledge(
        self, run: int, outcomes: Sequence[RowOutcome], *, event_id: int, fence: int
    ) -> Sequence[RowKey]:
        if fence != self.fence:
            raise FenceLostError(f"event {event_id} was taken over")
        self.mortality.tick()
        overtaken = []
        for each in outcomes:
            self.outcomes.append(each)
            if self.states[run, each.row] is ChangeState.PLANNED:
                self.states[run, each.row] = ChangeState(each.end.value)
            else:
                overtaken.append(each.row)
            if each.values and (each.end in _KNOWN or each.shop_id is not None):
                before = self.known.get(each.row)
                values = {**({} if before is None else before.values), **each.values}
                self.known[each.row] = HeldRow(shop_id=each.shop_id or "", values=values)
        return overtaken

    async def renew(self, run: int, rows: Sequence[RowKey]) -> None:
        self.mortality.tick()
        for row in rows:
            self.known.pop(row, None)
            self.states[run, row] = ChangeState.SUPERSEDED
            self.wanted.append((row.key, False, "made anew"))

    async def want(
        self, flow: str, market: str, keys: Sequence[str], *, is_forced: bool, reason: str
    ) -> None:
        del flow, market
        self.wanted += [(key, is_forced, reason) for key in keys]

    async def settle(self, run: int) -> RunState:
        self.mortality.tick()
        left = [state for (number, _), state in self.states.items() if number == run]
        state = RunState.WAITING if ChangeState.WAITING in left else RunState.DONE
        if ChangeState.PLANNED in left:
            state = RunState.WRITING
        self.runs[run] = replace(self.runs[run], state=state)
        return state
