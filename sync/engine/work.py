"""One attempt at one event, as a flow sees it: `sync.engine.flow.Work`.

Between the last check of the fence and the wire a worker may still be stopped for minutes:
no check can prevent that. The lookup before each write and the removal of doubles are there
for it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from sync.engine.flow import Event, Links, SentCall, Wishes
from sync.store.events import FenceLostError
from sync.store.journal import Journal
from sync.store.records import EventRecord

# An order of a hundred lines against a slow ERP ends within this; later nothing may be sent.
LONGEST_ATTEMPT = timedelta(minutes=5)


class JournalledCall:
    """A call that is journalled when it goes on the wire.

    Args:
        record: The event it is made for, as it was claimed.
        journal: Where it is written.
        is_late: Says whether the attempt has lasted too long to send anything.
        about: System, operation and request.
    """

    def __init__(
        self,
        record: EventRecord,
        *,
        journal: Journal,
        is_late: Callable[[], bool],
        about: Mapping[str, Any],
    ) -> None:
        self._record = record
        self._journal = journal
        self._is_late = is_late
        self._about = about
        self._row: int | None = None

    async def sent(self) -> None:
        """Journal it as sent, if the event is still ours; raises `FenceLostError`.

        One statement asks for the fence and writes, so nobody takes the event over between.
        """
        event_id, fence = self._record.id, self._record.fence
        if self._row is None:
            self._row = await self._journal.sent(event_id, fence, **self._about)
        else:
            await self._journal.sent_again(event_id, fence, row=self._row)
        # Asked after the database answered: its answer may itself be from long ago.
        if self._is_late():
            raise FenceLostError(f"the attempt at event {event_id} has taken too long")

    async def acked(self, status: int, response: Any) -> None:
        """Journal its end; a call that stayed off the wire has none."""
        if self._row is not None:
            await self._journal.acked(self._row, status=status, response=response)
        elif status:
            # Whoever carried it on would not have known to look it up.
            raise RuntimeError(f"{self._about['operation']} was answered, and never journalled")


class EventWork:
    """An attempt.

    Args:
        record: The claimed event.
        journal: Where its calls are written.
        links: The entity map of its market.
        wishes: What was written of it before.
        clock: Time.
        longest: By system: no request is finished later than this after it was sent.
        let_go: Puts whoever waits for an event back in line.
    """

    def __init__(
        self,
        record: EventRecord,
        *,
        journal: Journal,
        links: Links,
        wishes: Wishes,
        clock: Clock,
        longest: Mapping[str, timedelta],
        let_go: Callable[[int], Awaitable[None]],
    ) -> None:
        self._record = record
        self._let_go = let_go
        self._journal = journal
        self.links = links
        self.wishes = wishes
        self.clock = clock
        self.longest = longest
        self._ends_us = clock.monotonic_us() + (
            int(LONGEST_ATTEMPT.total_seconds()) * MICROSECONDS_PER_SECOND
        )
        self.event = Event(
            id=record.id,
            flow=record.flow,
            market=record.market,
            business_key=record.business_key,
            source_key=record.source_key,
            payload=record.payload,
            attempts=record.attempts + 1,
            fence=record.fence,
            document_id=record.document_id,
        )

    async def let_go(self) -> None:
        """Put whoever waits for the event back in line."""
        await self._let_go(self._record.id)

    def call(self, system: str, operation: str, request: Mapping[str, Any]) -> JournalledCall:
        """Return a call to be made."""
        about = {"system": system, "operation": operation, "request": request}
        return JournalledCall(
            self._record, journal=self._journal, is_late=self._is_late, about=about
        )

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

    def _is_late(self) -> bool:
        return self.clock.monotonic_us() >= self._ends_us
