"""How urgent a call is, and the handle through which it becomes more urgent.

    CHECKOUT > INTERACTIVE (cart and browse misses) > REFRESH (refresh, warming) > BACKGROUND

A load that began for a refresh may find a customer waiting for it: joining it lifts its
`Ticket`, and a queue in which that ticket waits obeys at once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum


class CallClass(IntEnum):
    """Who waits for a call; the lower the number, the sooner it is served."""

    CHECKOUT = 0
    INTERACTIVE = 1
    REFRESH = 2
    BACKGROUND = 3

    @property
    def is_customer_facing(self) -> bool:
        """Say whether a customer may be waiting for the answer."""
        return self <= CallClass.INTERACTIVE


class Ticket:
    """The urgency of one call or flight; it only ever rises."""

    __slots__ = ("_klass", "_watchers")

    def __init__(self, klass: CallClass) -> None:
        self._klass = klass
        self._watchers: list[Callable[[], None]] = []

    @property
    def klass(self) -> CallClass:
        """The class as it is now; ask again after waiting."""
        return self._klass

    def lift(self, to: CallClass) -> None:
        """Make the call at least as urgent as `to`; a lower class changes nothing."""
        if to >= self._klass:
            return
        self._klass = to
        for watcher in tuple(self._watchers):
            watcher()

    @contextmanager
    def watched(self, on_lift: Callable[[], None]) -> Iterator[None]:
        """Call `on_lift` after each lift, until the block is left."""
        self._watchers.append(on_lift)
        try:
            yield
        finally:
            self._watchers.remove(on_lift)
