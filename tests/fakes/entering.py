"""Where sources enter events, and how far they have read, in memory."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pricing_proxy.clock import Clock
from sync.engine.odd_rows import OddRowBook
from sync.engine.pace import Pace
from sync.engine.polling import Polling
from sync.store.lines import Urgency
from sync.store.odd_row_record import OddRecord
from tests.virtual_time import ManualClock


class FakeEvents:
    """Takes an equal source key once.

    Attributes:
        to_begin: Locks of events that nobody has begun yet.
        urgencies: Who goes first, by source key.
    """

    def __init__(self) -> None:
        self.entered: dict[str, dict[str, Any]] = {}
        self.to_begin: set[str] = set()
        self.urgencies: dict[str, Urgency] = {}
        self._now = Urgency.HINTED

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
        self.urgencies.setdefault(source_key, self._now)
        return is_new

    async def receive_together(
        self, enter_all: Callable[[], Awaitable[object]], urgency: Urgency
    ) -> int:
        before, self._now = len(self.entered), urgency
        await enter_all()
        self._now = Urgency.HINTED
        return len(self.entered) - before

    async def is_to_begin(self, lock_key: str) -> bool:
        return lock_key in self.to_begin

    @property
    def keys(self) -> list[str]:
        return [event["key"] for event in self.entered.values()]


class FakeWatermarks:
    """Keeps texts."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.kept: dict[str, str] = {}
        self._clock = clock or ManualClock()
        self._put_at: dict[str, datetime] = {}

    async def get(self, name: str) -> str | None:
        return self.kept.get(name)

    async def put(self, name: str, value: str) -> None:
        self.kept[name] = value
        self._put_at[name] = self._clock.utc()

    async def put_at(self, prefix: str) -> dict[str, datetime]:
        return {name: at for name, at in self._put_at.items() if name.startswith(prefix)}


class FakeOddRows:
    """Keeps records of rows that cannot be read."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], OddRecord] = {}
        self.written = 0

    async def of(self, source: str) -> dict[int, OddRecord]:
        return {one.row_id: one for one in self.kept.values() if one.source == source}

    async def keep(self, rows: Sequence[OddRecord]) -> None:
        for row in rows:
            before = self.kept.get((row.source, row.row_id))
            is_same = before is not None and (before.member, before.text) == (row.member, row.text)
            seen_at = before.seen_at if before is not None and is_same else row.seen_at
            self.kept[row.source, row.row_id] = replace(row, seen_at=seen_at)
            self.written += 1

    async def end(self, source: str, ids: Collection[int]) -> None:
        for row_id in ids:
            self.kept.pop((source, row_id), None)

    @property
    def told(self) -> dict[int, str]:
        """What is wrong, by the shop's id."""
        return {row_id: one.text for (_, row_id), one in self.kept.items()}


def polling(
    events: FakeEvents,
    clock: Clock | None = None,
    *,
    watermarks: FakeWatermarks | None = None,
    odd_rows: FakeOddRows | None = None,
) -> Polling:
    """Return what a source is read with: half a minute of overlap, and a clock that stands."""
    at = clock or ManualClock()
    return Polling(
        events=events,
        watermarks=watermarks or FakeWatermarks(),
        odd_rows=OddRowBook(odd_rows or FakeOddRows(), at),
        overlap=timedelta(seconds=30),
        clock=at,
        pace=unhinted(at),
    )


def unhinted(clock: Clock) -> Pace:
    """Return the pace of a shop that gives no hints."""
    marks = FakeWatermarks(clock)
    return Pace(marks, clock=clock, usual=timedelta(seconds=5), is_hinted=False)
