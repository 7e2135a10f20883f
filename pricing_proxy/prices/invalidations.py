"""What is known to have changed in the ERP: the newest invalidation of each scope, by market.

A position orders loads and invalidations: a load that began at a smaller position than a
matching invalidation may hold what was invalidated. Positions are those of the market's
ledger (`shared_state.ledger`), so prices that other processes kept in Redis compare as well.

Codes are compared as names are: whoever announces a change may spell them as they like.

What this process was told directly is obeyed at once, before it comes back through the
ledger and even if Redis did not take it: by time, as it has no position yet here.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from pricing_proxy.domain.freshness import Level
from pricing_proxy.names import same_name_key
from pricing_proxy.prices.scope_marks import FORGET_EVERY, LONG_AGO_US, ScopeMark, ScopeMarks
from pricing_proxy.shared_state.ledger import LedgerEntry, Scope, ScopeKind

_log = logging.getLogger(__name__)

# Pages ask for the same names again and again.
_code = lru_cache(maxsize=16_384)(same_name_key)
_TOO_MANY = (
    "market %s: more scopes of the kind %s were invalidated than are kept one by one (%d); "
    "the oldest count as one old invalidation of everything"
)


class Ledger(Protocol):
    """Where invalidations of all processes stand."""

    async def append(self, market: str, scope: Scope, *, is_hard: bool, reason: str) -> int:
        """Append one; return its position. Raises `SharedStateError`."""
        ...


@dataclass(slots=True)
class _Marks:
    """What is known of one market."""

    position: int = 0
    taken: int = 0
    everything: ScopeMark = field(default_factory=ScopeMark)
    items: ScopeMarks = field(default_factory=ScopeMarks)
    customers: ScopeMarks = field(default_factory=ScopeMarks)
    price_groups: ScopeMarks = field(default_factory=ScopeMarks)
    has_given_up: bool = False

    def one_by_one(self, kind: ScopeKind) -> ScopeMarks | None:
        """Return the marks of a kind of scope, None for what has one mark."""
        match kind:
            case ScopeKind.ITEM:
                return self.items
            case ScopeKind.CUSTOMER:
                return self.customers
            case ScopeKind.PRICE_GROUP:
                return self.price_groups
            case _:
                return None


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
        marks.position = max(marks.position, entry.position)
        marks.taken += 1
        if marks.taken % FORGET_EVERY == 0:
            self._forget_some(marks)
        # What is covered is read again: its mark did not change now, or has been given up.
        if not marks.everything.covers(entry.position, is_hard=entry.is_hard):
            kept, code = marks.one_by_one(entry.scope.kind), same_name_key(entry.scope.code)
            mark = marks.everything if kept is None else kept.get(code)
            if mark is None or not mark.covers(entry.position, is_hard=entry.is_hard):
                mark = self._changing(market, entry.scope)
                mark.raise_to(entry.position, is_hard=entry.is_hard, changed_us=changed_us)
                if kept is not None:
                    kept.newest = max(kept.newest, entry.position)

    def tell(self, market: str, scope: Scope, level: Level) -> None:
        """Obey at once what has not come through the ledger yet."""
        now_us = self._now_us()
        self._changing(market, scope).tell(now_us, is_hard=level is Level.HARD)
        kept = self._marks(market).one_by_one(scope.kind)
        if kept is not None:
            kept.told_us = now_us

    def count(self, market: str) -> int:
        """Return how many scopes of a market are remembered."""
        marks = self._markets.get(market)
        if marks is None:
            return 0
        one_by_one = len(marks.customers) + len(marks.price_groups) + len(marks.items)
        return one_by_one + (marks.everything.changed_us > LONG_AGO_US)

    def of_context(self, market: str, account: str, price_group: str) -> "PageMarks | None":
        """Return what touches this customer's prices; None when nothing does."""
        marks = self._markets.get(market)
        if marks is None:
            return None
        page = marks.everything
        if marks.customers or marks.price_groups:
            page = _merged(
                page,
                marks.customers.get(_code(account)),
                marks.price_groups.get(_code(price_group)),
            )
        return PageMarks(page, marks.items)

    def _marks(self, market: str) -> _Marks:
        return self._markets.setdefault(market, _Marks())

    def _changing(self, market: str, scope: Scope) -> ScopeMark:
        """Return the mark of a scope, to be changed now."""
        marks = self._marks(market)
        kept = marks.one_by_one(scope.kind)
        if kept is None:
            return marks.everything
        mark = kept.changing(same_name_key(scope.code))
        given_up = kept.give_up()
        if given_up is not None:
            marks.everything.add(given_up)
            if not marks.has_given_up:
                _log.warning(_TOO_MANY, market, scope.kind.value, len(kept))
            marks.has_given_up = True
        return mark

    def _forget_some(self, marks: _Marks) -> None:
        oldest, oldest_us = marks.position - self._keep_positions, self._now_us() - self._keep_us
        for kept in (marks.items, marks.customers, marks.price_groups):
            kept.forget(oldest, oldest_us)


class PageMarks:
    """The newest invalidations that touch one customer's page."""

    __slots__ = ("_items", "_newest", "_page", "_told_us")

    def __init__(self, page: ScopeMark, items: ScopeMarks) -> None:
        self._page = page
        self._items = items
        self._newest = page.newest
        self._told_us = page.told_us

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
        if position >= self._items.newest and loaded_us >= self._items.told_us:
            return False  # all was read since the last of them changed
        marked = filter(None, map(self._items.get, map(_code, item_numbers)))
        return any(
            position < mark.soft
            or position < mark.hard
            or loaded_us < mark.soft_told_us
            or loaded_us < mark.hard_told_us
            for mark in marked
        )

    def newest(self, item_number: str) -> int:
        """Return the newest position that touches the item, -1 when none does."""
        item = self._item(item_number)
        return self._newest if item is None else max(self._newest, item.newest)

    def changed_us(self, item_number: str) -> int:
        """Return when the item's price was last said to have changed; long ago without word."""
        item = self._item(item_number)
        page_us = self._page.changed_us
        return page_us if item is None else max(page_us, item.changed_us)

    def _item(self, item_number: str) -> ScopeMark | None:
        return self._items.get(_code(item_number)) if self._items else None


def is_current(marks: PageMarks | None, item_number: str, position: int, loaded_us: int) -> bool:
    """Return whether a read that began there and then saw all that is known to have changed."""
    return marks is None or marks.level(item_number, position, loaded_us) is None


def _outdates(newest: int, told_us: int, position: int, loaded_us: int) -> bool:
    return position < newest or loaded_us < told_us


def _merged(page: ScopeMark, *others: ScopeMark | None) -> ScopeMark:
    """Return what all of them know; without others the page's own."""
    found = [other for other in others if other is not None]
    if not found:
        return page
    merged = replace(page)
    for other in found:
        merged.add(other)
    return merged
