"""What a source needs of the engine: a place to enter events, and how far it has read."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

from sync.store.document_keys import document_key
from sync.store.lines import Urgency


class Events(Protocol):
    """Where events are entered; an equal source key is taken once."""

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
        """Return whether it is new."""
        ...

    async def receive_together(
        self, enter_all: Callable[[], Awaitable[object]], urgency: Urgency
    ) -> int:
        """Enter in one transaction what is received within; return how many are new."""
        ...

    async def is_to_begin(self, lock_key: str) -> bool:
        """Return whether an event of this lock begins, or begins again, after this instant."""
        ...


class Marks(Protocol):
    """How far each source was read."""

    async def get(self, name: str) -> str | None:
        """Return what was kept, None at first."""
        ...

    async def put(self, name: str, value: str) -> None:
        """Keep it."""
        ...


class ShopDocument(NamedTuple):
    """What an event is about.

    Attributes:
        flow: Who carries it.
        market: Whose it is.
        id: The shop's internal id.
        number: What people call it.
    """

    flow: str
    market: str
    id: int
    number: str

    @property
    def key(self) -> str:
        """Its lock: of its events one is carried at a time, in the order in which they came."""
        return document_key(self.flow, self.market, str(self.id))


async def enter(
    events: Events,
    document: ShopDocument,
    payload: Mapping[str, Any],
    *,
    what: str = "",
    lane: str = "",
) -> bool:
    """Enter what happened to a document, once; return whether it is new.

    Args:
        events: Where it is entered.
        document: Whose event it is.
        payload: What its flow needs to know beside the document.
        what: What tells it from all else that may happen to the document.
        lane: Events of the document that wait for each other alone; by default for all of it.
    """
    return await events.receive(
        flow=document.flow,
        market=document.market,
        document_id=str(document.id),
        business_key=document.number,
        source_key=f"{document.key}/{what}" if what else document.key,
        payload=payload,
        lock_key=f"{document.key}/{lane}" if lane else document.key,
    )
