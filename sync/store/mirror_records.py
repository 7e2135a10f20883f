"""What the tables of mirrors hold, as values.

Values are JSON: numbers as plain decimal texts without trailing zeros ("12.5", "0"), flags as
"1" and "0", several options as a sorted list, None where the field is to be empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypeAlias

Value: TypeAlias = str | list[str] | None
Values: TypeAlias = Mapping[str, Value]


class RowKey(NamedTuple):
    """What a row is of: a key in a scope, such as a SKU in "global", "view/3", "source/berlin".

    The key is as the ERP writes it; `sync.mirror.keys` says which of them are one.
    """

    scope: str
    key: str


class RunTrigger(StrEnum):
    """Why a run was begun."""

    CHANGE = "change"
    """Keys that somebody wants read."""
    FULL = "full"
    ADOPT = "adopt"
    """A flow's first look at a shop that is full already."""
    BY_HAND = "by_hand"
    UNDO = "undo"
    PLAN = "plan"
    """Only to look: it writes nothing unless it is approved."""
    LOOK = "look"
    """What others changed in the shop, as a look through it has found."""


class RunState(StrEnum):
    """Where a run stands."""

    READING = "reading"
    PLANNING = "planning"
    WRITING = "writing"
    WAITING = "waiting"
    """Whatever is left of it waits for a person."""
    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


class ChangeState(StrEnum):
    """Where a row of a plan stands."""

    PLANNED = "planned"
    WAITING = "waiting"
    """For a person's approval."""
    WRITTEN = "written"
    EQUAL = "equal"
    KEPT = "kept"
    REFUSED = "refused"
    MISSING = "missing"
    SUPERSEDED = "superseded"
    """A newer read has seen its row."""
    REJECTED = "rejected"


class RowEnd(StrEnum):
    """What came of a row; the words are those of `ChangeState`."""

    WRITTEN = "written"
    EQUAL = "equal"
    """The shop had it already."""
    KEPT = "kept"
    """It was edited in the shop, and what is edited there stays."""
    REFUSED = "refused"
    MISSING = "missing"
    """The shop has no such thing, and it was not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredRow:
    """What the ERP says of a row, all its fields."""

    scope: str
    key: str
    values: Values

    @property
    def row(self) -> RowKey:
        """What it is of."""
        return RowKey(self.scope, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmappedRow:
    """Something of the ERP of which no row can be made: its key is held.

    Attributes:
        field: The ERP's field at fault.
        text: What is wrong with it.
        advice: What to do, the configuration's entry named where one is missing.
        is_part: Whether that is so of some fields only: rows of the others are written.
    """

    key: str
    field: str
    text: str
    advice: str
    is_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """What the shop has of a row.

    Attributes:
        shop_id: The shop's id of it; one that changes means that it was made anew.
        values: Its fields, at least those that were asked for.
    """

    shop_id: str
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorChange:
    """What a run wants written of one row.

    Attributes:
        wanted: The fields that are to change, with their new values.
        known: All fields as they were last acknowledged; None for a row that never was.
        before: What the shop had just before the first write; None where it was not looked at
            yet, or had no such thing.
        is_noted: Whether it was looked at.
        edited: The fields that somebody had edited in the shop.
        shop_id: The shop's id of it when it was last acknowledged.
        began_at: When the read from the ERP that it comes from began.
        ended_at: When that ended.
    """

    run: int
    scope: str
    key: str
    wanted: Values
    known: Values | None
    before: Values | None
    is_noted: bool
    edited: Sequence[str]
    shop_id: str | None
    began_at: datetime
    ended_at: datetime

    @property
    def row(self) -> RowKey:
        """What it is of."""
        return RowKey(self.scope, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """What came of a row.

    Attributes:
        values: The fields that the shop has acknowledged, of a refused row too; more than were
            wanted are kept as well.
        shop_id: The shop's id of it; None where it has none.
        field: The field at fault.
        text: What is wrong; of a row that is refused or missing.
        advice: What to do.
    """

    scope: str
    key: str
    end: RowEnd
    values: Values
    shop_id: str | None = None
    field: str = ""
    text: str = ""
    advice: str = ""

    @property
    def row(self) -> RowKey:
        """What it is of."""
        return RowKey(self.scope, self.key)


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a row in the shop before it was written.

    Attributes:
        row: Which one.
        held: What the shop had; None where it had no such thing.
        edited: The fields that somebody had edited in the shop.
    """

    row: RowKey
    held: HeldRow | None
    edited: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAlone:
    """A key that cannot go with the others.

    Attributes:
        key: As the ERP writes it.
        meets: Other keys of the ERP that are one with it to the shop.
        wanted: The fields that the shop refused, by scope; empty where no row can be made of it.
        field: The field at fault.
        text: What is wrong.
        advice: What to do.
    """

    key: str
    meets: Sequence[str] = ()
    wanted: Mapping[str, Values] = dataclass_field(default_factory=dict)
    field: str
    text: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorRun:
    """One read of the ERP, and what came of it; the names are those of the columns.

    Attributes:
        is_forced: Whether rows are written that are as they should be, and a shrunken catalog is
            believed.
        counts: How many keys are odd, how many rows in each state, and whether everything was
            read.
        text: Why it failed, or what it waits for; empty where there is nothing to say.
        read_after: Where its reading goes on.
        fence: Whoever reads for it with a smaller one has lost it.
    """

    id: int
    flow: str
    market: str
    shop: str
    trigger: RunTrigger
    state: RunState
    is_forced: bool
    counts: Mapping[str, int]
    rows_read: int
    rows_expected: int | None
    began_at: datetime
    changed_at: datetime
    planned_at: datetime | None
    ended_at: datetime | None
    asked_by: str
    approved_by: str | None
    approved_at: datetime | None
    text: str
    read_after: str = ""
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Risk:
    """A class of danger that a change is in.

    Attributes:
        name: Of the class, such as "repriced"; its limit is found by it.
        direction: Where the change goes, such as "up": an approval is good for one.
        is_alone: Whether the row is over its own limit, and waits however few there are.
    """

    name: str
    direction: str
    is_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorLimit:
    """How many keys may be in a class within a day: the larger of both.

    Attributes:
        per_cent: Of all keys that the mirror knows in the market.
        count: However few these are.
    """

    per_cent: Decimal
    count: int

    def allowed(self, known: int) -> int:
        """Return how many keys may be, of so many that are known."""
        return max(self.count, int(known * self.per_cent / 100))
