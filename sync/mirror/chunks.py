"""Carry one chunk of a run: look at the shop, decide row by row, write in batches, note the ends.

What the shop had before is kept before the first write, so that a chunk that is killed and comes
again does not take its own write for what was there. Each batch is acknowledged by itself: what
is done is done, whatever happens to the rest.

    the shop has another product under a key   all that is known of the key is forgotten, and the
                                               key is read again for every mirror flow
    a newer read has seen the row meanwhile    it is read again: what was written may be older
    the shop refused the row                   its key is held, at an event of its own

The scopes of a chunk are written one after the other: what one makes the next may need.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from pricing_proxy.clock import Clock
from sync.engine.flow import Work
from sync.mirror.batches import ChunkBatches
from sync.mirror.chunk_events import ChunkEvents
from sync.mirror.deciding import Decision, decide
from sync.mirror.governor import Governor
from sync.mirror.ports import Mirror
from sync.store.mirror_records import (
    HeldAlone,
    Looked,
    MirrorChange,
    MirrorRun,
    RowEnd,
    RowKey,
    RowOutcome,
    RunTrigger,
    Values,
)

_MAKE_NOTHING = frozenset({RunTrigger.ADOPT, RunTrigger.UNDO, RunTrigger.LOOK})
_OVERTAKEN = "written while a newer read was planned"


class Plans(Protocol):
    """What is kept of runs, as far as chunks need it."""

    async def note(self, run: int, looked: Sequence[Looked]) -> None:
        """Keep what the shop had, of rows that nobody looked at before."""
        ...

    async def acknowledge(
        self, run: int, outcomes: Sequence[RowOutcome], *, event_id: int, fence: int
    ) -> Sequence[RowKey]:
        """Keep what came of rows; return those that a newer read has seen meanwhile.

        Raises `FenceLostError`: the event is another worker's.
        """
        ...

    async def renew(self, run: int, rows: Sequence[RowKey]) -> None:
        """Forget all that is known of keys in the shop, and have every flow read them again."""
        ...

    async def want(
        self, flow: str, market: str, keys: Sequence[str], *, is_forced: bool, reason: str
    ) -> None:
        """Have keys read soon."""
        ...


class Chunks:
    """Carries them.

    Args:
        plans: What is kept of runs.
        entries: Where refused rows are entered.
        governor: Says how many batches go on at once.
        clock: Time.
    """

    def __init__(
        self, plans: Plans, entries: ChunkEvents, *, governor: Governor, clock: Clock
    ) -> None:
        self._plans = plans
        self._entries = entries
        self._governor = governor
        self._clock = clock
        # How many rows one request may hold, as this process has learned; by flow.
        self._most_rows: dict[str, int] = {}

    async def carry(
        self, mirror: Mirror, run: MirrorRun, changes: Sequence[MirrorChange], work: Work
    ) -> Sequence[RowOutcome]:
        """Write a chunk; return what came of its rows.

        Raises:
            UpstreamError: The shop takes nothing now; what was written is acknowledged.
            FenceLostError: Another worker has the chunk.
        """
        ends: list[RowOutcome] = []
        for _, rows in groupby(changes, attrgetter("scope")):
            ends += await self._of_scope(mirror, run, list(rows), work)
        return ends

    async def _of_scope(
        self, mirror: Mirror, run: MirrorRun, changes: Sequence[MirrorChange], work: Work
    ) -> Sequence[RowOutcome]:
        decisions = await self._decided(mirror, run, changes)
        ends: list[RowOutcome] = []

        async def report(outcomes: Sequence[RowOutcome]) -> None:
            whole = [_with_settled(each, decisions[each.row]) for each in outcomes]
            await self._end(mirror, run, whole, decisions, work)
            ends.extend(whole)

        await report([each.outcome for each in decisions.values() if not each.write])
        batches = ChunkBatches(
            mirror.writer, work, governor=self._governor, report=report, clock=self._clock
        )
        size = min(mirror.batch_rows, self._most_rows.get(mirror.flow, mirror.batch_rows))
        planned = [each.planned for each in decisions.values() if each.write]
        starts = range(0, len(planned), size)
        if too_long := await batches.write([planned[one : one + size] for one in starts]):
            self._most_rows[mirror.flow] = max(1, min(too_long) // 2)
        return ends

    async def _decided(
        self, mirror: Mirror, run: MirrorRun, changes: Sequence[MirrorChange]
    ) -> Mapping[RowKey, Decision]:
        """Look at the shop, and decide on all rows whose product is still the one we know."""
        found = await mirror.writer.read(changes)
        decisions = [
            decide(
                change,
                found.get(change.row),
                mirror.policies,
                is_undo=run.trigger is RunTrigger.UNDO,
                makes=run.trigger not in _MAKE_NOTHING,
                decides_itself=mirror.decides_itself,
            )
            for change in changes
        ]
        if renewed := [each.change.row for each in decisions if each.is_renewed]:
            await self._plans.renew(run.id, renewed)
        left = [each for each in decisions if not each.is_renewed]
        await self._plans.note(
            run.id, [Looked(each.change.row, each.held, each.edited) for each in left]
        )
        return {each.change.row: each for each in left}

    async def _end(
        self,
        mirror: Mirror,
        run: MirrorRun,
        outcomes: Sequence[RowOutcome],
        decisions: Mapping[RowKey, Decision],
        work: Work,
    ) -> None:
        if not outcomes:
            return
        # Before it counts as refused: nobody would enter it any more.
        await self._entries.hold(mirror, _refused(outcomes, decisions))
        overtaken = await self._plans.acknowledge(
            run.id, outcomes, event_id=work.event.id, fence=work.event.fence
        )
        if overtaken:
            await self._plans.want(
                mirror.flow,
                mirror.market,
                [row.key for row in overtaken],
                is_forced=True,
                reason=_OVERTAKEN,
            )


def summary(outcomes: Sequence[RowOutcome]) -> str:
    """Return what came of rows, for an event's story."""
    counts = Counter(each.end for each in outcomes)
    return ", ".join(f"{counts[end]} {end.value}" for end in RowEnd if counts[end])


def _refused(
    outcomes: Sequence[RowOutcome], decisions: Mapping[RowKey, Decision]
) -> Sequence[HeldAlone]:
    """Return the keys of refused rows, with what was not written of them."""
    wanted: dict[str, dict[str, Values]] = {}
    why: dict[str, RowOutcome] = {}
    for each in outcomes:
        if each.end is RowEnd.REFUSED:
            fields = decisions[each.row].change.wanted
            left = {name: value for name, value in fields.items() if name not in each.values}
            wanted.setdefault(each.key, {})[each.scope] = left
            why.setdefault(each.key, each)
    return [
        HeldAlone(
            key=key,
            wanted=scopes,
            field=why[key].field,
            text=why[key].text,
            advice=why[key].advice,
        )
        for key, scopes in wanted.items()
    ]


def _with_settled(outcome: RowOutcome, decision: Decision) -> RowOutcome:
    """Return an outcome with the fields that needed no write."""
    if outcome.end is RowEnd.MISSING:
        return outcome
    return replace(outcome, values={**decision.settled, **outcome.values})
