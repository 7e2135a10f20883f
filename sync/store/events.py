"""Events and their states: entered once, claimed under a rising fence, ended by its holder.

Every change that touches both an event and the queue is one transaction. Whoever holds a
smaller fence than the row's has lost the event, and everything it says is refused with
`FenceLostError`: a worker that was stopped may wake up at any time.

    event behind an unfinished one of the same lock   waits for it, or is blocked by it
    event whose dependency ends                       is woken
    event whose dependency is held                    is blocked, and woken when that ends
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.store import claiming, statements
from sync.store.claiming import NEED_NOT_LAST, claim_at_once, claim_locked, end_unawaited
from sync.store.dependants import (
    ahead_of,
    block_dependants,
    hold_killer,
    keys_of_document,
    park,
    waiting_for,
    waits_for_another,
    wake_dependants,
)
from sync.store.document_keys import document_key
from sync.store.entering import enter_all, under_way_or_entered
from sync.store.lines import Queue, Urgency
from sync.store.records import EventRecord, Trouble, locked_event, trouble_columns
from sync.store.states import ENDED, STUCK, TO_BEGIN, EventState
from sync.store.tables import sync_event

_EVENT = sync_event.c
# Each took a worker along and got no further than the one before, so a person should look
# before the next one dies. Orders that were only under way when others killed their worker
# get a little further most times; what is only read before an order is released counts for
# nothing, and takes long while a system is slow.
MOST_DEATHS = 16
_ATTEMPTED = {"attempts": _EVENT.attempts + 1, "deaths": 0, "changed_at": func.now()}
# What is received within `receive_together`, by the task that receives it.
_TOGETHER: ContextVar[list[Mapping[str, Any]] | None] = ContextVar("together", default=None)


class FenceLostError(Exception):
    """Another worker has taken the event over; nothing more may be done for it here."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """The event cannot be claimed: it is ended or stuck, or comes back by itself."""

    due_at: datetime | None
    """When the queue must bring it again; None when it must not."""


class EventStore:
    """All events of this database.

    Args:
        database: Where they are kept.
        queue: Where they wait for a worker.
    """

    def __init__(self, database: AsyncEngine, queue: Queue) -> None:
        self._database = database
        # The same connections; each statement is a transaction: no round trips around it.
        self._by_statement = database.execution_options(isolation_level="AUTOCOMMIT")
        self._queue = queue

    async def receive(
        self,
        *,
        flow: str,
        market: str,
        business_key: str,
        source_key: str,
        payload: Mapping[str, Any],
        lock_key: str,
        document_id: str | None = None,
    ) -> bool:
        """Enter an event; return whether it is new: an equal source key is taken once.

        Without the shop's id of it, the document is known by its number only.
        """
        values = {
            "flow": flow,
            "market": market,
            "business_key": business_key,
            "document_id": document_id,
            "source_key": source_key,
            "payload": dict(payload),
            "lock_key": lock_key,
        }
        batch = _TOGETHER.get()
        if batch is not None:
            batch.append(values)
            return False
        return await self._enter([values], Urgency.HINTED) > 0

    async def receive_together(
        self, enter_all: Callable[[], Awaitable[object]], urgency: Urgency
    ) -> int:
        """Enter in one transaction what is received within; return how many are new.

        Each answer to it says that it is not new: nobody knows before the end.

        Args:
            enter_all: Receives it.
            urgency: Of all of it.
        """
        batch: list[Mapping[str, Any]] = []
        token = _TOGETHER.set(batch)
        try:
            await enter_all()
        finally:
            _TOGETHER.reset(token)
        return await self._enter(batch, urgency) if batch else 0

    async def _enter(self, events: Sequence[Mapping[str, Any]], urgency: Urgency) -> int:
        try:
            return await self._enter_once(events, urgency)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        # The connection was lost under it. Entering twice is entering once, so it may be
        # said again; an event that did get in is then not new.
        return await self._enter_once(events, urgency)

    async def _enter_once(self, events: Sequence[Mapping[str, Any]], urgency: Urgency) -> int:
        async with self._database.begin() as connection:
            return len(await enter_all(connection, self._queue, events, urgency))

    async def is_to_begin(self, lock_key: str) -> bool:
        """Return whether an event of this lock begins, or begins again, after this instant."""
        to_begin = select(_EVENT.id).where(_EVENT.lock_key == lock_key, _EVENT.state.in_(TO_BEGIN))
        return await statements.value(self._by_statement, to_begin.limit(1)) is not None

    async def is_open(self, lock_key: str, *, named: str | None = None) -> bool:
        """Return whether an event of this lock is not ended, or one of this business key."""
        is_open = select(_EVENT.id).where(_EVENT.lock_key == lock_key, _EVENT.state.not_in(ENDED))
        is_open = is_open if named is None else is_open.where(_EVENT.business_key == named)
        return await statements.value(self._by_statement, is_open.limit(1)) is not None

    async def claim(self, event_id: int) -> EventRecord | NotNow:
        """Take an event over with a higher fence, unless it must not be worked on now."""
        async with self._by_statement.connect() as connection:
            claimed = await claim_at_once(connection, event_id, most_deaths=MOST_DEATHS)
        return await self._claim_judged(event_id) if claimed is None else claimed

    async def _claim_judged(self, event_id: int) -> EventRecord | NotNow:
        async with self._database.begin() as connection:
            await connection.execute(NEED_NOT_LAST)
            event = await locked_event(connection, _EVENT.id == event_id)
            if event is None or event.state in ENDED | STUCK or waits_for_another(event):
                return NotNow(None)
            if event.due_at is not None and event.due_at > await claiming.now_of(connection):
                return NotNow(event.due_at)
            if event.deaths >= MOST_DEATHS:
                await hold_killer(connection, event)
                return NotNow(None)
            if (ahead := await ahead_of(connection, event)) is not None:
                await park(connection, event.id, behind=ahead)
                return NotNow(None)
            return await claim_locked(connection, event_id)

    async def has_forgotten(self, event_id: int, fence: int) -> bool:
        """Return whether a crash took the claim back that gave this fence out: nobody has it."""
        statement = select(_EVENT.fence < fence).where(_EVENT.id == event_id)
        return bool(await statements.value(self._by_statement, statement))

    async def end(
        self,
        event_id: int,
        fence: int,
        state: EventState,
        *,
        note: str,
        caution: Trouble | None = None,
    ) -> None:
        """End an event as done or skipped, and wake whoever waited; raises `FenceLostError`.

        What was wrong with it before is forgotten; `caution` is kept in its place.
        """
        values = {"state": state, "note": note, **trouble_columns(caution)}
        async with self._by_statement.connect() as connection:
            if await end_unawaited(connection, event_id, fence, **values):
                return
        async with self._database.begin() as connection:
            await connection.execute(NEED_NOT_LAST)
            await self._leave(connection, event_id, fence, ended_at=func.now(), **values)
            await wake_dependants(connection, self._queue, event_id)

    async def let_go(self, event_id: int) -> None:
        """Put whoever waits for an event back in line before it ends: what they need is there."""
        waits = select(_EVENT.id).where(_EVENT.depends_on == event_id).limit(1)
        if await statements.value(self._by_statement, waits) is None:
            return
        async with self._database.begin() as connection:
            await connection.execute(NEED_NOT_LAST)
            await wake_dependants(connection, self._queue, event_id)

    async def put_off(
        self,
        event_id: int,
        fence: int,
        state: EventState,
        *,
        due_at: datetime,
        trouble: Trouble,
        is_charged: bool = True,
    ) -> None:
        """Leave an event waiting or in doubt; without a charge the attempt does not count."""
        values = {"state": state, "due_at": due_at, **trouble_columns(trouble)}
        values |= {} if is_charged else {"attempts": _EVENT.attempts}
        async with self._database.begin() as connection:
            await connection.execute(NEED_NOT_LAST)
            await self._leave(connection, event_id, fence, **values)

    async def hold(self, event_id: int, fence: int, trouble: Trouble) -> None:
        """Leave an event to a person, and block whoever waits for it; raises `FenceLostError`."""
        async with self._database.begin() as connection:
            await self._leave(
                connection, event_id, fence, state=EventState.HELD, **trouble_columns(trouble)
            )
            await block_dependants(connection, event_id)

    async def wait_for(
        self,
        event: EventRecord,
        *,
        flow: str,
        document_id: str,
        business_key: str,
        payload: Mapping[str, Any],
        trouble: Trouble,
    ) -> None:
        """Have an event wait for another one, entered if none is under way.

        Raises `FenceLostError`: another worker has taken the event over.
        """
        key = document_key(flow, event.market, document_id)
        needed = {
            "flow": flow,
            "market": event.market,
            "business_key": business_key,
            "document_id": document_id,
            # Of this attempt: an earlier one may be done, and is asked for again.
            "source_key": f"{key}/for/{event.id}/{event.fence}",
            "payload": dict(payload),
            "lock_key": key,
        }
        async with self._database.begin() as connection:
            dependency = await under_way_or_entered(connection, self._queue, needed)
            if dependency is None:
                raise FenceLostError(f"event {event.id} was carried on by another worker")
            await self._leave(
                connection,
                event.id,
                event.fence,
                **await waiting_for(connection, dependency),
                **trouble_columns(trouble),
            )
            if dependency.state in STUCK:
                await block_dependants(connection, event.id)

    async def identify(self, event: EventRecord, document_id: str) -> None:
        """Put an event back in line as one of a document; raises `FenceLostError`.

        Until then only its number was known, and so it had not the document's lock.
        """
        async with self._database.begin() as connection:
            keys = await keys_of_document(connection, event, document_id)
            await self._leave(
                connection, event.id, event.fence, state=EventState.RECEIVED, due_at=None, **keys
            )
            waiting = event.waiting._replace(lock_key=keys["lock_key"])
            await self._queue.put(connection, [waiting], Urgency.FRESH)

    async def _leave(
        self, connection: AsyncConnection, event_id: int, fence: int, **values: Any
    ) -> None:
        statement = (
            update(sync_event)
            .where(_EVENT.id == event_id, _EVENT.fence == fence, _EVENT.state == EventState.WORKING)
            # Counted where it ends: one that was broken off says nothing of the document.
            .values(_ATTEMPTED | values)
            .returning(_EVENT.id)
        )
        if (await connection.execute(statement)).scalar() is None:
            raise FenceLostError(f"event {event_id} was taken over from fence {fence}")
