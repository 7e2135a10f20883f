"""The events of a mirror flow: a chunk of a run, and a key that cannot go with the others.

The chunks of a shop's flow share one lock, and a run has one of them in line at a time, entered
at the end of the one before. So a run of what changed gets between the chunks of a full one, and
whoever is killed goes on where it stopped. A key of which the shop refused a row, or the ERP has
none that can be mirrored, has a lock of its own: what is held for its sake stops no other.
"""

import uuid
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from sync.engine.sources import Events
from sync.mirror.keys import folded
from sync.store.lines import Urgency
from sync.store.mirror_records import HeldAlone, RunTrigger

RUN, KEY, MEETS, WANTED = "run", "key", "meets", "wanted"
"""Members of their payloads: a run; a key, those that are one with it, and what was refused."""

# So many are entered in one statement.
_TOGETHER = 500
_URGENCIES = {RunTrigger.CHANGE: Urgency.FRESH}


class MirrorPlace(Protocol):
    """Whose events: a mirror, or one of its runs."""

    @property
    def flow(self) -> str:
        """The flow's name."""
        ...

    @property
    def market(self) -> str:
        """The market's code."""
        ...

    @property
    def shop(self) -> str:
        """The shop's root address."""
        ...


class MirrorEvents(Events, Protocol):
    """Where they are entered: `sync.store.events.EventStore`."""

    async def is_open(self, lock_key: str, *, named: str | None = None) -> bool:
        """Return whether an event of this lock is not ended, or one of this business key."""
        ...


class ChunkEvents:
    """Enters them.

    Args:
        events: Where.
    """

    def __init__(self, events: MirrorEvents) -> None:
        self._events = events

    async def enter_first(self, run: int, mirror: MirrorPlace, urgency: Urgency) -> None:
        """Enter a chunk of a run that has none in line: the first, or one after an approval."""
        if not await self._events.is_open(_line(mirror), named=_name(run)):
            await self._enter(mirror, run, f"begin {uuid.uuid4()}", urgency)

    async def go_on(
        self, mirror: MirrorPlace, run: int, trigger: RunTrigger, *, after: int
    ) -> None:
        """Enter the chunk that follows an event's, once."""
        await self._enter(mirror, run, f"after {after}", urgency_of(trigger))

    async def hold(self, mirror: MirrorPlace, rows: Sequence[HeldAlone], run: int) -> None:
        """Enter keys of which the shop refused rows, but those that are under way or held."""
        new = [row for row in rows if not await self._events.is_open(_lock(mirror, row.key))]
        await self._enter_rows(mirror, new, f"run {run}", Urgency.FRESH)

    async def enter_rows(self, mirror: MirrorPlace, rows: Sequence[HeldAlone]) -> None:
        """Enter keys of which no row can be planned; none of them has an event under way."""
        await self._enter_rows(mirror, rows, str(uuid.uuid4()), Urgency.BACKLOG)

    async def _enter_rows(
        self, mirror: MirrorPlace, rows: Sequence[HeldAlone], what: str, urgency: Urgency
    ) -> None:
        for begin in range(0, len(rows), _TOGETHER):
            some = rows[begin : begin + _TOGETHER]
            enter = partial(self._receive_rows, mirror, some, what)
            await self._events.receive_together(enter, urgency)

    async def _receive_rows(
        self, mirror: MirrorPlace, rows: Sequence[HeldAlone], what: str
    ) -> None:
        for row in rows:
            lock = _lock(mirror, row.key)
            await self._events.receive(
                flow=mirror.flow,
                market=mirror.market,
                business_key=row.key,
                document_id=row.key,
                source_key=f"{lock}/{what}",
                payload={KEY: row.key, MEETS: list(row.meets), WANTED: dict(row.wanted)},
                lock_key=lock,
            )

    async def _enter(self, mirror: MirrorPlace, run: int, what: str, urgency: Urgency) -> None:
        lock, name = _line(mirror), _name(run)
        enter = partial(
            self._events.receive,
            flow=mirror.flow,
            market=mirror.market,
            business_key=name,
            document_id=name,
            source_key=f"{lock}/{name}/{what}",
            payload={RUN: run},
            lock_key=lock,
        )
        await self._events.receive_together(enter, urgency)


def _line(mirror: MirrorPlace) -> str:
    """Return the lock of the chunks of all runs."""
    return f"mirror/{mirror.flow}/{mirror.shop}"


def _name(run: int) -> str:
    return f"run {run}"


def _lock(mirror: MirrorPlace, key: str) -> str:
    """Return the lock of a key's events."""
    return f"{_line(mirror)}/{folded(key)}"


def urgency_of(trigger: RunTrigger) -> Urgency:
    """Return how urgent the chunks of a run are: nobody waits for what a night's read found."""
    return _URGENCIES.get(trigger, Urgency.BACKLOG)
