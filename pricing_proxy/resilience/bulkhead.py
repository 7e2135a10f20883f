"""How many calls run at once, and how that number is shared among the classes.

The limit is found by `aimd`. Each class has a share of it. Checkout's is kept for it
alone. What interactive and refresh leave unused is lent to the classes below them, never
upwards: a flood of page views cannot end the refreshing that would make it unnecessary.
Where a share is below one call, the class lives on what it borrows, so when the limit
falls, refresh and background shrink first.

Mirrors run on what checkout leaves unused, and on a part of that only: whoever calls for
mirrors makes no checkouts, and no other class ever waits for a mirror. Should both come
together, checkout has its share at once, and for as long as the mirror's calls take there
are more of them than the limit says.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pricing_proxy.clock import Clock
from pricing_proxy.resilience import aimd
from pricing_proxy.resilience.aimd import AimdSettings, AimdState, Sample, Signal
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.waiting_line import WaitingLine

# Percent of the limit. Checkout's is promised; refresh and background get what keeps
# them moving when pages flood, and interactive all the rest.
_CHECKOUT_PERCENT = 40
_REFRESH_PERCENT = 10
_BACKGROUND_PERCENT = 5
# Of the limit, for mirrors; less than checkout's.
_MIRROR_PERCENT = 25
# Below half of the limit in use, it was not the limit that held anybody back.
_PRESSED_FROM_PART = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkheadView:
    """What `/status` shows of a bulkhead; mappings are by class.

    Attributes:
        name: The environment and app it belongs to.
        limit: Calls at once, as it stands.
        running: Calls that hold a slot.
        waiting: Calls in line.
    """

    name: str
    limit: int
    running: dict[str, int]
    waiting: dict[str, int]


def shares(limit: int) -> tuple[int, int, int, int]:
    """Divide `limit` among the classes above mirrors, in their order; checkout is rounded up."""
    checkout = -(-limit * _CHECKOUT_PERCENT // 100)
    refresh = limit * _REFRESH_PERCENT // 100
    background = limit * _BACKGROUND_PERCENT // 100
    return checkout, limit - checkout - refresh - background, refresh, background


def mirrors_share(limit: int) -> int:
    """Return how many calls for mirrors may run at once, at least one."""
    return max(1, limit * _MIRROR_PERCENT // 100)


def has_room(klass: CallClass, running: dict[CallClass, int], limit: int) -> bool:
    """Say whether one more call of `klass` fits.

    Between checkout and mirrors, a class and all those above it fit into their shares
    together; that is what lending downwards only means.
    """
    share = shares(limit)
    if klass is CallClass.CHECKOUT:
        return running[klass] < share[klass]
    if klass is CallClass.MIRROR:
        unused = share[CallClass.CHECKOUT] - running[CallClass.CHECKOUT]
        return running[klass] < min(unused, mirrors_share(limit))
    used = lendable = 0
    for other in (CallClass.INTERACTIVE, CallClass.REFRESH, CallClass.BACKGROUND):
        used += running[other]
        lendable += share[other]
        if other >= klass and used >= lendable:
            return False
    return True


class Bulkhead:
    """Slots for the calls to one environment under one app registration."""

    def __init__(
        self,
        *,
        system: str,
        name: str,
        clock: Clock,
        on_limit: Callable[[int], None] | None = None,
        settings: AimdSettings | None = None,
    ) -> None:
        """Begin empty, at the initial limit.

        Args:
            system: For errors.
            name: For views: environment and app.
            clock: Time.
            on_limit: Told each new limit; must not raise.
            settings: Bounds of the limit.
        """
        self._name = name
        self._on_limit = on_limit
        self._settings = settings or AimdSettings()
        self._aimd = AimdState(float(self._settings.initial))
        self._running = dict.fromkeys(CallClass, 0)
        self._line = WaitingLine(
            system=system,
            purpose=f"{name}: a free slot",
            clock=clock,
            on_lift=self._dispatch,
            on_returned=self._free,
        )

    @asynccontextmanager
    async def slot(self, ticket: Ticket, *, start_by: Deadline) -> AsyncIterator[None]:
        """Hold one slot of the ticket's class while the block runs.

        Raises:
            CallRefusedError: The line is full, or no slot came free before `start_by`.
        """
        klass = await self._take(ticket, start_by)
        try:
            yield
        finally:
            self._free(klass)

    def observe(self, signal: Signal, *, began_us: int, ended_us: int, is_slow: bool) -> None:
        """Learn from a call that is over, while it still holds its slot."""
        before = self._aimd.slots
        sample = Sample(
            signal=signal,
            began_us=began_us,
            ended_us=ended_us,
            is_slow=is_slow,
            is_pressed=self._is_pressed(),
        )
        self._aimd = aimd.observe(self._aimd, sample, self._settings)
        if self._aimd.slots != before:
            if self._on_limit is not None:
                self._on_limit(self._aimd.slots)
            self._dispatch()

    def view(self) -> BulkheadView:
        """Return what `/status` shows."""
        return BulkheadView(
            name=self._name,
            limit=self._aimd.slots,
            running={klass.name.lower(): count for klass, count in self._running.items()},
            waiting=self._line.waiting(),
        )

    def _is_pressed(self) -> bool:
        in_use = sum(self._running.values())
        return len(self._line) > 0 or in_use * _PRESSED_FROM_PART >= self._aimd.slots

    async def _take(self, ticket: Ticket, start_by: Deadline) -> CallClass:
        # Nobody is overtaken: whoever waits, waits because nothing is free for its class,
        # and what a lower class could take, a higher one in the same line could too.
        if has_room(ticket.klass, self._running, self._aimd.slots):
            klass = ticket.klass
            self._running[klass] += 1
            return klass
        return await self._line.wait(ticket, start_by=start_by)

    def _free(self, klass: CallClass) -> None:
        self._running[klass] -= 1
        self._dispatch()

    def _dispatch(self) -> None:
        while True:
            limit = self._aimd.slots
            heads = self._line.heads()
            waiter = next((w for w in heads if has_room(w.klass, self._running, limit)), None)
            if waiter is None:
                return
            self._running[waiter.klass] += 1
            self._line.grant(waiter)
