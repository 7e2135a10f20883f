"""Rows that no shop should have and real ones do: what somebody wrote into the tables.

    {"members": {"store_id": null, "items/0/qty_ordered": "x"},
     "dated_seconds": -90, "unreadable": true}

`members` are laid over a row, where a slash leads into objects and lists; null takes one away,
as columns of NULL are not shown. `dated_seconds` dates the row so far from the shop's own
time: below 0 as one that a long transaction wrote and that is visible only now. `unreadable`
makes every answer that would hold the row an internal error, a whole list included. Nothing
else of this shop moves such a row, not even its `updated_at`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pricing_proxy.sandbox.dials import BadMemberError

DATABASE_TIME = "%Y-%m-%d %H:%M:%S"
TABLES = ("orders", "invoices", "shipments", "credit_memos", "customers")
_KNOWN = ("members", "dated_seconds", "unreadable")
# What names a row, and what the shop itself needs to find its lines.
_IDS = frozenset({"entity_id", "id", "items"})
# Some years: as far as a column of dates goes, a wrong one may go.
_MOST_SECONDS = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class OddRow:
    """What is odd about a row.

    Attributes:
        members: By path; None = taken away.
        dated: From the shop's own time; None = its dates stay.
        is_unreadable: None = as it was.
    """

    members: Mapping[str, Any] = field(default_factory=dict)
    dated: timedelta | None = None
    is_unreadable: bool | None = None


def odd_row(given: Any) -> OddRow:
    """Return what is asked for.

    Raises:
        BadMemberError: A member is unknown or wrong.
    """
    if not isinstance(given, dict):
        raise BadMemberError("row", f"expected an object with {', '.join(_KNOWN)}")
    for name in given:
        if name not in _KNOWN:
            raise BadMemberError(name, f"unknown; there are {', '.join(_KNOWN)}")
    members = given.get("members", {})
    if not isinstance(members, dict) or not _IDS.isdisjoint(members):
        raise BadMemberError("members", 'expected an object such as {"store_id": null}')
    seconds = given.get("dated_seconds")
    is_whole = type(seconds) is int and abs(seconds) <= _MOST_SECONDS
    if seconds is not None and not is_whole:
        raise BadMemberError("dated_seconds", "expected whole seconds from the shop's now")
    unreadable = given.get("unreadable")
    if not isinstance(unreadable, bool | None):
        raise BadMemberError("unreadable", "expected true or false")
    dated = None if seconds is None else timedelta(seconds=seconds)
    return OddRow(members=members, dated=dated, is_unreadable=unreadable)


class UnreadableRows:
    """Which rows of the shop are odd."""

    def __init__(self) -> None:
        self._changed: dict[tuple[str, int], dict[str, None]] = {}
        self._unreadable: set[tuple[str, int]] = set()

    def place(self, order: dict[str, Any], odd: OddRow, *, now: datetime) -> None:
        """Make an order odd that is in no table yet."""
        if odd.dated is not None:
            order["created_at"] = _text(now + odd.dated)
        self.write("orders", order, odd, now=now)

    def write(self, table: str, row: dict[str, Any], odd: OddRow, *, now: datetime) -> None:
        """Make a row odd.

        Raises:
            BadMemberError: A path leads nowhere; nothing was changed.
        """
        places = [(*_place(row, path), value) for path, value in odd.members.items()]
        for owner, name, value in places:
            if value is None and isinstance(owner, dict):
                owner.pop(name, None)
            else:
                owner[name] = value
        key = (table, _number(row))
        told = self._changed.setdefault(key, {})
        told |= dict.fromkeys(odd.members)
        if odd.dated is not None:
            row["updated_at"] = _text(now + odd.dated)
            told["updated_at"] = None
        if odd.is_unreadable:
            self._unreadable.add(key)
            told["unreadable"] = None
        elif odd.is_unreadable is not None:
            self._unreadable.discard(key)
            told.pop("unreadable", None)

    def is_unreadable(self, table: str, row: Mapping[str, Any]) -> bool:
        """Return whether the shop stumbles over a row."""
        return (table, _number(row)) in self._unreadable

    def told(self, table: str, number: int) -> list[str]:
        """Return what is odd about a row, by the members' paths."""
        return list(self._changed.get((table, number), ()))


def _number(row: Mapping[str, Any]) -> int:
    number: int = row["id"] if "id" in row else row["entity_id"]
    return number


def _place(row: dict[str, Any], path: str) -> tuple[Any, Any]:
    """Return the object or list that holds what a path names, and its key there."""
    owner: Any = row
    *way, last = path.split("/")
    try:
        for name in way:
            owner = owner[int(name)] if isinstance(owner, list) else owner[name]
        if isinstance(owner, list):
            return owner, range(len(owner))[int(last)]
    except (LookupError, TypeError, ValueError):
        owner = None
    if not isinstance(owner, dict):
        raise BadMemberError("members", f"the row has no place {path}")
    return owner, last


def _text(at: datetime) -> str:
    return at.strftime(DATABASE_TIME)
