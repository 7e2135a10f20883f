"""Writes with their journal entries around them: `sent` last before the wire, `acked` after.

A write that was surely not done is acked as such, or was never journalled; only one whose
end is unclear stays open, and the next attempt looks before writing. One that was throttled
for a moment is sent again at once: the gate lets it wait, and the order's other calls would
only have to be made anew.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol, Self, TypeVar

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    PermanentUpstreamError,
    UpstreamConflictError,
    UpstreamContractError,
    UpstreamRejectedError,
    UpstreamThrottledError,
)
from sync.engine.flow import Call, SentCall, Work
from sync.engine.outcomes import RetryLaterError

# What the journal can keep: a key, or nothing.
T = TypeVar("T", bound=str | None)
T_co = TypeVar("T_co", covariant=True)

# Not statuses of the other side: nothing reached it, or it did not take the call.
_NOT_SENT = 0
_OK = 200
# A longer pause goes to the queue: a worker that is stopped or dies keeps no order that long.
_SHORT = timedelta(seconds=5)
_MOST_SENDINGS = 4


class Send(Protocol[T_co]):
    """Sends a write once; the guard goes to the transport, which asks it last."""

    def __call__(self, *, guard: Guard) -> Awaitable[T_co]:
        """Send it and return the answer; raises `UpstreamError`."""
        ...


async def written(
    work: Work, system: str, operation: str, request: Mapping[str, object], send: Send[T]
) -> T:
    """Send a write and return what it returns.

    Args:
        work: The event at work.
        system: Where it goes, such as "fo".
        operation: What it does; the name under which an open entry is found again.
        request: What is sent, for the journal.
        send: Sends it, once.
    """
    for _ in range(_MOST_SENDINGS - 1):
        try:
            return await _written_once(work.call(system, operation, request), send)
        except UpstreamThrottledError as error:
            if error.retry_after is None or error.retry_after > _SHORT:
                raise
    return await _written_once(work.call(system, operation, request), send)


async def _written_once(call: Call, send: Send[T]) -> T:
    try:
        answer = await send(guard=call.sent)
    except UpstreamContractError as error:
        if error.status is None or error.status < HTTPStatus.MULTIPLE_CHOICES:
            raise  # it was done, but we do not know what
        await call.acked(error.status, {"led_elsewhere": str(error)})
        raise
    except (CallRefusedError, UpstreamThrottledError) as error:
        await call.acked(_NOT_SENT, {"not_done": str(error)})
        raise
    except UpstreamConflictError as error:
        await call.acked(error.status, {"not_done": str(error)})
        raise
    except PermanentUpstreamError as error:
        status = error.status if isinstance(error, UpstreamRejectedError) else _NOT_SENT
        await call.acked(status, {"refused": str(error)})
        raise
    await call.acked(_OK, {"answer": answer})
    return answer


@dataclass(frozen=True, slots=True)
class Doubts:
    """Writes of earlier attempts that were sent and have no end; read before any look-up.

    A write of this attempt ends it when its own end is unclear, so none is missed.
    """

    entries: tuple[SentCall, ...]
    now: datetime
    longest: Mapping[str, timedelta]

    @classmethod
    async def of(cls, work: Work) -> Self:
        """Read them."""
        return cls(tuple(await work.unacknowledged()), work.clock.utc(), work.longest)

    def has(self, operation: str) -> bool:
        """Return whether such a write is among them, however old."""
        return any(entry.operation == operation for entry in self.entries)

    def wait_out(self, operation: str, about: Mapping[str, object] | None = None) -> None:
        """Return when no such write can still arrive.

        To be asked after a look-up that found nothing: before that time an empty answer
        does not mean that nothing was written.

        Args:
            operation: The write's name.
            about: Members of its request that must be equal.

        Raises:
            RetryLaterError: One may still arrive; it says after how long none can.
        """
        for entry in self.entries:
            fits = all(entry.request.get(name) == value for name, value in (about or {}).items())
            if entry.operation == operation and fits:
                rest = entry.sent_at + self.longest[entry.system] - self.now
                if rest > timedelta(0):
                    raise RetryLaterError(f"{operation} was sent and may still arrive", after=rest)
