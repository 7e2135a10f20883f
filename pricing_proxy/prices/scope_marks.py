"""The newest invalidations of one scope, and of many scopes, each kept as long as any price lives.

Marks stand in the order in which they last changed. So forgetting looks at the oldest only, a
few at each change, and never at all of them: what a hundred thousand changes cost grows as
their number does. Where more scopes change than are kept, the oldest mark is handed back, to
be kept as what it then is: an old change of everything.
"""

from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice, takewhile

LONG_AGO_US = -(2**62)
# Marks of one kind in one market; 200,000 of them take about 60 MB.
MOST_MARKS = 200_000
# Marks are forgotten when so many changes were taken, four times as many at most: a day that
# was busier is caught up with, and no change costs the event loop a visible pause.
FORGET_EVERY = 50
_FORGET_AT_ONCE = 4 * FORGET_EVERY


@dataclass(slots=True)
class ScopeMark:
    """The newest invalidations of one scope.

    Attributes:
        soft: Position of the newest soft one, -1 without one.
        hard: The same for hard ones.
        soft_told_us: When this process was told directly of a soft one.
        hard_told_us: The same for hard ones.
        changed_us: When the newest of them was made (monotonic).
    """

    soft: int = -1
    hard: int = -1
    soft_told_us: int = LONG_AGO_US
    hard_told_us: int = LONG_AGO_US
    changed_us: int = LONG_AGO_US

    @property
    def newest(self) -> int:
        """Position of the newest one, -1 without one."""
        return max(self.soft, self.hard)

    @property
    def told_us(self) -> int:
        """When this process was last told directly."""
        return max(self.soft_told_us, self.hard_told_us)

    def raise_to(self, position: int, *, is_hard: bool, changed_us: int) -> None:
        """Note what stands in the ledger and is not covered."""
        self.changed_us = max(self.changed_us, changed_us)
        if is_hard:
            self.hard = position
        else:
            self.soft = position

    def tell(self, now_us: int, *, is_hard: bool) -> None:
        """Note what this process is told directly."""
        self.changed_us = now_us
        if is_hard:
            self.hard_told_us = now_us
        else:
            self.soft_told_us = now_us

    def add(self, other: "ScopeMark") -> None:
        """Note all that another one knows."""
        self.soft = max(self.soft, other.soft)
        self.hard = max(self.hard, other.hard)
        self.soft_told_us = max(self.soft_told_us, other.soft_told_us)
        self.hard_told_us = max(self.hard_told_us, other.hard_told_us)
        self.changed_us = max(self.changed_us, other.changed_us)

    def covers(self, position: int, *, is_hard: bool) -> bool:
        """Return whether an invalidation there would add nothing."""
        return position <= (self.hard if is_hard else self.newest)

    def is_past(self, oldest: int, oldest_us: int) -> bool:
        """Return whether no price can be as old as this."""
        return self.newest < oldest and self.changed_us < oldest_us


class ScopeMarks(OrderedDict[str, ScopeMark]):
    """The marks of one kind of scope, by `same_name_key` of its code; the last changed is last.

    Attributes:
        newest: The greatest position that any has or had, -1 without one.
        told_us: When this process was last told directly of any.
    """

    newest = -1
    told_us = LONG_AGO_US

    def changing(self, key: str) -> ScopeMark:
        """Return the mark under a key, to be changed now; it becomes the last."""
        mark = self.get(key)
        if mark is None:
            mark = self[key] = ScopeMark()
        else:
            self.move_to_end(key)
        return mark

    def give_up(self) -> ScopeMark | None:
        """Return the oldest mark, kept here no more, where there are too many; else None."""
        return self.popitem(last=False)[1] if len(self) > MOST_MARKS else None

    def forget(self, oldest: int, oldest_us: int) -> None:
        """Drop some of what is older than any price."""
        past = takewhile(lambda key: self[key].is_past(oldest, oldest_us), self)
        for key in list(islice(past, _FORGET_AT_ONCE)):
            del self[key]
