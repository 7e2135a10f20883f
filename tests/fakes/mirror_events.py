"""The events of mirrors, in memory: entered once, carried one by one, each lock in order."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sync.engine.flow import Event
from sync.store.lines import Urgency
from sync.store.mirror_held import HeldEvent
from tests.fakes.toy_shop import Mortality


@dataclass
class FakeMirrorEvents:
    """A `sync.mirror.chunk_events.MirrorEvents`, and its `HeldKeys`.

    Attributes:
        entered: By source key, in the order they came.
        locks: Of each, by source key.
        urgencies: Of each, by source key.
        ended: Source keys of those that are done.
        held: What is wrong with those that are held, by source key.
        mortality: Of the process that calls.
    """

    entered: dict[str, Event] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    urgencies: dict[str, Urgency] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    held: dict[str, HeldEvent] = field(default_factory=dict)
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

    async def hold(self, flow: str, market: str, events: Sequence[HeldEvent]) -> None:
        self.mortality.tick()
        for each in events:
            refused = dict(each.wanted)
            fresh = {"key": each.key, "meets": list(each.meets), "wanted": refused}
            known = self._open(each.lock_key)
            if known is None:
                source = f"{each.lock_key}/{len(self.entered)}"
                self.held[source] = each
                await self.receive(
                    flow=flow,
                    market=market,
                    business_key=each.key,
                    source_key=source,
                    payload=fresh,
                    lock_key=each.lock_key,
                    document_id=each.key,
                )
            else:
                self.held[known] = each
                payload = self.entered[known].payload
                told = {**payload, "wanted": {**payload["wanted"], **refused}}
                self.entered[known] = replace(self.entered[known], payload=told)
        self.mortality.tick()

    async def begin_again(self, event_id: int, fence: int) -> None:
        del fence
        for key, each in self.entered.items():
            if each.id == event_id:
                payload = {**each.payload, "wanted": {}}
                self.entered[key] = replace(each, payload=payload)

    def _open(self, lock_key: str) -> str | None:
        its = (key for key, lock in self.locks.items() if lock == lock_key)
        return next((key for key in its if key not in self.ended), None)
