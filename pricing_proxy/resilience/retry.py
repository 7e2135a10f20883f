"""When a failed call is tried again: rarely, and never against a system in trouble.

This is the one place that knows tenacity. A retry needs all of: an operation that is safe
to repeat, a transient error, a closed breaker, room in the budget, attempts left for its
class, and time left after the pause. Pauses have full jitter. A throttled call pauses
not at all here: the gate decides when, or whether, it goes again. Cancellation ends it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, stop_never

from pricing_proxy.clock import MICROSECONDS_PER_SECOND as SECOND_US
from pricing_proxy.clock import Clock
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    TransientUpstreamError,
    UpstreamThrottledError,
)

T = TypeVar("T")

# A customer waits: one more try is all that fits into the deadline of a page.
_CUSTOMER_RETRIES = 1
_OTHER_RETRIES = 4
# The first pause is about one round trip of a healthy ERP, doubled for each failure; two
# seconds at most, since the breaker takes over when an outage lasts.
_FIRST_PAUSE_US = 100_000
_LONGEST_PAUSE_US = 2 * SECOND_US
# Retries may add a fifth to the load; three always may, or an idle system never retries.
_BUDGET_PART = 5
_LEAST_BUDGET = 3


class RetryBudget:
    """Counts the calls under way and how many of them are repeats."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.retrying = 0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count one call, with all its attempts, until the block is left."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    def has_room(self) -> bool:
        """Say whether one more call may be a repeat now."""
        return self.retrying < max(_LEAST_BUDGET, self.in_flight // _BUDGET_PART)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLimits:
    """What one call brings along.

    Attributes:
        is_safe: Repeating the operation changes nothing.
        ticket: Its urgency, which may rise between attempts.
        start_by: The last instant at which an attempt makes sense.
        is_healthy: Says whether the breaker is closed.
    """

    is_safe: bool
    ticket: Ticket
    start_by: Deadline
    is_healthy: Callable[[], bool]


class Retrier:
    """Runs attempts within one budget, which all calls to one system share."""

    def __init__(self, *, clock: Clock, chance: Callable[[], float]) -> None:
        self.budget = RetryBudget()
        self._clock = clock
        self._chance = chance

    async def run(self, attempt: Callable[[], Awaitable[T]], limits: RetryLimits) -> T:
        """Return what `attempt()` returns, trying again where that may help.

        Raises:
            UpstreamError: The last attempt's.
        """
        with self.budget.call():
            trial = _Trial(self.budget, self._clock, self._chance, limits)
            retrying = AsyncRetrying(
                retry=trial.wants_retry,
                wait=trial.pause_seconds,
                stop=stop_never,
                sleep=asyncio.sleep,
                reraise=True,
            )

            try:
                return await retrying(attempt)
            finally:
                trial.end()


class _Trial:
    """The attempts of one call; holds a place in the budget from its first retry on."""

    def __init__(
        self,
        budget: RetryBudget,
        clock: Clock,
        chance: Callable[[], float],
        limits: RetryLimits,
    ) -> None:
        self.retries = 0
        self._budget = budget
        self._clock = clock
        self._chance = chance
        self._limits = limits
        self._pause_us = 0

    def wants_retry(self, call: RetryCallState) -> bool:
        """Decide after an attempt, and draw the pause the decision depends on."""
        error = call.outcome.exception() if call.outcome is not None else None
        if not self._may_help(error):
            return False
        self._pause_us = self._draw_pause_us(error)
        now_us = self._clock.monotonic_us()
        if self._limits.start_by.has_passed(now_us + self._pause_us):
            return False
        if self.retries == 0:
            if not self._budget.has_room():
                return False
            self._budget.retrying += 1
        self.retries += 1
        return True

    def pause_seconds(self, _call: RetryCallState) -> float:
        """Return the pause that was drawn."""
        return self._pause_us / SECOND_US

    def end(self) -> None:
        """Give the place in the budget back."""
        if self.retries > 0:
            self._budget.retrying -= 1

    def _may_help(self, error: BaseException | None) -> bool:
        limits = self._limits
        is_customer = limits.ticket.klass.is_customer_facing
        most = _CUSTOMER_RETRIES if is_customer else _OTHER_RETRIES
        return (
            isinstance(error, TransientUpstreamError)
            and not isinstance(error, CallRefusedError)
            and limits.is_safe
            and self.retries < most
            and limits.is_healthy()
        )

    def _draw_pause_us(self, error: BaseException | None) -> int:
        if isinstance(error, UpstreamThrottledError):
            return 0
        bound_us = min(_FIRST_PAUSE_US << self.retries, _LONGEST_PAUSE_US)
        return int(bound_us * self._chance())
