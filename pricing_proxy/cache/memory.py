"""L1: the prices this process remembers, bounded in bytes, least recently used out first.

Entries stand on one shelf per context, so a page costs one look-up for the customer and
one plain dict look-up per line. Expiry lives in the entries: a stale price is still the
best there is when the ERP fails, so nothing is dropped for its age. When the machine may have
slept, ages are in doubt: what was remembered until then is older by that, and stale, until it
is read again.
"""

from typing import NamedTuple

from cachetools import LRUCache

from pricing_proxy.cache.shared_time import doubted_us
from pricing_proxy.domain.entry import Entry
from pricing_proxy.prices.ports import Entries
from pricing_proxy.prices.query import Context
from pricing_proxy.prices.shelf import Shelf

# What Python spends on an entry besides its fragment: the tuple, its numbers, the key and its
# texts, and two dict slots; measured with tracemalloc, rounded up.
_ENTRY_OVERHEAD_BYTES = 640
_SHELF_OVERHEAD_BYTES = 400
# As in Redis: more than any customer looks at; guards against one caller filling the memory.
_MOST_ENTRIES = 5000


class _Doubt(NamedTuple):
    """That ages are in doubt.

    Attributes:
        at_us: Since when (monotonic).
        slept_us: For how long the machine has slept by then, all in all.
    """

    at_us: int
    slept_us: int


_NO_DOUBT = _Doubt(0, 0)


class _Shelf(Shelf):
    """One context's entries, with what they cost, and which doubt of their ages they know of."""

    __slots__ = ("bytes", "doubt")

    def __init__(self, doubt: _Doubt = _NO_DOUBT) -> None:
        super().__init__()
        self.bytes = _SHELF_OVERHEAD_BYTES
        self.doubt = doubt

    def take_doubt(self, doubt: _Doubt) -> None:
        """Have what stands here be older by the sleep since the last one, and stale."""
        slept_us = doubt.slept_us - self.doubt.slept_us
        self.doubt = doubt
        self.plain.clear()
        for key, entry in self.items():
            seems_us = entry.loaded_us - slept_us
            loaded_us = doubted_us(seems_us, soft_us=entry.soft_us, now_us=doubt.at_us)
            self[key] = entry._replace(loaded_us=loaded_us)


# Nobody changes it: what is not remembered has no entries.
_NO_ENTRIES = _Shelf()


class _Shelves(LRUCache[Context, _Shelf]):
    """Finds every context: `get` would look it up twice."""

    def __missing__(self, context: Context) -> _Shelf:
        return _NO_ENTRIES


class MemoryStore:
    """Remembers entries.

    Args:
        max_bytes: What all entries may cost; 0 remembers nothing.
    """

    def __init__(self, max_bytes: int) -> None:
        self._shelves: LRUCache[Context, _Shelf] = _Shelves(
            maxsize=max_bytes, getsizeof=lambda shelf: shelf.bytes
        )
        self._doubt = _NO_DOUBT

    @property
    def remembers(self) -> bool:
        """Whether anything is remembered."""
        return bool(self._shelves)

    def shelf(self, context: Context) -> Shelf:
        """Return what is remembered of a context; do not change it."""
        shelf = self._shelves[context]
        if shelf.doubt is not self._doubt:
            # One context at a time: all at once would hold every page for long.
            shelf.take_doubt(self._doubt)
        return shelf

    def doubt_ages(self, now_us: int, *, slept_us: int = 0) -> None:
        """Take all that is remembered for stale, as ages may be wrong.

        Args:
            now_us: The monotonic clock ...
            slept_us: ... which stood still for so long, as far as known.
        """
        self._doubt = _Doubt(now_us, self._doubt.slept_us + slept_us)

    def remember(self, context: Context, entries: Entries) -> None:
        """Keep entries, unless a later read of the same key is already kept."""
        shelf = self._shelves.get(context)
        if shelf is None:
            shelf = _Shelf(self._doubt)
        if shelf.doubt is not self._doubt:
            shelf.take_doubt(self._doubt)
        shelf.plain.clear()
        for key, entry in entries.items():
            known = shelf.get(key)
            if known is None:
                shelf[key] = entry
                shelf.bytes += _cost(entry)
            elif known.loaded_us < entry.loaded_us:
                shelf[key] = entry
                shelf.bytes += _cost(entry) - _cost(known)
        while len(shelf) > _MOST_ENTRIES:
            shelf.bytes -= _cost(shelf.pop(next(iter(shelf))))
        if shelf.bytes <= self._shelves.maxsize:
            self._shelves[context] = shelf
        else:
            self._shelves.pop(context, None)

    @property
    def used_bytes(self) -> int:
        """What the entries cost now, by estimate."""
        return int(self._shelves.currsize)

    @property
    def entry_count(self) -> int:
        """How many entries are remembered; walks all contexts."""
        return sum(len(shelf) for shelf in self._shelves.values())


def _cost(entry: Entry) -> int:
    return len(entry.fragment) + _ENTRY_OVERHEAD_BYTES
