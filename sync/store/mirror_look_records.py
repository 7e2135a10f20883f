"""What rounds of looks through the shop hold, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sync.store.mirror_records import ChangeState, RowKey, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPlace:
    """Where a round is.

    Attributes:
        began_at: When the round began.
        scope: It goes on after this scope and folded key.
        expected: Rows that there were to look at when it began.
        looked: Rows that it has looked at.
        edited: Rows of them that differed.
    """

    flow: str
    market: str
    shop: str
    scopes: Sequence[str]
    began_at: datetime
    scope: str
    folded: str
    expected: int
    looked: int
    edited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedRow:
    """A row that is known, and what of its edits is.

    Attributes:
        values: As they were last acknowledged.
        told: What somebody has edited in the shop, and is kept: by field, as it was told.
        stays: Fields that a person let be at the adoption.
    """

    scope: str
    folded: str
    key: str
    values: Values
    shop_id: str | None
    told: Values
    stays: Sequence[str]
    read_at: datetime

    @property
    def row(self) -> RowKey:
        """What it is of."""
        return RowKey(self.scope, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is kept of one row that was looked at.

    Attributes:
        row: It, as it was known.
        told: What of its edits is told by now.
        wanted: Fields that are listed, as we wrote them.
        before: The same as the shop has them.
        state: How they are listed; None where there is nothing to list.
    """

    row: LookedRow
    told: Values
    wanted: Values
    before: Values
    state: ChangeState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCounts:
    """Rows of a slice: looked at, different, of these kept, and gone."""

    looked: int
    edited: int
    kept: int
    gone: int


@dataclass(frozen=True, slots=True)
class LookRound:
    """The round that goes on, or the last one; the names are those of the columns."""

    flow: str
    market: str
    began_at: datetime
    ended_at: datetime | None
    expected: int
    looked: int
    edited: int
    kept: int
    gone: int
    run: int | None
    last_began_at: datetime | None
    last_ended_at: datetime | None
    last_looked: int | None
