"""What a flow is to the engine, and what the engine gives it to work with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pricing_proxy.clock import Clock
from sync.engine.outcomes import Done
from sync.store.wish_record import Place, WishRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing to carry over.

    Attributes:
        business_key: What people call it; for orders the increment id.
        document_id: The shop's internal id of it; None where only the number is known.
        source_key: Unique; an equal one is taken once.
        attempts: That counted, since it was entered or last replayed, this one included.
        fence: Rises with each claim; a smaller one has lost the event.
    """

    id: int
    flow: str
    market: str
    business_key: str
    source_key: str
    payload: Mapping[str, Any]
    attempts: int
    fence: int
    document_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCall:
    """A journal entry without an end: the call may have been done, or may yet be."""

    system: str
    operation: str
    request: Mapping[str, Any]
    sent_at: datetime


class Call(Protocol):
    """One call to another system, and its entry in the journal."""

    async def sent(self) -> None:
        """Journal it as sent, and raise when the event is no longer ours.

        A transport's guard: called last before the wire, so that whatever waits for its turn
        is in no doubt. Called again before the same request is sent again.
        """
        ...

    async def acked(self, status: int, response: Any) -> None:
        """Journal its end; nothing to do for one that was never sent."""
        ...


class Links(Protocol):
    """The entity map of the event's market: the shop's ids and the ERP's keys, by kind."""

    async def erp_key(self, kind: str, magento_id: str) -> str | None:
        """Return the ERP's key of a thing of the shop."""
        ...

    async def magento_id(self, kind: str, erp_key: str) -> str | None:
        """Return the shop's id of a thing of the ERP."""
        ...

    async def magento_ids(self, kind: str) -> Collection[str]:
        """Return the shop's ids of all things of a kind that have a key."""
        ...

    async def content_hash(self, kind: str, magento_id: str) -> str | None:
        """Return the hash of what was last sent, empty where nobody gave one."""
        ...

    async def remember(
        self, kind: str, magento_id: str, erp_key: str, content_hash: str = ""
    ) -> None:
        """Add or replace a pair, with the hash of what was last sent."""
        ...


class Wishes(Protocol):
    """What was written of the event's market into other systems; see `sync.engine.wishes`."""

    async def last(self, place: Place) -> WishRecord | None:
        """Return the last write of a place under the configuration of now."""
        ...

    async def keep(self, record: WishRecord) -> None:
        """Add or replace it."""
        ...

    async def settle(self, *places: Place) -> None:
        """Note that places hold what they should; nothing to do where nothing is kept."""
        ...

    async def forget(self, place: Place) -> None:
        """Forget the last write of a place."""
        ...


class Work(Protocol):
    """One attempt at one event."""

    @property
    def event(self) -> Event:
        """The event."""
        ...

    @property
    def links(self) -> Links:
        """The entity map of its market."""
        ...

    @property
    def wishes(self) -> Wishes:
        """What was written before."""
        ...

    @property
    def clock(self) -> Clock:
        """Time."""
        ...

    @property
    def longest(self) -> Mapping[str, timedelta]:
        """By system: no request is finished later than this after it was sent."""
        ...

    async def let_go(self) -> None:
        """Put whoever waits for the event back in line before it ends: what they need is there.

        Who comes to wait afterwards waits for its end.
        """
        ...

    def call(self, system: str, operation: str, request: Mapping[str, Any]) -> Call:
        """Return a call to be made; once `sent`, it is in doubt until it is `acked`."""
        ...

    async def unacknowledged(self) -> Sequence[SentCall]:
        """Return the calls of all attempts that were sent and have no end."""
        ...


class Flow(Protocol):
    """Carries one kind of document."""

    @property
    def name(self) -> str:
        """Its name, such as "orders"."""
        ...

    async def carry(self, work: Work) -> Done:
        """Carry an event over; may be called again after any failure."""
        ...
