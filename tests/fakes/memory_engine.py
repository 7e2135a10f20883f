"""The engine's part, in memory: enter once, carry in order per document, try again, wait, hold.

What an error means is decided by `sync.engine.verdict`, as in the program. Nothing of one
document overtakes: behind one that waits or is held the later ones stand, visibly.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sync.engine.flow import Event, Flow
from sync.engine.outages import Failures
from sync.engine.outcomes import Caution, IdentifiedError, WaitForError
from sync.engine.verdict import verdict_on
from sync.store.document_keys import document_key
from sync.store.lines import Urgency
from sync.store.states import EventState
from tests.fakes.customer_links import FakeCompany
from tests.fakes.order_shop import FakeWork
from tests.fakes.wishes import FakeWishes
from tests.virtual_time import ManualClock

GIVE_UP_AFTER = 20
_ENDED = (EventState.DONE, EventState.SKIPPED)
# What is not done by then waits for somebody: a system that is away, or a person.
_LONG = timedelta(minutes=6)


@dataclass
class Entered:
    """An event as it stands.

    Attributes:
        reason: Why it is not done, or what came of it.
        waits_for: The lock of the document that must be done first.
        outages: Attempts in a row that failed for the sake of a system.
        caution: What somebody is told of it though it is done.
    """

    event: Event
    work: FakeWork
    lock: str
    state: EventState = EventState.RECEIVED
    reason: str = ""
    due_at: datetime | None = None
    waits_for: str | None = None
    outages: int = 0
    caution: Caution | None = None

    def replay(self, **payload: object) -> None:
        """Have it carried again, with more in its payload, as a person does."""
        self.event = replace(self.event, payload={**self.event.payload, **payload}, attempts=0)
        self.state, self.due_at = EventState.RECEIVED, None


@dataclass
class MemoryEngine:
    """A `sync.engine.sources.Events` that carries what it takes.

    Attributes:
        flows: By name.
        entered: By source key, in the order they came.
        failed_looks: What sources said when they could not read, by name.
    """

    clock: ManualClock
    company: FakeCompany
    longest: Mapping[str, timedelta]
    flows: dict[str, Flow] = field(default_factory=dict)
    entered: dict[str, Entered] = field(default_factory=dict)
    failed_looks: dict[str, str] = field(default_factory=dict)
    _wishes: FakeWishes = field(default_factory=FakeWishes)

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
        if source_key in self.entered:
            return False
        event = Event(
            id=len(self.entered) + 1,
            flow=flow,
            market=market,
            business_key=business_key,
            source_key=source_key,
            payload=payload,
            attempts=0,
            fence=1,
            document_id=document_id,
        )
        links = self.company.of_market(market)
        work = FakeWork(event, self.clock, links, self._wishes, longest=self.longest)
        self.entered[source_key] = Entered(event, work, lock_key)
        return True

    async def receive_together(
        self, enter_all: Callable[[], Awaitable[object]], urgency: Urgency
    ) -> int:
        del urgency  # everything is carried at once
        before = dict(self.entered)
        try:
            await enter_all()
        except BaseException:
            self.entered = before
            raise
        return len(self.entered) - len(before)

    async def is_to_begin(self, lock_key: str) -> bool:
        return any(
            one.lock == lock_key and one.state not in (*_ENDED, EventState.HELD)
            for one in self.entered.values()
        )

    async def looked(self, name: str, look: Callable[[], Awaitable[object]]) -> None:
        """Let a source look; what it raises is kept, and ended by a look that succeeds."""
        try:
            await look()
        except Exception as error:  # noqa: BLE001 -- as the schedules do: logged, and next time
            self.failed_looks[name] = f"{type(error).__name__}: {error}"
        else:
            self.failed_looks.pop(name, None)

    async def carry_due(self) -> int:
        """Carry every event that may be carried now, once; return how many."""
        due = [one for one in list(self.entered.values()) if self._may_be_carried(one)]
        for one in due:
            await self._carry(one)
        return len(due)

    async def settle(self) -> None:
        """Carry until nothing moves any more, letting time pass; some minutes at most."""
        until = self.clock.utc() + _LONG
        while self.clock.utc() < until:
            if await self.carry_due():
                continue
            waits = [one.due_at for one in self.entered.values() if self._is_waiting(one)]
            pause = min(filter(None, waits), default=until) - self.clock.utc()
            if not waits:
                return
            self.clock.advance(max(pause, timedelta(milliseconds=1)))

    def unfinished(self) -> dict[str, str]:
        """Return what is neither done nor skipped, and why."""
        return {
            key: f"{one.state.value}: {one.reason}"
            for key, one in self.entered.items()
            if one.state not in _ENDED
        }

    def of_document(self, flow: str, number: int) -> list[Entered]:
        """Return the events of a document of the shop."""
        return [
            one
            for one in self.entered.values()
            if one.event.flow == flow and one.event.document_id == str(number)
        ]

    def _is_waiting(self, one: Entered) -> bool:
        return one.due_at is not None and one.state not in (*_ENDED, EventState.HELD)

    def _may_be_carried(self, one: Entered) -> bool:
        if one.state in (*_ENDED, EventState.HELD):
            return False
        if one.due_at is not None and one.due_at > self.clock.utc():
            return False
        if any(self._is_before(other, one) for other in self.entered.values()):
            one.reason = one.reason or "behind another event of its document"
            return False
        return one.waits_for is None or not self._is_open(one.waits_for)

    def _is_before(self, other: Entered, one: Entered) -> bool:
        is_earlier = other.lock == one.lock and other.event.id < one.event.id
        return is_earlier and other.state not in _ENDED

    def _is_open(self, lock: str) -> bool:
        return any(one.lock == lock and one.state not in _ENDED for one in self.entered.values())

    async def _carry(self, one: Entered) -> None:
        one.event = replace(one.event, attempts=one.event.attempts + 1)
        one.work.event, one.waits_for, one.due_at = one.event, None, None
        try:
            done = await self.flows[one.event.flow].carry(one.work)
        except WaitForError as error:
            await self._wait(one, error)
        except IdentifiedError as error:
            one.event = replace(one.event, document_id=error.document_id)
            one.lock = document_key(one.event.flow, one.event.market, error.document_id)
        except Exception as error:  # noqa: BLE001 -- every failure must become a visible state
            await self._note(one, error)
        else:
            one.state, one.reason, one.caution = EventState.DONE, done.note, done.caution

    async def _wait(self, one: Entered, error: WaitForError) -> None:
        lock = document_key(error.flow, one.event.market, error.document_id)
        one.state, one.reason, one.waits_for = EventState.WAITING, str(error), lock
        if not self._is_open(lock):
            await self.receive(
                flow=error.flow,
                market=one.event.market,
                business_key=error.business_key,
                source_key=f"{lock}/needed by {one.event.id} at {self.clock.utc()}",
                payload=error.payload,
                lock_key=lock,
                document_id=error.document_id,
            )

    async def _note(self, one: Entered, error: Exception) -> None:
        verdict = verdict_on(
            error,
            attempts=one.event.attempts,
            is_unacknowledged=bool(await one.work.unacknowledged()),
            give_up_after=GIVE_UP_AFTER,
            failures=Failures(one.outages + 1, are_others_carried=False),
        )
        one.outages = 0 if verdict.is_charged else one.outages + 1
        one.state, one.reason = verdict.state, f"{verdict.trouble.field} {verdict.trouble.text}"
        if not verdict.is_charged:
            one.event = replace(one.event, attempts=one.event.attempts - 1)
        one.due_at = None if verdict.pause is None else self.clock.utc() + verdict.pause
        # A defect of ours is no verdict on a document.
        assert verdict.trouble.kind != type(error).__name__, repr(error)
