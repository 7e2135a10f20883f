"""One attempt at one event, as a flow sees it: `sync.engine.flow.Work`.

Between the last check of the fence and the wire a worker may still be stopped for minutes:
no check can prevent that. The lookup before each write and the removal of doubles are there
for it (SYNC.md section 2).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from sync.engine.flow import Call, Event, Links, SentCall
from sync.store.events import EventStore, FenceLostError
from sync.store.journal import Journal
from sync.store.records import EventRecord

# An order of a hundred lines against a slow ERP ends within this; later nothing may be sent.
LONGEST_ATTEMPT = timedelta(minutes=5)


class JournalledCall:
    """A call that was journalled as sent."""

    def __init__(self, journal: Journal, row: int) -> None:
        self._journal = journal
        self._row = row

    async def acked(self, status: int, response: Any) -> None:
        """Journal its end."""
        await self._journal.acked(self._row, status=status, response=response)


class EventWork:
    """An attempt.

    Args:
        record: The claimed event.
        events: Where its fence is asked.
        journal: Where its calls are written.
        links: The entity map of its market.
        clock: Time.
    """

    def __init__(
        self,
        record: EventRecord,
        *,
        events: EventStore,
        journal: Journal,
        links: Links,
        clock: Clock,
    ) -> None:
        self._record = record
        self._events = events
        self._journal = journal
        self._links = links
        self._clock = clock
        self._ends_us = clock.monotonic_us() + (
            int(LONGEST_ATTEMPT.total_seconds()) * MICROSECONDS_PER_SECOND
        )
        self._event = Event(
            id=record.id,
            flow=record.flow,
            market=record.market,
            business_key=record.business_key,
            source_key=record.source_key,
            payload=record.payload,
            attempts=record.attempts,
            fence=record.fence,
        )

    @property
    def event(self) -> Event:
        """The event."""
        return self._event

    @property
    def links(self) -> Links:
        """The entity map of its market."""
        return self._links

    @property
    def clock(self) -> Clock:
        """Time."""
        return self._clock

    @asynccontextmanager
    async def call(
        self, system: str, operation: str, request: Mapping[str, Any]
    ) -> AsyncIterator[Call]:
        """Journal a call as sent; raises `FenceLostError`."""
        row = await self._journal.sent(
            self._record.id,
            self._record.fence,
            system=system,
            operation=operation,
            request=request,
        )
        yield JournalledCall(self._journal, row)

    async def unacknowledged(self) -> Sequence[SentCall]:
        """Return the calls of all attempts that have no end."""
        return [
            SentCall(
                system=row.system,
                operation=row.operation,
                request=row.request,
                sent_at=row.sent_at,
            )
            for row in await self._journal.unacknowledged(self._record.id)
        ]

    async def guard(self) -> None:
        """Raise `FenceLostError` when the event is no longer ours, or the attempt is too old."""
        is_held = await self._events.holds(self._record.id, self._record.fence)
        # Asked after the database answered: its answer may itself be from long ago.
        if not is_held or self._clock.monotonic_us() >= self._ends_us:
            raise FenceLostError(f"event {self._record.id} is no longer held")
