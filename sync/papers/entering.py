"""Enter what happened to orders in the ERP, each thing once."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from sync.engine.sources import Events, ShopDocument, enter
from sync.store.lines import Urgency
from sync.store.watched_order_record import WatchedRecord

# The same papers are read again and again; so many of them need not be asked for in the database.
_MOST_KNOWN = 200_000
# A process that begins meets all papers of many days, and a statement has so many parameters.
_AT_ONCE = 1_000


class Told(Protocol):
    """One thing that happened: which paper, never what is on it."""

    @property
    def key(self) -> str:
        """What tells it from all else that happens to the order."""
        ...

    @property
    def payload(self) -> Mapping[str, Any]:
        """What the event keeps."""
        ...


class Happened(NamedTuple):
    """What happened to which order.

    Attributes:
        order: Whose.
        fact: What.
        version: What tells it from the same paper as it was before somebody corrected it.
        lane: Its events wait for each other, and for none of another lane of the order.
    """

    order: WatchedRecord
    fact: Told
    version: str = ""
    lane: str = ""

    @property
    def key(self) -> str:
        """What tells it from all else that happens to the order."""
        return f"{self.fact.key}/{self.version}" if self.version else self.fact.key


class FactEntry:
    """Enters what happened to a market's orders.

    Args:
        events: Where.
        flow: Who carries them.
        market: Whose.
    """

    def __init__(self, events: Events, flow: str, market: str) -> None:
        self._events = events
        self._flow = flow
        self._market = market
        self._known: set[tuple[int, str]] = set()

    async def enter(self, happened: Sequence[Happened], urgency: Urgency = Urgency.FRESH) -> int:
        """Enter, and return how many were new."""
        fresh = [each for each in happened if self._mark(each) not in self._known]
        entered = 0
        for start in range(0, len(fresh), _AT_ONCE):
            entered += await self._enter_together(fresh[start : start + _AT_ONCE], urgency)
        return entered

    async def _enter_together(self, fresh: Sequence[Happened], urgency: Urgency) -> int:
        async def enter_all() -> None:
            for each in fresh:
                await self._enter(each)

        entered = await self._events.receive_together(enter_all, urgency)
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        self._known.update(map(self._mark, fresh))
        return entered

    async def _enter(self, each: Happened) -> None:
        order = each.order
        document = ShopDocument(self._flow, self._market, order.order_id, order.number)
        await enter(self._events, document, each.fact.payload, what=each.key, lane=each.lane)

    def _mark(self, each: Happened) -> tuple[int, str]:
        return each.order.order_id, each.key
