"""What is known to have changed in the ERP: the newest invalidation of each scope, by market.

A position orders loads and invalidations: a load that began at a smaller position than a
matching invalidation may hold what was invalidated. Positions are those of the market's
ledger (`shared_state.ledger`), so prices that other processes kept in Redis compare as well.

Codes are compared as names are: whoever announces a change may spell them as they like.

What this process was told directly is obeyed at once, before it comes back through the
ledger and even if Redis did not take it: by time, as it has no position yet here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from pricing_proxy.domain.freshness import Level
from pricing_proxy.names import same_name_key
from pricing_proxy.shared_state.ledger import MAX_ITEMS, LedgerEntry, Scope, ScopeKind

LONG_AGO_US = -(2**62)
# Pages ask for the same names again and again.
_code = lru_cache(maxsize=16_384)(same_name_key)
# How many entries are taken between two rounds of forgetting, each of which looks at all.
_FORGET_EVERY = 500


class Ledger(Protocol):
    """Where invalidations of all processes stand."""

    async def append(self, market: str, scope: Scope, *, is_hard: bool, reason: str) -> int:
        """Append one; return its position. Raises `SharedStateError`."""
        ...


@dataclass(slots=True)
class _Newest:
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
        return max(self.soft, self.hard)

    def raise_to(self, position: int, *, is_hard: bool, changed_us: int) -> None:
        self.changed_us = max(self.changed_us, changed_us)
        if is_hard:
            self.hard = max(self.hard, position)
        else:
            self.soft = max(self.soft, position)

    def tell(self, now_us: int, *, is_hard: bool) -> None:
        self.changed_us = now_us
        if is_hard:
            self.hard_told_us = now_us
        else:
            self.soft_told_us = now_us

    def is_past(self, oldest: int, oldest_us: int) -> bool:
        return self.newest < oldest and self.changed_us < oldest_us


@dataclass(slots=True)
class _Marks:
    """What is known of one market."""

    position: int = 0
    taken: int = 0
    everything: _Newest = field(default_factory=_Newest)
    by_scope: dict[Scope, _Newest] = field(default_factory=dict)
    items: dict[str, _Newest] = field(default_factory=dict)


class Invalidations:
    """The newest invalidations of every scope; forgets what is older than any entry may live.

    Args:
        keep_positions: How far positions lie apart that no price outlives.
        keep_us: The same as a time.
        now_us: The monotonic clock.
    """

    def __init__(self, *, keep_positions: int, keep_us: int, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._keep_positions = keep_positions
        self._keep_us = keep_us
        self._markets: dict[str, _Marks] = {}

    def position(self, market: str) -> int:
        """Return the position at which a load begins now: all up to it is known."""
        marks = self._markets.get(market)
        return 0 if marks is None else marks.position

    def take(self, market: str, entry: LedgerEntry, changed_us: int) -> None:
        """Note an entry of the ledger; they come in order.

        Args:
            market: Whose ledger.
            entry: What stands there.
            changed_us: When it was appended (monotonic), for the window in which the ERP may
                not yet have committed what it announced.
        """
        marks = self._marks(market)
        found = self._newest_of(marks, entry.scope)
        found.raise_to(entry.position, is_hard=entry.is_hard, changed_us=changed_us)
        marks.position = max(marks.position, entry.position)
        marks.taken += 1
        if marks.taken % _FORGET_EVERY == 0:
            self._forget_old(marks)

    def tell(self, market: str, scope: Scope, level: Level) -> None:
        """Obey at once what has not come through the ledger yet."""
        found = self._newest_of(self._marks(market), scope)
        found.tell(self._now_us(), is_hard=level is Level.HARD)

    def count(self, market: str) -> int:
        """Return how many scopes of a market are remembered."""
        marks = self._markets.get(market)
        if marks is None:
            return 0
        return len(marks.by_scope) + len(marks.items) + (marks.everything.changed_us > LONG_AGO_US)

    def of_context(self, market: str, account: str, price_group: str) -> "PageMarks | None":
        """Return what touches this customer's prices; None when nothing does."""
        marks = self._markets.get(market)
        if marks is None:
            return None
        found = [marks.everything]
        if marks.by_scope:
            scopes = (
                Scope(ScopeKind.CUSTOMER, _code(account)),
                Scope(ScopeKind.PRICE_GROUP, _code(price_group)),
            )
            found += [mark for scope in scopes if (mark := marks.by_scope.get(scope)) is not None]
        return PageMarks(found[0] if len(found) == 1 else _merged(found), marks.items)

    def _marks(self, market: str) -> _Marks:
        return self._markets.setdefault(market, _Marks())

    def _newest_of(self, marks: _Marks, scope: Scope) -> _Newest:
        code = _code(scope.code)
        if scope.kind is ScopeKind.ITEM:
            found = marks.items.get(code)
            if found is None and len(marks.items) < MAX_ITEMS:
                found = marks.items[code] = _Newest()
            return found or marks.everything
        if scope.kind is ScopeKind.ALL:
            return marks.everything
        return marks.by_scope.setdefault(Scope(scope.kind, code), _Newest())

    def _forget_old(self, marks: _Marks) -> None:
        oldest, oldest_us = marks.position - self._keep_positions, self._now_us() - self._keep_us
        marks.items = {c: m for c, m in marks.items.items() if not m.is_past(oldest, oldest_us)}
        marks.by_scope = {
            s: m for s, m in marks.by_scope.items() if not m.is_past(oldest, oldest_us)
        }


class PageMarks:
    """The newest invalidations that touch one customer's page."""

    __slots__ = ("_items", "_newest", "_page", "_told_us")

    def __init__(self, page: _Newest, items: Mapping[str, _Newest]) -> None:
        self._page = page
        self._items = items
        self._newest = page.newest
        self._told_us = max(page.soft_told_us, page.hard_told_us)

    def level(self, item_number: str, position: int, loaded_us: int) -> Level | None:
        """Return the strictest invalidation that a read may not have seen.

        Args:
            item_number: What was read.
            position: What was known when the read began.
            loaded_us: When that was (monotonic).
        """
        page, item = self._page, self._item(item_number)
        if item is None and position >= self._newest and loaded_us >= self._told_us:
            return None  # what nearly every line of a busy shop is
        if _outdates(page.hard, page.hard_told_us, position, loaded_us) or (
            item is not None and _outdates(item.hard, item.hard_told_us, position, loaded_us)
        ):
            return Level.HARD
        if _outdates(page.soft, page.soft_told_us, position, loaded_us) or (
            item is not None and _outdates(item.soft, item.soft_told_us, position, loaded_us)
        ):
            return Level.SOFT
        return None

    def touches(self, item_numbers: Iterable[str], position: int, loaded_us: int) -> bool:
        """Return whether anything of a page of these items may be invalidated.

        Args:
            item_numbers: What the page shows.
            position: The smallest of what was known when each was read.
            loaded_us: When the first of them was read (monotonic).
        """
        if position < self._newest or loaded_us < self._told_us:
            return True
        if not self._items:
            return False
        marked = self._items.keys() & map(_code, item_numbers)
        return any(self.level(number, position, loaded_us) is not None for number in marked)

    def newest(self, item_number: str) -> int:
        """Return the newest position that touches the item, -1 when none does."""
        item = self._item(item_number)
        return self._newest if item is None else max(self._newest, item.newest)

    def changed_us(self, item_number: str) -> int:
        """Return when the item's price was last said to have changed; long ago without word."""
        item = self._item(item_number)
        page_us = self._page.changed_us
        return page_us if item is None else max(page_us, item.changed_us)

    def _item(self, item_number: str) -> _Newest | None:
        return self._items.get(_code(item_number)) if self._items else None


def is_current(marks: PageMarks | None, item_number: str, position: int, loaded_us: int) -> bool:
    """Return whether a read that began there and then saw all that is known to have changed."""
    return marks is None or marks.level(item_number, position, loaded_us) is None


def _outdates(newest: int, told_us: int, position: int, loaded_us: int) -> bool:
    return position < newest or loaded_us < told_us


def _merged(found: Sequence[_Newest]) -> _Newest:
    return _Newest(
        soft=max(mark.soft for mark in found),
        hard=max(mark.hard for mark in found),
        soft_told_us=max(mark.soft_told_us for mark in found),
        hard_told_us=max(mark.hard_told_us for mark in found),
        changed_us=max(mark.changed_us for mark in found),
    )
