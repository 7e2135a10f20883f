"""Which rows of a source one look asks for, by their date of change and their id.

A row is dated by whoever writes it, in whole seconds; `Window.takes` says what a source must
answer, and a source may ask in whatever form its system understands. Pure.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class ClockReading(NamedTuple):
    """A look at the other system's clock.

    An answer tells the second in which it was made, and may have been on its way for a while.

    Attributes:
        at: When the request was sent, by our clock.
        least: What the other one showed then, at the least.
        most: And at the most.
    """

    at: datetime
    least: datetime
    most: datetime


class Left(NamedTuple):
    """Rows that were read before: those of some ids that still have the date they had.

    Attributes:
        ids: Whose; None for everybody's.
        first: The earliest of the dates.
        last: The latest.
    """

    ids: frozenset[int] | None
    first: datetime
    last: datetime

    def has(self, row_id: int, at: datetime) -> bool:
        """Return whether it is one of them."""
        return self.first <= at <= self.last and (self.ids is None or row_id in self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What one look asks for.

    Attributes:
        since: The first date that counts.
        until: The first that does not any more; None for no end.
        skipped: Dates between, from the first to before the second, that were read already and
            may still get rows: later looks see to them.
        settles_before: Whatever is dated before it is asked for the last time; None for all.
        left: What is left out beside.
    """

    since: datetime
    until: datetime | None = None
    skipped: tuple[datetime, datetime] | None = None
    settles_before: datetime | None = None
    left: tuple[Left, ...] = ()

    def takes(self, row_id: int, at: datetime) -> bool:
        """Return whether a row with this date is asked for."""
        if at < self.since or (self.until is not None and at >= self.until):
            return False
        if self.skipped is not None and self.skipped[0] <= at < self.skipped[1]:
            return False
        return not any(left.has(row_id, at) for left in self.left)
