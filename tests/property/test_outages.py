"""Documents of one line through outages that Hypothesis chose: none is held for them.

The verdicts, the rests and the breaker are the real ones; workers and the system are played in
steps of a second. Some documents are such that their system never answers to them.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import hypothesis.strategies as st
import psycopg
from hypothesis import example, given, settings
from sqlalchemy.exc import OperationalError

from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_settings import DOCUMENT_WRITES, found_back_soon
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from sync.engine.blame import Blame, blame_of
from sync.engine.database_health import words_of
from sync.engine.outages import NO_FAILURES, Failures, Outages
from sync.engine.refusals import named
from sync.engine.verdict import Verdict, verdict_on, wait_for_database
from sync.store.states import EventState
from tests.virtual_time import ManualClock

LINE = "orders.b2b_de"
AT_ONCE = 8
SOON_SECONDS = 30
FAULTS: dict[str, Exception] = {
    "database": OperationalError("INSERT", {}, psycopg.errors.DiskFull("no space left")),
    "redirect": UpstreamContractError("fo answered 302", system="fo", status=302),
    "page": UpstreamContractError("fo answered 200 without JSON", system="fo", status=200),
    "404": UpstreamRejectedError("fo answered 404", system="fo", status=404),
    "403": UpstreamDeniedError("fo answered 403", system="fo", status=403),
    "502": UpstreamUnavailableError("fo answered 502", system="fo"),
    "dead": UpstreamUnavailableError("gone", system="fo", is_connection_failure=True),
}
OUTAGES = st.lists(
    st.tuples(st.sampled_from([2, 15, 40, 900]), st.sampled_from(sorted(FAULTS))),
    min_size=1,
    max_size=3,
)


@dataclass
class Document:
    """One document, as the store keeps it."""

    id: int
    is_choked_on: bool = False
    state: EventState = EventState.RECEIVED
    attempts: int = 0
    due_us: int = 0

    @property
    def is_moving(self) -> bool:
        return self.state not in (EventState.DONE, EventState.HELD)


@dataclass
class World:
    """A line with its workers, before a system with a breaker."""

    give_up_after: int
    fault: Exception | None = None
    documents: list[Document] = field(default_factory=list)
    on_wire: int = 0
    carried_us: int = -1

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.outages = Outages(self.clock.monotonic_us)
        self.breaker = Breaker(
            system="fo",
            name="fo:document_write",
            clock=self.clock,
            chance=random.Random(1).random,
            settings=found_back_soon(DOCUMENT_WRITES),
        )

    @property
    def now_us(self) -> int:
        return self.clock.monotonic_us()

    def enter(self, number: int, *, are_choked_on: bool = False) -> None:
        for _ in range(number):
            self.documents.append(Document(len(self.documents), are_choked_on))

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(timedelta(seconds=1))
            for _ in range(AT_ONCE):
                if not self._carry_one():
                    break

    def _carry_one(self) -> bool:
        due = (each for each in self.documents if each.is_moving and each.due_us <= self.now_us)
        if not self.outages.may_begin(LINE) or (document := next(due, None)) is None:
            return False
        self.outages.begun(LINE)
        error = self._send(document)
        if error is None:
            document.state, self.carried_us = EventState.DONE, self.now_us
            self.outages.ended(LINE, document.id, is_carried=True)
        else:
            self._judge(document, error)
        return True

    def _send(self, document: Document) -> Exception | None:
        try:
            with named("create the order's header", {}):
                self._call(document)
        except Exception as error:  # noqa: BLE001 -- whatever comes of it is judged
            return error
        return None

    def _call(self, document: Document) -> None:
        permit = self.breaker.acquire(may_probe=True)
        self.on_wire += 1
        fault = FAULTS["502"] if document.is_choked_on else self.fault
        self.breaker.settle(permit, fault, wire_us=1000)
        if fault is not None:
            raise fault

    def _judge(self, document: Document, error: Exception) -> None:
        verdict = self._verdict_on(document, error)
        document.state = verdict.state
        document.attempts += verdict.is_charged
        if verdict.pause is not None:
            document.due_us = self.now_us + verdict.pause // timedelta(microseconds=1)

    def _verdict_on(self, document: Document, error: Exception) -> Verdict:
        if isinstance(error, OperationalError):
            return wait_for_database(words_of(error), self.outages.failed(LINE, document.id))
        return verdict_on(
            error,
            attempts=document.attempts + 1,
            is_unacknowledged=False,
            give_up_after=self.give_up_after,
            failures=self._failures(document, error),
        )

    def _failures(self, document: Document, error: Exception) -> Failures:
        if isinstance(error, CallRefusedError):
            self.outages.refused(LINE)
            return NO_FAILURES
        assert blame_of(error) is not Blame.DOCUMENT
        return self.outages.failed(LINE, document.id)


@settings(max_examples=25, deadline=None)
@given(
    outages=OUTAGES, backlog=st.integers(1, 200), choked=st.integers(0, 1), most=st.integers(3, 6)
)
@example(outages=[(900, "dead")], backlog=200, choked=0, most=6)
@example(outages=[(40, "database")], backlog=9, choked=0, most=3)
@example(outages=[(15, "redirect"), (15, "404")], backlog=1, choked=0, most=3)
def test_nothing_is_held_for_an_outage_and_carrying_begins_soon_after_it(
    outages: Sequence[tuple[int, str]], backlog: int, choked: int, most: int
) -> None:
    world = World(give_up_after=most)
    world.enter(choked, are_choked_on=True)
    for seconds, fault in outages:
        world.fault, before = FAULTS[fault], world.on_wire
        world.enter(backlog)
        world.run(seconds)
        # A backlog is not tried over and over: the other side has trouble enough.
        assert world.on_wire - before <= 3 * AT_ONCE + AT_ONCE * seconds / 5

        world.fault, back_us = None, world.now_us
        world.run(SOON_SECONDS)
        assert world.carried_us > back_us
    world.run(60)

    well = [each for each in world.documents if not each.is_choked_on]
    assert {each.state for each in well} == {EventState.DONE}
    # Whoever meets the next outage first was not seen to fail with others.
    assert max(each.attempts for each in well) < len(outages)


def test_what_a_system_chokes_on_is_held_while_others_are_carried() -> None:
    world = World(give_up_after=3)
    world.enter(2, are_choked_on=True)
    for _ in range(100):
        world.enter(1)
        world.run(20)

    states = {each.is_choked_on: each.state for each in world.documents}
    assert states == {True: EventState.HELD, False: EventState.DONE}
