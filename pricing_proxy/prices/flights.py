"""Loads under way, so that the same price is never asked for twice at once.

A flight carries the keys that one request claimed, and is owned here and not by that
request: requests only wait beside it, and the cancellation or deadline of one never
touches it. Every claimed key is settled exactly once, whatever happens: by the load, or as
failed in `Flights._ended`, the one end of every flight.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pricing_proxy.background import end
from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import State
from pricing_proxy.prices.query import Context, Failure, Key
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a load brought for a key.

    Attributes:
        entry: As of when it came.
        level: Where it came from: "l2" or "source".
        slept_us: For how long the machine had slept by then, all in all.
    """

    entry: Entry
    level: str
    slept_us: int

    def entry_after(self, slept_us: int) -> Entry:
        """Return the entry as of a machine that has slept for so long, all in all."""
        by_us = slept_us - self.slept_us
        return self.entry.older(by_us) if by_us else self.entry


@dataclass(slots=True, eq=False, kw_only=True)
class Flight:
    """One load of some keys of one context.

    Attributes:
        context: Whose prices.
        customer: The customer behind the context.
        items: The keys claimed, with their items.
        began_us: When the keys were claimed; every read it makes begins later.
        position: Ledger position at that instant.
        accepts: Whether an entry from Redis, in this state, settles its key.
        deadline_us: When the flight itself gives up; its waiters may give up earlier.
        ticket: The class of its calls; a joiner may lift it.
        is_budgeted: Its lines count against the customer's budget; a joiner may lift that too.
        older: Entries found in Redis that do not settle their key but may stand in.
        landed: What became of the keys so far.
    """

    context: Context
    customer: Customer
    items: Mapping[Key, Item]
    began_us: int
    position: int
    accepts: Callable[[State, Entry], bool]
    deadline_us: int
    ticket: Ticket
    is_budgeted: bool = False
    older: dict[Key, Arrival] = field(default_factory=dict)
    landed: dict[Key, Arrival | Failure] = field(default_factory=dict)
    _step: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def step(self) -> "asyncio.Future[None]":
        """Done when something more is known; wait for it with `asyncio.wait`, never alone."""
        return self._step

    def announce(self) -> None:
        """Wake everyone who waits, to look at `older` and `landed` again."""
        step, self._step = self._step, asyncio.get_running_loop().create_future()
        step.set_result(None)


class Flights:
    """All flights of this process.

    Args:
        run: Loads a flight's keys, calling `land` for each as its outcome becomes known, and the
            flight's `announce`; what it leaves behind has failed.
        now_us: The monotonic clock.
    """

    def __init__(
        self, *, run: Callable[[Flight], Coroutine[Any, Any, None]], now_us: Callable[[], int]
    ) -> None:
        self._run = run
        self._now_us = now_us
        self._boards: dict[Context, dict[Key, Flight]] = {}
        self._tasks: dict[asyncio.Task[None], Flight] = {}

    def of(self, context: Context, key: Key) -> Flight | None:
        """Return the flight that carries a key; None when there is none."""
        return self._boards.get(context, {}).get(key)

    def carries_any(self, context: Context, keys: Iterable[Key]) -> bool:
        """Return whether any of these keys is on a flight."""
        board = self._boards.get(context)
        return board is not None and any(map(board.__contains__, keys))

    def of_all(self, context: Context, keys: Iterable[Key]) -> Flight | None:
        """Return the one flight that will answer all these keys; None when there is none."""
        board = self._boards.get(context)
        found = set(map(board.get, keys)) if board is not None else ()
        return found.pop() if len(found) == 1 else None

    def start(self, flight: Flight) -> None:
        """Claim the flight's keys and set off; nothing is awaited in between."""
        board = self._boards.setdefault(flight.context, {})
        for key in flight.items:
            board[key] = flight
        task = asyncio.get_running_loop().create_task(self._run(flight))
        self._tasks[task] = flight
        task.add_done_callback(self._ended)

    @property
    def count(self) -> int:
        """How many flights are under way."""
        return len(self._tasks)

    def oldest_age_us(self) -> int:
        """Return the age of the oldest flight, 0 when there is none."""
        began = [flight.began_us for flight in self._tasks.values()]
        return self._now_us() - min(began) if began else 0

    async def aclose(self, *, patience_seconds: float = 0) -> None:
        """Wait for what is under way, so that it reaches Redis too; cancel what takes longer."""
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=patience_seconds)
        await end(*self._tasks)

    def land(self, flight: Flight, key: Key, outcome: Arrival | Failure) -> None:
        """Settle one key; the first outcome counts."""
        if key not in flight.landed:
            flight.landed[key] = outcome
            self._release(flight, key)

    def _release(self, flight: Flight, key: Key) -> None:
        # A newer flight may have taken the key over, after an invalidation or for a checkout.
        board = self._boards.get(flight.context, {})
        if board.get(key) is flight:
            del board[key]
            if not board:
                del self._boards[flight.context]

    def _ended(self, task: "asyncio.Task[None]") -> None:
        # The one end of every flight: it runs even for a task cancelled before its first step.
        flight = self._tasks.pop(task)
        for key in flight.items:
            self.land(flight, key, Failure("load_ended", self._now_us()))
        flight.announce()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a load of prices broke", exc_info=error)
