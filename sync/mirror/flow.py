"""A mirror flow: carries the chunks of its runs, and keys that cannot go with the others.

A key is read anew from the ERP and planned within the same limits as any other, then written
alone: if no row can be made of it or of some of its fields, or the shop refuses one again, its
event is held with what is wrong. So it is carried when a person replays it, or when the ERP says
something new of what the shop refused.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from sync.engine.flow import Work
from sync.engine.outcomes import Done, HeldError, RetryLaterError
from sync.mirror.chunk_events import KEY, MEETS, RUN, ChunkEvents
from sync.mirror.chunks import Chunks, summary
from sync.mirror.ports import Mirror
from sync.mirror.reading import Planning
from sync.store.mirror_records import (
    MirrorChange,
    MirrorRun,
    RowEnd,
    RowOutcome,
    RunState,
)
from sync.store.mirror_views import BY_EVENT

# Until somebody has decided on what it found; nothing is lost meanwhile.
_ADOPTION_TAKES = timedelta(minutes=10)


class Runs(Protocol):
    """What is kept of runs, as far as events need it."""

    async def run(self, number: int) -> MirrorRun | None:
        """Return a run."""
        ...

    async def take(self, run: int, most: int) -> Sequence[MirrorChange]:
        """Return some of its rows that may be written, in order of scope and key."""
        ...

    async def settle(self, run: int) -> RunState:
        """End a run of which nothing may be written any more; return its state."""
        ...


class Planner(Protocol):
    """Plans keys of one mirror for who writes them alone: `sync.mirror.reading.MirrorReads`."""

    async def planned(self, keys: Sequence[str], *, by: str) -> Planning:
        """Read keys and plan them, and enter nothing of it; raises `UpstreamError`."""
        ...


class MirrorFlow:
    """A `sync.engine.flow.Flow`.

    Args:
        name: Its name.
        mirrors: By market.
        runs: What is kept of runs.
        planners: Plan keys, by market.
        chunks: Writes them.
        entries: Where the next chunk is entered.
    """

    def __init__(
        self,
        name: str,
        mirrors: Mapping[str, Mirror],
        *,
        runs: Runs,
        planners: Mapping[str, Planner],
        chunks: Chunks,
        entries: ChunkEvents,
    ) -> None:
        self.name = name
        self._mirrors = mirrors
        self._runs = runs
        self._planners = planners
        self._chunks = chunks
        self._entries = entries

    async def carry(self, work: Work) -> Done:
        """Carry a chunk or a row; raises the engine's outcomes and `UpstreamError`."""
        mirror, payload = self._mirrors[work.event.market], work.event.payload
        run, key = payload.get(RUN), payload.get(KEY)
        if isinstance(run, int):
            return await self._chunk(mirror, run, work)
        if isinstance(key, str):
            return await self._row(mirror, [key, *payload.get(MEETS, ())], work)
        raise HeldError(
            field=RUN,
            text="the event names neither a run nor a row",
            advice=f'write it into the payload, as {{"{RUN}": 7}} or {{"{KEY}": "LAMP"}}, with: '
            f"d365-sync edit {work.event.id} FILE; then replay",
        )

    async def _chunk(self, mirror: Mirror, number: int, work: Work) -> Done:
        run = await self._runs.run(number)
        if run is None or run.state is not RunState.WRITING:
            return Done(f"nothing of run {number} is to be written")
        changes = await self._runs.take(number, mirror.chunk_rows)
        ends = await self._chunks.carry(mirror, run, changes, work)
        if len(changes) == mirror.chunk_rows:
            await self._entries.go_on(mirror, number, run.trigger, after=work.event.id)
        else:
            await self._runs.settle(number)
        return Done(f"run {number}: {summary(ends) or 'nothing left'}")

    async def _row(self, mirror: Mirror, keys: Sequence[str], work: Work) -> Done:
        planner = self._planners[mirror.market]
        await self._entries.begin_again(work.event.id, work.event.fence)
        planning = await planner.planned(keys, by=f"{BY_EVENT}{work.event.id}")
        run, held = planning.run, planning.odd[0] if planning.odd else None
        if run is None and held is None:
            raise RetryLaterError("the shop is not adopted yet", after=_ADOPTION_TAKES)
        ends: Sequence[RowOutcome] = ()
        state = RunState.DONE
        if run is not None:
            # Of a key of which some fields are held, the others are written all the same.
            changes = await self._runs.take(run.id, mirror.chunk_rows)
            ends = await self._chunks.carry(mirror, run, changes, work)
            state = await self._runs.settle(run.id)
        if held is not None:
            raise HeldError(field=held.field, text=held.text, advice=held.advice)
        refused = next((each for each in ends if each.end is RowEnd.REFUSED), None)
        if refused is not None:
            raise HeldError(field=refused.field, text=refused.text, advice=refused.advice)
        number = "" if run is None else f" {run.id}"
        if state is RunState.WAITING:
            return Done(f"waits for a person: d365-sync runs show{number}")
        return Done(f"run{number}: {summary(ends) or 'nothing differs'}")
