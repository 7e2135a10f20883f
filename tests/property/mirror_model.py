"""What mirrors must plan, said naively: SHOP.md section 1 in dictionaries."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from sync.mirror.ports import MirrorPage
from sync.store.mirror_records import MirrorLimit, Risk, Value, Values

OPEN = ("planned", "waiting")
BLOCKING = ("alone", "over")
ABSENT = {"status": "2"}


def one(key: str) -> str:
    """Return what is equal for keys that are one."""
    return key.strip().casefold()


@dataclass
class Row:
    """What is known."""

    key: str
    values: dict[str, Value]
    read_at: datetime


@dataclass
class Change:
    """A row of a plan; risks by name: direction, and why it waits or not."""

    key: str
    wanted: dict[str, Value]
    known: dict[str, Value] | None
    began_at: datetime
    risks: dict[str, list[str]] = field(default_factory=dict)
    state: str = "planned"
    is_today: bool = False
    before: dict[str, Value] | bool | None = None

    @property
    def waits(self) -> bool:
        return any(why in BLOCKING for _, why in self.risks.values())


@dataclass
class Held:
    """A key that is held: what the shop refused, and what the ERP says of that by now.

    Attributes:
        refused: Empty where no row can be made of the key.
        is_rested: Whether so long ago that anything new is tried.
        is_in_line: Whether it is.
    """

    refused: dict[str, Value] = field(default_factory=dict)
    wanted: dict[str, Value] = field(default_factory=dict)
    refusals: int = 1
    is_rested: bool = False
    is_in_line: bool = False


@dataclass
class Run:
    """A run that is planned."""

    trigger: str
    state: str = "done"
    changes: dict[str, Change] = field(default_factory=dict)

    def settle(self) -> None:
        """Say where it stands."""
        if self.state in ("failed", "rejected"):
            return
        states = {change.state for change in self.changes.values()}
        lost = "superseded" if states == {"superseded"} else "done"
        rest = "waiting" if "waiting" in states else lost
        self.state = "writing" if "planned" in states else rest

    @property
    def is_open(self) -> bool:
        return self.state in ("writing", "waiting")


@dataclass
class Staged:
    """What a run has read: rows by folded key, and the folded keys that are held."""

    rows: dict[str, list[tuple[str, Values, datetime]]] = field(default_factory=dict)
    odd: dict[str, datetime] = field(default_factory=dict)
    count: int = 0

    def page(self, page: MirrorPage, *, is_second: bool = False) -> None:
        """Add a page; of a second look only what is not there."""
        self.count += 0 if is_second else len(page.rows) + len(page.odd)
        for row in page.rows:
            there = self.rows.setdefault(one(row.key), [])
            if not is_second or row.key not in [key for key, *_ in there]:
                there.append((row.key, row.values, page.began_at))
        for each in page.odd:
            self.odd.setdefault(one(each.key), page.began_at)

    def meet(self) -> None:
        """Hold what is one to the shop."""
        for key, rows in self.rows.items():
            if len({name for name, *_ in rows}) > 1:
                self.odd.setdefault(key, min(at for *_, at in rows))

    @property
    def keys(self) -> set[str]:
        return {*self.rows, *self.odd}


class MirrorModel:
    """One flow of one market.

    Args:
        risks: Of a change, as the flow says.
        limits: Of the classes.
    """

    def __init__(
        self,
        risks: Callable[[Values | None, Values], Sequence[Risk]],
        limits: dict[str, MirrorLimit],
    ) -> None:
        self.risks, self.limits = risks, limits
        self.known: dict[str, Row] = {}
        self.runs: dict[int, Run] = {}
        self.approvals: dict[tuple[str, str], str] = {}
        self.wanted: dict[str, bool] = {}
        self.held: dict[str, Held] = {}
        self.last_whole: int | None = None

    def unread(self, staged: Staged, keys: Iterable[str] | None) -> list[str]:
        """Return the known keys that are asked for once more, folded."""
        asked = None if keys is None else {one(key) for key in keys}
        return [
            key
            for key, row in sorted(self.known.items())
            if key not in staged.keys and (asked is None or key in asked)
            if "status" in row.values and row.values["status"] != "2"
        ]

    def renamed(self, staged: Staged) -> set[str]:
        """Return how keys are known that came in other letters."""
        return {
            self.known[key].key
            for key, rows in staged.rows.items()
            if key in self.known and any(name != self.known[key].key for name, *_ in rows)
        }

    def plan(
        self,
        number: int,
        staged: Staged,
        *,
        trigger: str,
        forced: set[str],
        keys: Sequence[str] | None,
        is_forced: bool = False,
    ) -> set[str]:
        """Plan a run; return the held keys of which something new is tried later."""
        staged.meet()
        later: set[str] = set()
        run = self.runs[number] = Run(trigger)
        for key, rows in staged.rows.items():
            held = self.held.get(key, Held()) if trigger != "alone" else Held()
            is_all = is_forced or key in forced
            change = self._change(key, rows, staged, held.refused, is_forced=is_all)
            if change is not None:
                run.changes[key] = change
        if trigger != "plan":
            self._supersede(number, staged)
        self._judge(number, staged)
        if trigger == "plan":
            for change in run.changes.values():
                change.state = "waiting"
        else:
            if trigger != "alone":
                later = self._follow(staged, is_forced=is_forced)
            if keys is not None:
                self._note_looks(staged)
            elif staged.count:
                self.last_whole = staged.count
        run.settle()
        return later

    def _note_looks(self, staged: Staged) -> None:
        for key, rows in staged.rows.items():
            if key in self.known:
                at = max(at for *_, at in rows)
                self.known[key].read_at = max(self.known[key].read_at, at)

    def _change(
        self,
        key: str,
        rows: Sequence[tuple[str, Values, datetime]],
        staged: Staged,
        refused: Values,
        *,
        is_forced: bool,
    ) -> Change | None:
        name, values, began_at = rows[0]
        known, older = self.known.get(key), self._open(key)
        if key in staged.odd or (known is not None and known.read_at > began_at):
            return None
        if any(change.began_at > began_at for _, change in older):
            return None
        moving = [
            change for _, change in sorted(older, key=itemgetter(0)) if change.state == "planned"
        ]
        before = None if known is None else known.values

        def is_wanted(field: str, value: Value) -> bool:
            if field in refused:
                return False
            if is_forced or before is None or field not in before or before[field] != value:
                return True
            return any(change.wanted.get(field, value) != value for change in moving[-1:])

        wanted = {field: value for field, value in values.items() if is_wanted(field, value)}
        # What the shop does not have at all is not made of what it has not refused.
        if not wanted or (before is None and refused):
            return None
        return Change(name, wanted, None if before is None else dict(before), began_at)

    def _open(self, key: str) -> list[tuple[int, Change]]:
        return [
            (number, run.changes[key])
            for number, run in self.runs.items()
            if run.is_open and key in run.changes and run.changes[key].state in OPEN
        ]

    def _judge(self, number: int, staged: Staged) -> None:
        changes = self.runs[number].changes
        for change in changes.values():
            for risk in self.risks(change.known, change.wanted):
                why = "alone" if risk.is_alone else ""
                change.risks[risk.name] = [risk.direction, why]
        for key, name in list(self.approvals):
            kept = changes[key].risks.get(name, ["", ""]) if key in changes else ["", ""]
            if kept[0] == self.approvals[key, name]:
                kept[1] = "approved"
            elif key in staged.rows and self.runs[number].trigger != "plan":
                del self.approvals[key, name]
        for name, limit in self.limits.items():
            new = {key for key, change in changes.items() if self._counts(change, name)}
            all_of_it = new | {
                key
                for other, run in self.runs.items()
                for key, change in run.changes.items()
                if other != number and (change.state == "planned" or change.is_today)
                if self._counts(change, name)
            }
            allowed = max(limit.count, int(limit.per_cent * len(self.known) / 100))
            if new and len(all_of_it) > allowed:
                for key in new:
                    changes[key].risks[name][1] = "over"
        for change in changes.values():
            change.state = "waiting" if change.waits else "planned"

    @staticmethod
    def _counts(change: Change, name: str) -> bool:
        return name in change.risks and not change.risks[name][1]

    def _supersede(self, number: int, staged: Staged) -> None:
        for key in staged.keys:
            newest = max(
                [at for *_, at in staged.rows.get(key, [])]
                + [staged.odd[key] for _ in "x" if key in staged.odd]
            )
            for other, change in self._open(key):
                if other != number and change.began_at <= newest:
                    self._take(other, change)

    def _take(self, number: int, change: Change) -> None:
        """Take a row out of its run, whoever does so."""
        change.state = "superseded"
        self.runs[number].settle()

    def _follow(self, staged: Staged, *, is_forced: bool) -> set[str]:
        """Do with held keys what a read says of them."""
        later: set[str] = set()
        for key in staged.keys - set(staged.odd):
            held = self.held.get(key)
            if held is None or held.is_in_line:
                continue
            if not held.refused:
                del self.held[key]
                continue
            values = staged.rows[key][0][1]
            held.wanted = {name: values.get(name, value) for name, value in held.refused.items()}
            if held.wanted != held.refused:
                held.is_in_line = is_forced or held.refusals == 1 or held.is_rested
                later |= set() if held.is_in_line else {key}
        return later

    def hold(self, key: str, refused: Values) -> None:
        """Hold a key, or one that is held once more."""
        held = self.held.get(key)
        if held is None:
            self.held[key] = Held(dict(refused), dict(refused))
            return
        held.refused, held.wanted = dict(refused), dict(refused)
        held.refusals += 1
        held.is_rested = held.is_rested and held.is_in_line

    def note(self, number: int, key: str, shop: dict[str, Value] | None) -> None:
        """Note what the shop had."""
        change = self.runs[number].changes[key]
        if change.before is None:
            change.before = False if shop is None else dict(shop)

    def end(self, number: int, change: Change, end: str, values: Values) -> bool:
        """Note what came of a row; return whether a newer read had seen it."""
        key, is_overtaken = one(change.key), change.state != "planned"
        if values:
            known = self.known.get(key)
            self.known[key] = Row(
                change.key,
                {**(known.values if known else {}), **values},
                max(change.began_at, known.read_at) if known else change.began_at,
            )
        if end == "written":
            change.is_today = True
            for name, (direction, why) in change.risks.items():
                if why == "approved" and self.approvals.get((key, name)) == direction:
                    del self.approvals[key, name]
        if not is_overtaken or (change.state == "superseded" and end == "written"):
            change.state = end
        if end == "refused":
            self.hold(key, change.wanted)
        self.runs[number].settle()
        return is_overtaken

    def approve(self, number: int, risk: str | None) -> int:
        """Let waiting rows through; return how many."""
        run, through = self.runs[number], 0
        for key, change in run.changes.items():
            if change.state != "waiting" or (risk is not None and risk not in change.risks):
                continue
            for name, told in change.risks.items():
                if risk in (None, name):
                    self.approvals[key, name], told[1] = told[0], "approved"
            if not change.waits:
                change.state, through = "planned", through + 1
                if run.trigger == "plan":
                    for other, older in self._open(key):
                        if other != number:
                            self._take(other, older)
        if through:
            run.settle()
        return through

    def reject(self, number: int) -> None:
        """Give the waiting rows of a run up."""
        run = self.runs[number]
        for change in run.changes.values():
            change.state = "rejected" if change.state == "waiting" else change.state
        run.settle()
        states = [change.state for change in run.changes.values()]
        if run.state == "done" and "written" not in states:
            run.state = "rejected"

    def undo(self, number: int, undone: int, at: datetime) -> bool:
        """Plan to take a run back; return whether there is anything of it."""
        run = Run("undo")
        for key, change in self.runs[undone].changes.items():
            if change.state != "written":
                continue
            known = self.known.get(key)
            had = change.before if isinstance(change.before, dict) else None
            wanted = {
                field: value
                for field, value in (had or {}).items()
                if field in change.wanted and value != change.wanted[field]
            }
            is_ours = known is not None and {**known.values, **change.wanted} == known.values
            if had is not None and is_ours and not wanted:
                continue
            state = "planned" if had is not None and is_ours else "kept"
            before = None if known is None else dict(known.values)
            run.changes[key] = Change(change.key, wanted, before, at, state=state)
        if not run.changes:
            return False
        for key, change in run.changes.items():
            for other, older in self._open(key) if change.state == "planned" else ():
                self._take(other, older)
        self.runs[number] = run
        run.settle()
        return True
