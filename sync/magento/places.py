"""Where a list was left: what comes after it, in an order in which nothing slips. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sync.magento.odd_rows import changed_at, id_of
from sync.magento.search import SearchCondition, SearchFilter, wire_instant

Groups = Sequence[Sequence[SearchFilter]]

ID, CHANGED = "entity_id", "updated_at"
"""What every list calls the id and the instant of the last change in its conditions."""


class ListPlace(Protocol):
    """Where a list was left, in the order in which it is read."""

    @property
    def sort(self) -> Sequence[str]:
        """The order."""
        ...

    @property
    def last(self) -> int:
        """The id that was read last."""
        ...

    @property
    def groups(self) -> Groups:
        """Hold for what comes after the place."""
        ...

    def after(self, rows: Sequence[Any]) -> "ListPlace | None":
        """Return the place after these rows, None where they do not lead on."""
        ...


@dataclass(frozen=True, slots=True)
class ById:
    """After a row, by rising id."""

    last: int = 0

    sort = (ID,)

    @property
    def groups(self) -> Groups:
        """Hold for what comes after the place."""
        return (beyond(self.last),)

    def after(self, rows: Sequence[Any]) -> "ById | None":
        """Return the place after these rows, None where they do not lead on."""
        last = max((found for row in rows if (found := id_of(row)) is not None), default=0)
        return ById(last) if last > self.last else None


@dataclass(frozen=True, slots=True)
class ByChange:
    """After a row, by the instant of the last change and then by id; a row that changes moves on.

    Attributes:
        since: The second.
        last: The id, of the rows of that second; 0 before them all.
    """

    since: datetime
    last: int = 0

    sort = (CHANGED, ID)

    @property
    def groups(self) -> Groups:
        """Hold for what comes after the place."""
        groups: list[Sequence[SearchFilter]] = [changed(self.since, SearchCondition.AT_LEAST)]
        if self.last:
            later = changed(self.since, SearchCondition.ABOVE)
            groups.append((*later, *beyond(self.last)))
        return groups

    def after(self, rows: Sequence[Any]) -> "ByChange | None":
        """Return the place after these rows, None where they do not lead on."""
        places = [
            (at, found)
            for row in rows
            if (at := changed_at(row)) is not None and (found := id_of(row)) is not None
        ]
        here = (self.since.replace(microsecond=0), self.last)
        last = max(places, default=here)
        return ByChange(*last) if last > here else None


def beyond(entity_id: int) -> tuple[SearchFilter]:
    """Return a group in which the id is higher."""
    return (SearchFilter(ID, SearchCondition.ABOVE, str(entity_id)),)


def changed(at: datetime, condition: SearchCondition) -> tuple[SearchFilter]:
    """Return a group that compares the instant of the last change."""
    return (SearchFilter(CHANGED, condition, wire_instant(at)),)
