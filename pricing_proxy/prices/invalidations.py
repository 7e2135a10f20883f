"""What this process knows to have changed in the ERP: the newest invalidation of each scope.

A position orders loads and invalidations: one that began at a smaller position than a
matching invalidation may hold what was invalidated. Positions are microseconds on
Redis' clock, made strictly rising here, so entries kept in Redis compare as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pricing_proxy.domain.freshness import Level


class ScopeKind(StrEnum):
    """What an invalidation is about."""

    CUSTOMER = "customer"
    ITEM = "item"
    PRICE_GROUP = "price_group"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an invalidation is about; `code` is empty for all."""

    kind: ScopeKind
    code: str = ""


@dataclass(slots=True)
class _Newest:
    soft: int = -1
    hard: int = -1

    @property
    def newest(self) -> int:
        return max(self.soft, self.hard)

    def raise_to(self, position: int, level: Level) -> None:
        if level is Level.HARD:
            self.hard = position
        else:
            self.soft = position


@dataclass(slots=True)
class _Marks:
    """The newest positions of one market."""

    everything: _Newest = field(default_factory=_Newest)
    by_scope: dict[Scope, _Newest] = field(default_factory=dict)
    items: dict[str, _Newest] = field(default_factory=dict)


# More single items than this are remembered as one invalidation of everything.
MAX_ITEMS = 5000


class Invalidations:
    """Positions of one process; forgets what is older than any entry may live.

    Args:
        shared_us: Redis' clock in microseconds.
        keep_us: How long an entry may live.
    """

    def __init__(self, *, shared_us: Callable[[], int], keep_us: int) -> None:
        self._shared_us = shared_us
        self._keep_us = keep_us
        self._position = 0
        self._markets: dict[str, _Marks] = {}

    def position(self) -> int:
        """Return the position at which a load begins now."""
        self._position = max(self._position, self._shared_us())
        return self._position

    def add(self, market: str, scope: Scope, level: Level) -> int:
        """Note that a scope changed in the ERP; return its position."""
        self._position = max(self._position + 1, self._shared_us())
        marks = self._markets.setdefault(market, _Marks())
        self._forget_old(marks)
        self._newest_of(marks, scope).raise_to(self._position, level)
        return self._position

    def of_context(self, market: str, account: str, price_group: str) -> "PageMarks | None":
        """Return what touches this customer's prices; None when nothing does."""
        marks = self._markets.get(market)
        if marks is None:
            return None
        newest = [marks.everything]
        newest += [
            found
            for scope in (
                Scope(ScopeKind.CUSTOMER, account),
                Scope(ScopeKind.PRICE_GROUP, price_group),
            )
            if (found := marks.by_scope.get(scope)) is not None
        ]
        return PageMarks(
            soft=max(mark.soft for mark in newest),
            hard=max(mark.hard for mark in newest),
            items=marks.items,
        )

    def _newest_of(self, marks: _Marks, scope: Scope) -> _Newest:
        if scope.kind is ScopeKind.ITEM and len(marks.items) < MAX_ITEMS:
            return marks.items.setdefault(scope.code, _Newest())
        if scope.kind in (ScopeKind.CUSTOMER, ScopeKind.PRICE_GROUP):
            return marks.by_scope.setdefault(scope, _Newest())
        return marks.everything

    def _forget_old(self, marks: _Marks) -> None:
        oldest = self._position - self._keep_us
        marks.items = {c: m for c, m in marks.items.items() if m.newest >= oldest}
        marks.by_scope = {s: m for s, m in marks.by_scope.items() if m.newest >= oldest}


class PageMarks:
    """The newest invalidations that touch one customer's page."""

    __slots__ = ("_hard", "_items", "_soft")

    def __init__(self, *, soft: int, hard: int, items: dict[str, _Newest]) -> None:
        self._soft = soft
        self._hard = hard
        self._items = items

    def level(self, item_number: str, position: int) -> Level | None:
        """Return the strictest invalidation newer than `position`."""
        item = self._items.get(item_number)
        if position < self._hard or (item is not None and position < item.hard):
            return Level.HARD
        if position < self._soft or (item is not None and position < item.soft):
            return Level.SOFT
        return None

    def touches(self, item_numbers: Sequence[str], position: int) -> bool:
        """Return whether anything of a page of these items is invalidated after `position`."""
        if position < self._soft or position < self._hard:
            return True
        marked = self._items.keys() & item_numbers
        return any(position < self._items[number].newest for number in marked)

    def newest(self, item_number: str) -> int:
        """Return the newest position that touches the item, -1 when none does."""
        item = self._items.get(item_number)
        page = max(self._soft, self._hard)
        return page if item is None else max(page, item.newest)
