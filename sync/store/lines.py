"""Where an event waits for a worker: what the store needs of the queue."""

from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection


class Queue(Protocol):
    """Where an event waits for a worker."""

    async def put(
        self,
        connection: AsyncConnection,
        *,
        event_id: int,
        flow: str,
        market: str,
        lock_key: str,
        due_at: datetime | None,
    ) -> None:
        """Put it in line, within the transaction of the caller's connection."""
        ...
