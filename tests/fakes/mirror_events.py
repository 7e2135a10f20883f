"""The events of mirrors, in memory: entered once, carried one by one, each lock in order."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.engine.flow import Event
from sync.store.lines import Urgency
from tests.fakes.toy_shop import Mortality


@dataclass
class FakeMirrorEvents:
    """A `sync.mirror.chunk_events.MirrorEvents`.

    Attributes:
        entered: By source key, in the order they came.
        locks: Of each, by source key.
        urgencies: Of each, by source key.
        ended: Source keys of those that are done.
        mortality: Of the process that calls.
    """

    entered: dict[str, Event] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    urgencies: dict[str, Urgency] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    mortality: Mortality = field(default_factory=Mortality)
    _urgency: Urgency = Urgency.HINTED

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
        self.entered[source_key] = Event(
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
        self.locks[source_key] = lock_key
        self.urgencies[source_key] = self._urgency
        return True

    async def receive_together(
        self, enter_all: Callable[[], Awaitable[object]], urgency: Urgency
    ) -> int:
        self.mortality.tick()
        before, self._urgency = len(self.entered), urgency
        await enter_all()
        self.mortality.tick()
        self._urgency = Urgency.HINTED
        return len(self.entered) - before

    async def is_to_begin(self, lock_key: str) -> bool:
        return await self.is_open(lock_key)

    async def is_open(self, lock_key: str, *, named: str | None = None) -> bool:
        return any(
            lock == lock_key
            and key not in self.ended
            and named in (None, self.entered[key].business_key)
            for key, lock in self.locks.items()
        )

    def next_chunk(self) -> Event | None:
        """Return the event of a run that comes next."""
        chunks = (key for key, one in self.entered.items() if "run" in one.payload)
        left = [key for key in chunks if key not in self.ended]
        return self.entered[left[0]] if left else None

    def rows(self) -> list[str]:
        """Return the keys that are events of their own."""
        return [one.payload["key"] for one in self.entered.values() if "key" in one.payload]
