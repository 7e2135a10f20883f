"""Carry one event: claim it, let its flow work, and write down what became of it.

Whatever a flow raises ends here, as a state of the event that people can see. What goes
wrong with our own database goes to the queue, which brings the event again as it was.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.clock import Clock
from sync.engine.flow import Flow
from sync.engine.metrics import SyncMetrics
from sync.engine.outcomes import IdentifiedError, WaitForError
from sync.engine.queue import ComeBackError
from sync.engine.verdict import caution_of, trouble_of, verdict_on
from sync.engine.work import EventWork
from sync.store.events import EventStore, FenceLostError, NotNow
from sync.store.journal import Journal
from sync.store.links import MarketLinks
from sync.store.records import EventRecord
from sync.store.states import EventState
from sync.store.wishes import MarketWishes

_log = logging.getLogger(__name__)

# Whoever has taken the event over is given this long before the job is looked at again.
_AFTER_LOST_FENCE = timedelta(seconds=30)


class Runner:
    """Carries events.

    Args:
        database: Where the entity map is.
        events: Where events are claimed and ended.
        journal: Where their calls are written.
        flows: Every flow by its name.
        clock: Time.
        give_up_after: Attempts of one event before a person must look.
        longest: By system: no request is finished later than this after it was sent.
        metrics: Where attempts are counted; None for nowhere.
        span: Entered around each attempt, by its flow's name; its calls' spans are within.
    """

    def __init__(
        self,
        *,
        database: AsyncEngine,
        events: EventStore,
        journal: Journal,
        flows: Mapping[str, Flow],
        clock: Clock,
        give_up_after: int,
        longest: Mapping[str, timedelta] = MappingProxyType({}),
        metrics: SyncMetrics | None = None,
        span: Callable[[str], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._metrics = metrics
        self._span = span
        self._database = database
        self._events = events
        self._journal = journal
        self._flows = flows
        self._clock = clock
        self._give_up_after = give_up_after
        self._longest = longest

    async def carry(self, event_id: int) -> None:
        """Carry an event as far as it goes now; raises `ComeBackError` to be brought it again."""
        claimed = await self._events.claim(event_id)
        if isinstance(claimed, NotNow):
            if claimed.due_at is not None:
                raise ComeBackError(claimed.due_at)
            return
        began_us = self._clock.monotonic_us()
        try:
            with self._span(f"carry {claimed.flow}"):
                state, due_at = await self._attempt(claimed)
        except FenceLostError as error:
            _log.warning("%s", error)
            self._count(claimed, "fence_lost", began_us)
            raise ComeBackError(await self._after_lost_fence(claimed)) from error
        self._count(claimed, state.value, began_us)
        if due_at is not None:
            raise ComeBackError(due_at)

    async def _after_lost_fence(self, event: EventRecord) -> datetime | None:
        """Return when to look again at an event whose job is still ours, though it is not."""
        if await self._events.has_forgotten(event.id, event.fence):
            return None
        return self._clock.utc() + _AFTER_LOST_FENCE

    def _count(self, event: EventRecord, outcome: str, began_us: int) -> None:
        if self._metrics is not None:
            self._metrics.attempted(
                flow=event.flow, market=event.market, outcome=outcome, began_us=began_us
            )

    async def _attempt(self, record: EventRecord) -> tuple[EventState, datetime | None]:
        """Let the flow work; return the event's state, and when it is to be brought again."""
        work = EventWork(
            record,
            journal=self._journal,
            links=MarketLinks(self._database, record.market),
            wishes=MarketWishes(
                self._database, record.market, configuration=self._journal.configuration_hash
            ),
            clock=self._clock,
            longest=self._longest,
            let_go=self._events.let_go,
        )
        try:
            done = await self._flows[record.flow].carry(work)
        except (FenceLostError, SQLAlchemyError):
            raise
        except WaitForError as error:
            await self._events.wait_for(
                record,
                flow=error.flow,
                document_id=error.document_id,
                business_key=error.business_key,
                payload=error.payload,
                trouble=trouble_of(error),
            )
            return EventState.WAITING, None
        except IdentifiedError as error:
            await self._events.identify(record, error.document_id)
            return EventState.RECEIVED, None
        except Exception as error:  # noqa: BLE001 -- every failure must become a visible state
            return await self._note(record, error)
        await self._events.end(
            record.id,
            record.fence,
            EventState.DONE,
            note=done.note,
            caution=caution_of(done),
        )
        return EventState.DONE, None

    async def _note(
        self, record: EventRecord, error: Exception
    ) -> tuple[EventState, datetime | None]:
        is_unacknowledged = bool(await self._journal.unacknowledged(record.id))
        verdict = verdict_on(
            error,
            attempts=record.attempts,
            is_unacknowledged=is_unacknowledged,
            give_up_after=self._give_up_after,
        )
        if verdict.trouble.kind == type(error).__name__:
            # Not one of the outcomes or of the other systems' errors: a defect of ours.
            _log.error("carrying an event of flow %s broke", record.flow, exc_info=error)
        due_at = None
        if verdict.state is EventState.HELD:
            await self._events.hold(record.id, record.fence, verdict.trouble)
        elif verdict.pause is None:
            note = verdict.trouble.text
            await self._events.end(record.id, record.fence, verdict.state, note=note)
        else:
            due_at = self._clock.utc() + verdict.pause
            await self._events.put_off(
                record.id, record.fence, verdict.state, due_at=due_at, trouble=verdict.trouble
            )
        return verdict.state, due_at
