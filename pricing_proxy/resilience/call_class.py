"""How urgent a call is, and the handle through which it becomes more urgent.

    CHECKOUT > INTERACTIVE (cart and browse misses) > REFRESH (refresh, warming, documents)
        > BACKGROUND > MIRROR (whole sets, copied from one system to the other)

A load that began for a refresh may find a customer waiting for it: joining it lifts its
`Ticket`, and a queue in which that ticket waits obeys at once. A ticket also says for whom
the call is made, since callers of one class take turns.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import NamedTuple


class CallClass(IntEnum):
    """Who waits for a call; the lower the number, the sooner it is served."""

    CHECKOUT = 0
    INTERACTIVE = 1
    REFRESH = 2
    BACKGROUND = 3
    MIRROR = 4

    @property
    def is_customer_facing(self) -> bool:
        """Say whether a customer may be waiting for the answer."""
        return self <= CallClass.INTERACTIVE


class Caller(NamedTuple):
    """For whom a call is made; never shown or logged.

    Attributes:
        key: The name of the key that asked; empty for work of our own.
        customer: The customer, among those of that key.
    """

    key: str = ""
    customer: str = ""


OURSELVES = Caller()


class Ticket:
    """The urgency of one call or flight, which only ever rises, and for whom it is made.

    Args:
        klass: Who waits.
        callers: For whom; more join while it waits.
    """

    __slots__ = ("_callers", "_klass", "_watchers")

    def __init__(self, klass: CallClass, *callers: Caller) -> None:
        self._klass = klass
        self._callers = callers or (OURSELVES,)
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
        self._tell()

    @property
    def callers(self) -> tuple[Caller, ...]:
        """For whom it is made, as it is now."""
        return self._callers

    def share(self, caller: Caller) -> None:
        """Make the call for another one too: it goes when it is the turn of either."""
        if caller in self._callers:
            return
        self._callers += (caller,)
        self._tell()

    def beside(self, klass: CallClass) -> "Ticket":
        """Return a ticket of another class for the same callers."""
        return Ticket(klass, *self._callers)

    @contextmanager
    def watched(self, on_lift: Callable[[], None]) -> Iterator[None]:
        """Call `on_lift` after each lift and each sharing, until the block is left."""
        self._watchers.append(on_lift)
        try:
            yield
        finally:
            self._watchers.remove(on_lift)

    def _tell(self) -> None:
        for watcher in tuple(self._watchers):
            watcher()
