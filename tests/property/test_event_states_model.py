"""The event store on a real database against a naive model, in any order of what may happen."""

import asyncio
import copy
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamRejectedError,
)
from sync.engine.database import database
from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.engine.sweep import Sweep
from sync.store.events import FenceLostError
from sync.store.interventions import InterventionError
from sync.store.records import OUTAGE, EventRecord, Trouble
from sync.store.states import EventState as State
from tests.property.event_model import STUCK, EventModel, Modelled
from tests.sync_engine.engine import MARKET, Engine, succeed

T = TypeVar("T")
# Numbers with the documents that have them; None for an event that knows no more.
KNOWN = (("A", None), ("A", "1"), ("A", "2"), ("B", None), ("B", "3"))
TROUBLE = Trouble(kind="Trouble")
ANY = st.integers(0, 1000)
ALL_IS_WELL = (
    "UPDATE sync_event SET due_at = NULL, deaths = 0, changed_at = now() - interval '1 day'"
)
ENDINGS: dict[str, Exception] = {
    "breaker": CallRefusedError(
        "fo:document_write: the circuit breaker is open",
        system="fo",
        retry_after=timedelta(hours=9),
    ),
    "denied": UpstreamDeniedError("fo answered 403", system="fo", status=403),
    "page": UpstreamContractError("fo answered 200 without JSON", system="fo", status=200),
    "redirect": UpstreamContractError("magento answered 302", system="magento", status=302),
    "not here": UpstreamRejectedError("magento answered 404", system="magento", status=404),
    "database": OperationalError("INSERT", {}, psycopg.errors.DiskFull()),
}
REST_ON = "UPDATE sync_event SET due_at = due_at + interval '1 day' WHERE id = :id"
END_JOBS = "DELETE FROM procrastinate_jobs WHERE CAST(args->>'event_id' AS bigint) = :id"
RESET = (
    "TRUNCATE sync_event, sync_attempt, procrastinate_jobs, procrastinate_events,"
    " procrastinate_periodic_defers, audit RESTART IDENTITY"
)


class EventStates(RuleBasedStateMachine):
    """Workers that claim, end, die, come back late or meet an outage; people who intervene."""

    def __init__(self, runner: asyncio.Runner, engine: Engine) -> None:
        super().__init__()
        self._runner = runner
        self._engine = engine
        self._sweep = Sweep(engine.database, engine.queue)
        self._model = EventModel()
        self._claims: list[EventRecord] = []
        self._run(engine.execute(RESET))

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(doing)

    def _event(self, number: int) -> Modelled:
        events = list(self._model.events.values())
        return events[number % len(events)]

    @initialize(begin=st.permutations(KNOWN))
    def receive_one_of_each(self, begin: list[tuple[str, str | None]]) -> None:
        """Without them, most runs would be over before anything could meet."""
        for known in begin:
            self.receive(known)

    @rule(known=st.sampled_from(KNOWN))
    def receive(self, known: tuple[str, str | None]) -> None:
        """Enter an event of a document, or of one that is known by its number only."""
        key, document = known
        task, number_lock = str(len(self._model.events)), f"orders/{MARKET}/{key}"
        lock = number_lock if document is None else lock_of(document)
        event = self._run(self._engine.receive(key, task=task, document=document, lock=lock))
        self._model.enter(Modelled(event, "orders", key, lock, number_lock))

    @precondition(lambda self: self._claims)
    @rule(number=ANY, document=st.sampled_from("12"))
    def identify(self, number: int, document: str) -> None:
        """Say which document the event of a claim is of, where only the number was known."""
        claim = self._claims[number % len(self._claims)]
        if claim.flow != "orders" or claim.document_id is not None:
            return
        if not self._is_refused(claim, self._engine.events.identify(claim, document)):
            self._model.identify(self._model.events[claim.id], lock_of(document))

    @precondition(lambda self: self._model.events)
    @rule(number=ANY)
    def claim(self, number: int) -> None:
        event = self._event(number)
        may_claim = self._model.may_claim(event)
        claimed = self._run(self._engine.events.claim(event.id))
        assert isinstance(claimed, EventRecord) == may_claim
        if isinstance(claimed, EventRecord):
            self._note_claim(claimed)

    def _note_claim(self, claimed: EventRecord) -> None:
        assert all(claimed.fence > other.fence for other in self._claims_of(claimed.id))
        self._model.claimed(self._model.events[claimed.id], claimed.fence)
        self._claims.append(claimed)

    def _claims_of(self, event_id: int) -> list[EventRecord]:
        return [claim for claim in self._claims if claim.id == event_id]

    @precondition(lambda self: self._claims)
    @rule(number=ANY, outcome=st.sampled_from(["done", "skipped", "held", "waiting", "in_doubt"]))
    def finish(self, number: int, outcome: str) -> None:
        """Say what became of any claim, also of one that was lost long ago."""
        claim = self._claims[number % len(self._claims)]
        event = self._model.events[claim.id]
        if self._is_refused(claim, self._end_as(claim, State(outcome))):
            return
        match State(outcome):
            case State.DONE | State.SKIPPED as state:
                self._model.end(event, state)
            case State.HELD:
                self._model.hold(event)
            case state:
                self._model.put_off(event, state)

    def _end_as(self, claim: EventRecord, state: State) -> Coroutine[Any, Any, None]:
        events, due_at = self._engine.events, datetime.now(UTC) + timedelta(hours=1)
        match state:
            case State.DONE | State.SKIPPED:
                return events.end(claim.id, claim.fence, state, note="")
            case State.HELD:
                return events.hold(claim.id, claim.fence, TROUBLE)
        return events.put_off(claim.id, claim.fence, state, due_at=due_at, trouble=TROUBLE)

    def _is_refused(self, claim: EventRecord, doing: Coroutine[Any, Any, None]) -> bool:
        """Do it; return whether it was refused, as it must be exactly when the fence is lost."""
        if self._model.holds(self._model.events[claim.id], claim.fence):
            self._run(doing)
            return False
        with pytest.raises(FenceLostError):
            self._run(doing)
        return True

    @precondition(lambda self: self._claims)
    @rule(number=ANY, key=st.sampled_from("XY"))
    def wait_for_a_customer(self, number: int, key: str) -> None:
        claim = self._claims[number % len(self._claims)]
        if claim.flow != "orders":
            return
        waiting = self._engine.events.wait_for(
            claim,
            flow="customers",
            document_id=key,
            business_key=key,
            payload={},
            trouble=TROUBLE,
        )
        if self._is_refused(claim, waiting):
            return
        customer = self._model.under_way("customers", key)
        if customer is None:
            found = self._run(self._engine.event(claim.id)).depends_on
            assert found is not None
            assert found not in self._model.events
            customer = Modelled(found, "customers", key, f"customers/{MARKET}/#{key}")
            self._model.enter(customer)
        self._model.wait_for(self._model.events[claim.id], customer)

    @precondition(lambda self: self._model.events)
    @rule(number=ANY, ending=st.sampled_from(sorted(ENDINGS)))
    def carry_in_vain(self, number: int, ending: str) -> None:
        """Whatever is no document's fault, told by the runner as it tells it to people."""
        event = self._event(number)
        may_claim = self._model.may_claim(event)
        flow = getattr(self._engine, event.flow)
        flow.carry_with = partial(_raise, ENDINGS[ending])
        self._run(self._engine.carry(event.id))
        flow.carry_with = succeed
        if not may_claim:
            return
        found = self._run(self._engine.event(event.id))
        self._model.claimed(event, found.fence)
        state = State.IN_DOUBT if ending == "database" else State.WAITING
        self._model.wait_for_system(event, state)
        # On a busy machine a rest of seconds is over before the next step.
        self._run(self._engine.execute(REST_ON, id=event.id))
        assert found.trouble is not None
        assert found.trouble.kind == OUTAGE

    @precondition(lambda self: self._model.events)
    @rule(number=ANY)
    def die_over_it(self, number: int) -> None:
        """The worker ends in the middle, and the sweep finds out."""
        event = self._event(number)
        if event.state is not State.WORKING:
            return
        self._run(self._engine.lose_lease(event.id))
        self._model.lose_lease(event)

    @precondition(lambda self: self._model.events)
    @rule(number=ANY, action=st.sampled_from(["replay", "skip", "edit"]))
    def intervene(self, number: int, action: str) -> None:
        event = self._event(number)
        by_hand = self._engine.interventions
        doing = {
            "replay": lambda: by_hand.replay(event.id, by="anna"),
            "skip": lambda: by_hand.skip(event.id, reason="", by="anna"),
            "edit": lambda: by_hand.edit(event.id, {}, by="anna"),
        }[action]()
        may = self._model.may_intervene(event)
        if not may or (action == "replay" and event.state is State.BLOCKED):
            with pytest.raises(InterventionError):
                self._run(doing)
            return
        self._run(doing)
        if action == "replay":
            self._model.replay(event)
        elif action == "skip":
            self._model.skip(event)

    @precondition(lambda self: self._model.events)
    @rule(number=ANY)
    def let_the_pause_pass(self, number: int) -> None:
        event = self._event(number)
        self._run(self._engine.make_due(event.id))
        event.is_due = True

    @precondition(lambda self: self._claims)
    @rule(number=ANY)
    def end_while_a_later_one_is_claimed(self, number: int) -> None:
        """At the same time, on two connections: either may come first, and nobody sleeps on."""
        claim = self._claims[number % len(self._claims)]
        event = self._model.events[claim.id]
        later = [o for o in self._model.events.values() if self._model.ahead(o) is event]
        if not self._model.holds(event, claim.fence) or not later:
            return
        other = later[0]
        claimed = self._run(self._both(claim, other.id))
        ended_first, claimed_first = copy.deepcopy(self._model), copy.deepcopy(self._model)
        ended_first.end(ended_first.events[event.id], State.DONE)
        may_claim = ended_first.may_claim(ended_first.events[other.id])
        # Parked behind the first one, and woken by its end.
        assert not claimed_first.may_claim(claimed_first.events[other.id])
        claimed_first.end(claimed_first.events[event.id], State.DONE)
        if isinstance(claimed, EventRecord):
            assert may_claim
            self._model = ended_first
            self._note_claim(claimed)
            return
        found = self._run(self._engine.event(other.id))
        possible = [claimed_first, *([] if may_claim else [ended_first])]
        fitting = [model for model in possible if _is_so(model.events[other.id], found)]
        assert fitting, f"{found} after neither order"
        self._model = fitting[0]

    async def _both(self, claim: EventRecord, other: int) -> object:
        events = self._engine.events
        claimed, _ = await asyncio.gather(
            events.claim(other), events.end(claim.id, claim.fence, State.DONE, note="")
        )
        return claimed

    @rule()
    def lose_all_jobs(self) -> None:
        self._run(self._engine.drop_jobs())

    @invariant()
    def is_as_in_the_model(self) -> None:
        rows = self._run(self._rows("SELECT id, state, depends_on, attempts, deaths, fence"))
        assert {row[0]: tuple(row[1:]) for row in rows} == {
            each.id: (each.state, each.depends_on, each.attempts, each.deaths, each.fence)
            for each in self._model.events.values()
        }

    @invariant()
    def what_waits_behind_a_stuck_one_is_blocked(self) -> None:
        for event in self._model.events.values():
            if event.state is State.WAITING and event.depends_on is not None:
                assert self._model.events[event.depends_on].state not in STUCK

    @invariant()
    def nobody_works_ahead_of_his_turn(self) -> None:
        for event in self._model.events.values():
            if event.state is State.WORKING:
                assert self._model.ahead(event) is None

    async def _rows(self, what: str) -> list[Any]:
        async with self._engine.database.connect() as connection:
            return list(await connection.execute(text(f"{what} FROM sync_event")))

    def teardown(self) -> None:
        """Let the world be well again: everything comes to its end, and is in no line."""
        for _ in range(3 * len(self._model.events) + 2):
            self._run(self._engine.execute(ALL_IS_WELL))
            self._run(self._sweep.sweep())
            for event in self._run(self._engine.jobs()):
                if self._run(self._engine.carry(event)) is None:
                    self._run(self._engine.execute(END_JOBS, id=event))
            if not self._run(self._engine.jobs()):
                break
        states = [row[0] for row in self._run(self._rows("SELECT state"))]
        assert set(states) <= {State.DONE, State.SKIPPED, State.HELD, State.BLOCKED}
        assert (State.HELD in states) or State.BLOCKED not in states
        assert self._run(self._engine.jobs()) == []


async def _raise(error: Exception, _: Work) -> Done:
    raise error


def lock_of(document: str) -> str:
    return f"orders/{MARKET}/#{document}"


def test_events_move_as_in_the_model(database_url: str) -> None:
    with asyncio.Runner() as runner:
        opening = database(database_url, connections=4)
        engine = Engine(runner.run(opening.__aenter__()))
        try:
            run_state_machine_as_test(
                lambda: EventStates(runner, engine),  # type: ignore[arg-type]  # any factory will do
                settings=settings(
                    max_examples=15,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(opening.__aexit__(None, None, None))


def _is_so(modelled: Modelled, found: EventRecord) -> bool:
    return (modelled.state, modelled.depends_on) == (found.state, found.depends_on)
