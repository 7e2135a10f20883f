"""Carry one event: claim it, let its flow work, and write down what became of it.

Whatever a flow raises ends here, as a state of the event that people can see; also what our own
database did to the attempt, where it can still be noted. Where not, it goes to the queue, which
brings the event again as it was.
"""

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.errors import CallRefusedError, UpstreamError
from sync.engine.blame import Blame, blame_of
from sync.engine.database_health import DatabaseHealth, is_of_document, words_of
from sync.engine.flow import Flow
from sync.engine.metrics import FENCE_LOST, SyncMetrics
from sync.engine.outages import NO_FAILURES, Failures, Outages
from sync.engine.outcomes import IdentifiedError, WaitForError
from sync.engine.queue import ComeBackError, queue_name
from sync.engine.verdict import Verdict, caution_of, trouble_of, verdict_on, wait_for_database
from sync.engine.work import EventWork
from sync.store.events import EventStore, FenceLostError, NotNow
from sync.store.journal import Journal
from sync.store.links import MarketLinks
from sync.store.records import EventRecord
from sync.store.states import EventState
from sync.store.wishes import MarketWishes

_log = logging.getLogger(__name__)

# What the database is needed for here.
_PART = "attempts"
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
        outages: Which lines rest; None where nobody else looks.
        health: Whether the database is well; None where nobody else looks.
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
        outages: Outages | None = None,
        health: DatabaseHealth | None = None,
        metrics: SyncMetrics | None = None,
        span: Callable[[str], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._outages = outages or Outages(clock.monotonic_us)
        self._health = health or DatabaseHealth(clock.monotonic_us)
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
        try:
            due_at = await self._carry(event_id)
        except SQLAlchemyError as error:
            self._health.failed(_PART, error)
            raise
        if due_at is not None:
            raise ComeBackError(due_at)

    async def _carry(self, event_id: int) -> datetime | None:
        """Return when it is to be brought again, None when it is not."""
        claimed = await self._events.claim(event_id)
        if isinstance(claimed, NotNow):
            return claimed.due_at
        began_us = self._clock.monotonic_us()
        try:
            with self._span(f"carry {claimed.flow}"):
                state, due_at = await self._attempt(claimed)
        except FenceLostError as error:
            _log.warning("%s", error)
            self._count(claimed, FENCE_LOST, began_us)
            raise ComeBackError(await self._after_lost_fence(claimed)) from error
        self._count(claimed, state.value, began_us)
        return due_at

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
            await self._carry_and_end(record, work)
        except FenceLostError:
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
            ended = EventState.WAITING, None
        except IdentifiedError as error:
            await self._events.identify(record, error.document_id)
            ended = EventState.RECEIVED, None
        except Exception as error:  # noqa: BLE001 -- every failure must become a visible state
            return await self._note(record, error)
        else:
            ended = EventState.DONE, None
        self._note_end(record, is_carried=ended[0] is EventState.DONE)
        return ended

    async def _carry_and_end(self, record: EventRecord, work: EventWork) -> None:
        done = await self._flows[record.flow].carry(work)
        await self._events.end(
            record.id, record.fence, EventState.DONE, note=done.note, caution=caution_of(done)
        )

    def _note_end(self, record: EventRecord, *, is_carried: bool) -> None:
        self._health.well(_PART)
        self._outages.ended(_line(record), record.id, is_carried=is_carried)

    async def _note(
        self, record: EventRecord, error: Exception
    ) -> tuple[EventState, datetime | None]:
        verdict = await self._verdict_on(error, record)
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
                record.id,
                record.fence,
                verdict.state,
                due_at=due_at,
                trouble=verdict.trouble,
                is_charged=verdict.is_charged,
            )
        return verdict.state, due_at

    async def _verdict_on(self, error: Exception, record: EventRecord) -> Verdict:
        line = _line(record)
        if isinstance(error, SQLAlchemyError) and not is_of_document(error):
            self._health.failed(_PART, error)
            return wait_for_database(words_of(error), self._outages.failed(line, record.id))
        self._health.well(_PART)
        return verdict_on(
            error,
            attempts=record.attempts + 1,
            is_unacknowledged=bool(await self._journal.unacknowledged(record.id)),
            give_up_after=self._give_up_after,
            failures=self._failures(error, record),
        )

    def _failures(self, error: Exception, record: EventRecord) -> Failures:
        """Note what an attempt's error says of the system that it was for."""
        line, blame = _line(record), blame_of(error)
        if blame is Blame.DOCUMENT:
            self._outages.ended(line, record.id, is_carried=False)
            return NO_FAILURES
        if isinstance(error, CallRefusedError):
            self._outages.refused(line)
            return NO_FAILURES
        failures = self._outages.failed(line, record.id)
        is_lost = blame is Blame.SYSTEM or not self._outages.may_begin(line)
        if is_lost and not failures.are_others_carried and isinstance(error, UpstreamError):
            trouble = trouble_of(error)
            self._outages.lost(error.system, line, f"{trouble.text}; {trouble.advice}")
        return failures


def _line(record: EventRecord) -> str:
    return queue_name(record.flow, record.market)
