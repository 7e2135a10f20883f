"""The lines that each customer's pages lately had to load: what a login will want warm.

Kept in this process, and behind its back in Redis, so that another replica knows them at
the next login. Without Redis each process knows its own; what was not written is written
when it is back.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

from pricing_proxy.prices.ports import CacheFailedError, WarmMarks
from pricing_proxy.prices.query import Context, Key

K = TypeVar("K")
V = TypeVar("V")

# Two ERP calls of a hundred lines; a catalog page shows far fewer.
MOST_SEEN = 200
# Customers whose lines are remembered; at 200 short texts each this is some tens of megabytes.
MOST_CUSTOMERS = 5000
# Written at once, so that Redis' other users wait a few milliseconds at most.
_MOST_SAVED = 100


class SeenLines:
    """Remembers lines, newest last.

    Args:
        marks: Where other processes find them.
    """

    def __init__(self, marks: WarmMarks) -> None:
        self._marks = marks
        self._own: OrderedDict[Context, OrderedDict[Key, None]] = OrderedDict()
        self._unsaved: OrderedDict[Context, None] = OrderedDict()

    def note(self, context: Context, keys: Iterable[Key]) -> None:
        """Remember lines that a page had to load."""
        seen = self._own.setdefault(context, OrderedDict())
        self._own.move_to_end(context)
        for key in keys:
            seen[key] = None
            seen.move_to_end(key)
        drop_oldest(seen, MOST_SEEN)
        drop_oldest(self._own, MOST_CUSTOMERS)
        self._unsaved[context] = None
        drop_oldest(self._unsaved, MOST_CUSTOMERS)

    async def of(self, context: Context) -> list[Key]:
        """Return the lines, newest first: this process' own, then what others saw."""
        own = list(reversed(self._own.get(context, ())))
        try:
            others = await self._marks.seen(context)
        except CacheFailedError:
            others = ()
        return list(dict.fromkeys((*own, *others)))

    async def save(self) -> None:
        """Write some of what is new to Redis; what cannot be written waits."""
        for context in list(self._unsaved)[:_MOST_SAVED]:
            del self._unsaved[context]
            keys = list(self._own.get(context, ()))
            if not keys:
                continue  # forgotten meanwhile
            try:
                await self._marks.note_seen(context, keys)
            except CacheFailedError:
                self._unsaved[context] = None
                return


def drop_oldest(remembered: OrderedDict[K, V], most: int) -> None:
    """Forget what was added first until `most` are left."""
    while len(remembered) > most:
        remembered.popitem(last=False)
