"""The events of a mirror flow: a chunk of a run, and a key that cannot go with the others.

The chunks of a shop's flow share one lock, and a run has one of them in line at a time, entered
at the end of the one before. So a run of what changed gets between the chunks of a full one, and
whoever is killed goes on where it stopped. A key of which the shop refused a row, or the ERP has
none that can be mirrored, is held at once, at a lock of its own: it stops no other.
"""

import uuid
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from sync.engine.sources import Events
from sync.mirror.keys import folded
from sync.store.lines import Urgency
from sync.store.mirror_held import KEY, MEETS, HeldEvent
from sync.store.mirror_records import HeldAlone, RunTrigger

__all__ = ["KEY", "MEETS", "RUN", "ChunkEvents", "HeldKeys", "MirrorEvents", "MirrorPlace"]

RUN = "run"
"""Member of a chunk's payload; those of a key are `sync.store.mirror_held`'s."""

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


class HeldKeys(Protocol):
    """Where keys are held: `sync.store.mirror_held.MirrorHeld`."""

    async def hold(self, flow: str, market: str, events: Sequence[HeldEvent]) -> None:
        """Hold keys; those that are held already say what is wrong now."""
        ...

    async def begin_again(self, event_id: int, fence: int) -> None:
        """Note that all of a key is tried anew."""
        ...


class ChunkEvents:
    """Enters them.

    Args:
        events: Where.
        held: Where keys are held.
    """

    def __init__(self, events: MirrorEvents, held: HeldKeys) -> None:
        self._events = events
        self._held = held

    async def enter_first(self, run: int, mirror: MirrorPlace, urgency: Urgency) -> None:
        """Enter a chunk of a run that has none in line: the first, or one after an approval."""
        if not await self._events.is_open(_line(mirror), named=_name(run)):
            await self._enter(mirror, run, f"begin {uuid.uuid4()}", urgency)

    async def go_on(
        self, mirror: MirrorPlace, run: int, trigger: RunTrigger, *, after: int
    ) -> None:
        """Enter the chunk that follows an event's, once."""
        await self._enter(mirror, run, f"after {after}", urgency_of(trigger))

    async def hold(self, mirror: MirrorPlace, rows: Sequence[HeldAlone]) -> None:
        """Hold keys: of those that are held or under way, what is wrong now is added."""
        events = [
            HeldEvent(
                lock_key=_lock(mirror, row.key),
                key=row.key,
                meets=row.meets,
                wanted=row.wanted,
                field=row.field,
                text=row.text,
                advice=row.advice,
            )
            for row in rows
        ]
        if events:
            await self._held.hold(mirror.flow, mirror.market, events)

    async def begin_again(self, event_id: int, fence: int) -> None:
        """Note that all of a held key is tried anew, by whom its event is carried."""
        await self._held.begin_again(event_id, fence)

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
