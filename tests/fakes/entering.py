"""Where sources enter events, and how far they have read, in memory."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pricing_proxy.clock import Clock
from sync.engine.polling import Polling
from tests.virtual_time import ManualClock


class FakeEvents:
    """Takes an equal source key once.

    Attributes:
        to_begin: Locks of events that nobody has begun yet.
    """

    def __init__(self) -> None:
        self.entered: dict[str, dict[str, Any]] = {}
        self.to_begin: set[str] = set()

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
        is_new = source_key not in self.entered
        event = {"key": business_key, "market": market, "payload": payload, "lock": lock_key}
        more = {"flow": flow, "document": document_id}
        self.entered.setdefault(source_key, {**event, **more})
        return is_new

    async def is_to_begin(self, lock_key: str) -> bool:
        return lock_key in self.to_begin

    @property
    def keys(self) -> list[str]:
        return [event["key"] for event in self.entered.values()]


class FakeWatermarks:
    """Keeps texts."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self.kept.get(name)

    async def put(self, name: str, value: str) -> None:
        self.kept[name] = value


def polling(
    events: FakeEvents, clock: Clock | None = None, *, watermarks: FakeWatermarks | None = None
) -> Polling:
    """Return what a source is read with: half a minute of overlap, and a clock that stands."""
    return Polling(
        events=events,
        watermarks=watermarks or FakeWatermarks(),
        overlap=timedelta(seconds=30),
        clock=clock or ManualClock(),
    )
