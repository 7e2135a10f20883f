"""Who waits for a turn, and in which order they are served.

The higher class first; within a class callers take turns, see `turns`. Where turns do not
decide, the longest waiting goes first, except among browse and cart misses, where the newest
does: its page is the likeliest still to be looked at. Lines are bounded. A full line refuses
one of those who take the most places in it: the newcomer, or, where the newest goes first,
the oldest. A lifted ticket changes its place at once. Whoever is cancelled after being
granted a turn hands it back, so that turns never leak.
"""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import CallRefusedError
from pricing_proxy.resilience.turns import Turns

_NEWEST_FIRST = frozenset({CallClass.INTERACTIVE})
# At 60 ms a call and the least limit of 4, so many take two seconds; a customer's page
# is gone by then, so a longer line would only serve those who left.
_CAPACITY = 128
# The line may be empty a moment later; a second is the least that Retry-After can say.
_RETRY_AFTER = timedelta(seconds=1)


class Waiter:
    """One call in the line."""

    __slots__ = ("granted", "klass", "start_by")

    def __init__(
        self, klass: CallClass, start_by: Deadline, granted: "asyncio.Future[CallClass]"
    ) -> None:
        self.klass = klass
        self.start_by = start_by
        self.granted = granted


class WaitingLine:
    """The calls that wait for one thing; its owner grants the turns."""

    def __init__(
        self,
        *,
        system: str,
        purpose: str,
        clock: Clock,
        on_lift: Callable[[], None],
        on_returned: Callable[[CallClass], None],
    ) -> None:
        """Begin empty.

        Args:
            system: For errors.
            purpose: What is waited for, for errors: "a slot".
            clock: Time.
            on_lift: A waiter became more urgent; the owner may serve it now.
            on_returned: A turn granted to this class was not used.
        """
        self._system = system
        self._purpose = purpose
        self._clock = clock
        self._on_lift = on_lift
        self._on_returned = on_returned
        self._lines: dict[CallClass, Turns[Waiter]] = {
            klass: Turns(newest_first=klass in _NEWEST_FIRST) for klass in CallClass
        }

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    def waiting(self) -> dict[str, int]:
        """Return how many wait, by class."""
        return {klass.name.lower(): len(line) for klass, line in self._lines.items()}

    def heads(self) -> Iterator[Waiter]:
        """Yield the next waiter of each class that has one, the most urgent class first."""
        for line in self._lines.values():
            # A cancelled call stays in its line until its task runs; it takes no turn.
            waiter = next((each for each in line.in_order() if not each.granted.done()), None)
            if waiter is not None:
                yield waiter

    def grant(self, waiter: Waiter) -> None:
        """Give `waiter` its turn; the owner has booked it for the waiter's class."""
        self._lines[waiter.klass].serve(waiter)
        waiter.granted.set_result(waiter.klass)

    def refuse_hopeless(self, not_before_us: int) -> None:
        """Refuse everyone whose deadline passes before `not_before_us`."""
        retry_after = timedelta(microseconds=not_before_us - self._clock.monotonic_us())
        for line in self._lines.values():
            for waiter in tuple(line):
                if waiter.start_by.has_passed(not_before_us):
                    self._refuse(waiter, "would not come in time", retry_after)

    async def wait(self, ticket: Ticket, *, start_by: Deadline) -> CallClass:
        """Return the class for which a turn was granted.

        Raises:
            CallRefusedError: The line is full, or no turn came before `start_by`.
        """
        loop = asyncio.get_running_loop()
        waiter = Waiter(ticket.klass, start_by, loop.create_future())
        self._join(waiter, ticket)
        left_us = start_by.remaining_us(self._clock.monotonic_us())
        timer = loop.call_later(
            left_us / MICROSECONDS_PER_SECOND,
            self._refuse,
            waiter,
            "did not come in time",
            _RETRY_AFTER,
        )
        try:
            with ticket.watched(lambda: self._move(waiter, ticket)):
                return await waiter.granted
        except asyncio.CancelledError:
            self._hand_back(waiter)
            raise
        finally:
            timer.cancel()
            self._lines[waiter.klass].remove(waiter)

    def _join(self, waiter: Waiter, ticket: Ticket) -> None:
        line = self._lines[waiter.klass]
        if len(line) >= _CAPACITY:
            leaving = line.one_too_many(ticket.callers[0])
            if leaving is None:
                raise self._refusal("has too long a line", _RETRY_AFTER)
            self._refuse(leaving, "went to other calls", _RETRY_AFTER)
        line.add(waiter, *ticket.callers)

    def _move(self, waiter: Waiter, ticket: Ticket) -> None:
        if waiter.granted.done():
            return
        if ticket.klass is waiter.klass:
            self._lines[waiter.klass].share(waiter, ticket.callers[-1])
        else:
            self._lines[waiter.klass].remove(waiter)
            waiter.klass = ticket.klass
            self._lines[waiter.klass].add(waiter, *ticket.callers)
        self._on_lift()

    def _hand_back(self, waiter: Waiter) -> None:
        granted = waiter.granted
        if not granted.cancelled() and granted.exception() is None:
            self._on_returned(granted.result())

    def _refuse(self, waiter: Waiter, why: str, retry_after: timedelta) -> None:
        self._lines[waiter.klass].remove(waiter)
        if not waiter.granted.done():
            waiter.granted.set_exception(self._refusal(why, retry_after))

    def _refusal(self, why: str, retry_after: timedelta) -> CallRefusedError:
        return CallRefusedError(
            f"{self._purpose} {why}", system=self._system, retry_after=retry_after
        )
