"""Where an event waits for a worker: what the store needs of the queue."""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection


class Urgency(IntEnum):
    """Who goes first; of equal ones whoever came first.

    A shop's customers wait for what was placed just now, also while a night's orders, or a first
    start's, are being carried.
    """

    BACKLOG = 0
    """What lay for a while before it was seen, or was tried before."""
    FRESH = 10
    """What a poll has seen soon, and what may go on now."""
    HINTED = 20
    """What somebody told of just now, or what an event waits for."""


class Waiting(NamedTuple):
    """An event that is put in line."""

    event_id: int
    flow: str
    market: str
    lock_key: str


class Queue(Protocol):
    """Where an event waits for a worker."""

    async def put(
        self, connection: AsyncConnection, events: Sequence[Waiting], urgency: Urgency
    ) -> None:
        """Put events in line, in their order, within the transaction of the caller's connection."""
        ...

    async def lift(self, connection: AsyncConnection, event_id: int, urgency: Urgency) -> None:
        """Have an event that waits in line wait with those of an urgency, if that is higher."""
        ...
