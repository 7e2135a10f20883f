"""How events should move from state to state, said in the plainest way: no SQL, no races.

Compare with `sync.store.events`; the two share no code but the names of the states.
"""

from dataclasses import dataclass, field

from sync.store.states import EventState as State

ENDED = (State.DONE, State.SKIPPED)
STUCK = (State.HELD, State.BLOCKED)
DEATHS_BEFORE_HOLD = 8


@dataclass
class Modelled:
    """One event.

    Attributes:
        lock: Of its document, or of its number while only that is known.
        number_lock: Of all of its number, whose documents are not known.
    """

    id: int
    flow: str
    key: str
    lock: str
    number_lock: str = ""
    state: State = State.RECEIVED
    depends_on: int | None = None
    is_due: bool = True
    attempts: int = 0
    deaths: int = 0
    fence: int = 0

    @property
    def is_ended(self) -> bool:
        return self.state in ENDED


@dataclass
class EventModel:
    """All events by id."""

    events: dict[int, Modelled] = field(default_factory=dict)

    def enter(self, event: Modelled) -> None:
        self.events[event.id] = event

    def may_claim(self, event: Modelled) -> bool:
        """Say whether a claim succeeds; where it must wait or be held instead, do that."""
        waits = event.state is State.WAITING and event.depends_on is not None
        if event.is_ended or event.state in STUCK or waits or not event.is_due:
            return False
        if event.deaths >= DEATHS_BEFORE_HOLD:
            self._hold(event)
            return False
        if (ahead := self.ahead(event)) is not None:
            self._wait(event, ahead)
            return False
        return True

    def claimed(self, event: Modelled, fence: int) -> None:
        event.state, event.fence, event.is_due = State.WORKING, fence, True

    def holds(self, event: Modelled, fence: int) -> bool:
        return event.state is State.WORKING and event.fence == fence

    def lose_lease(self, event: Modelled) -> None:
        """Its worker died; whoever comes next may go on at once."""
        event.deaths += 1

    def end(self, event: Modelled, state: State) -> None:
        event.state, event.deaths = state, 0
        event.attempts += 1
        self._wake(event)

    def hold(self, event: Modelled) -> None:
        event.attempts += 1
        self._hold(event)

    def put_off(self, event: Modelled, state: State) -> None:
        event.attempts += 1
        self.wait_for_system(event, state)

    def wait_for_system(self, event: Modelled, state: State) -> None:
        """Nothing was learnt of the event, so the attempt does not count."""
        event.state, event.is_due, event.deaths = state, False, 0

    def identify(self, event: Modelled, lock: str) -> None:
        event.state, event.lock, event.is_due, event.deaths = State.RECEIVED, lock, True, 0
        event.attempts += 1

    def wait_for(self, event: Modelled, other: Modelled) -> None:
        event.deaths = 0
        event.attempts += 1
        self._wait(event, other)

    def may_intervene(self, event: Modelled) -> bool:
        return not event.is_ended and event.state not in (State.WORKING, State.RECEIVED)

    def replay(self, event: Modelled) -> None:
        event.state, event.depends_on, event.is_due = State.RECEIVED, None, True
        event.attempts = event.deaths = 0

    def skip(self, event: Modelled) -> None:
        event.state, event.is_due = State.SKIPPED, True
        self._wake(event)

    def ahead(self, event: Modelled) -> Modelled | None:
        """Return the last unfinished earlier event that is of its document, or may be."""
        locks = (event.lock, event.number_lock)
        earlier = [
            other
            for other in self.events.values()
            if other.lock in locks and other.id < event.id and not other.is_ended
        ]
        return max(earlier, key=lambda other: other.id, default=None)

    def under_way(self, flow: str, key: str) -> Modelled | None:
        found = [
            other
            for other in self.events.values()
            if (other.flow, other.key) == (flow, key) and not other.is_ended
        ]
        return max(found, key=lambda other: other.id, default=None)

    def dependants(self, event: Modelled) -> list[Modelled]:
        return [
            other
            for other in self.events.values()
            if other.depends_on == event.id and other.state in (State.WAITING, State.BLOCKED)
        ]

    def _wait(self, event: Modelled, other: Modelled) -> None:
        event.depends_on = other.id
        event.state = State.WAITING
        if other.state in STUCK:
            event.state = State.BLOCKED
            self._block_dependants(event)

    def _hold(self, event: Modelled) -> None:
        event.state, event.deaths = State.HELD, 0
        self._block_dependants(event)

    def _block_dependants(self, event: Modelled) -> None:
        for other in self.dependants(event):
            if other.state is State.WAITING:
                other.state = State.BLOCKED
                self._block_dependants(other)

    def _wake(self, event: Modelled) -> None:
        for other in self.dependants(event):
            other.state, other.depends_on, other.is_due = State.RECEIVED, None, True
