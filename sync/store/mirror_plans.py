"""All that is kept of mirrors, in one hand: for those that write what is planned."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store.mirror_adoption import MirrorAdoption
from sync.store.mirror_bulks import MirrorBulks
from sync.store.mirror_changes import MirrorChanges
from sync.store.mirror_decisions import MirrorDecisions
from sync.store.mirror_held import MirrorHeld
from sync.store.mirror_known import KnownRows
from sync.store.mirror_looks import LookRounds
from sync.store.mirror_planning import MirrorPlanning
from sync.store.mirror_records import (
    Looked,
    MirrorChange,
    MirrorRun,
    RowKey,
    RowOutcome,
    RunState,
)
from sync.store.mirror_runs import MirrorRuns
from sync.store.mirror_staging import MirrorStaging
from sync.store.mirror_undo import MirrorUndo
from sync.store.mirror_views import MirrorViews
from sync.store.mirror_wanted import MirrorWanted

_MADE_ANEW = "the shop made it anew"


class MirrorPlans:
    """The mirrors of this database.

    Attributes:
        runs: Begun, taken up, ended.
        staging: What they have read.
        planning: Makes plans of it.
        adoption: First looks at a shop.
        decisions: What people say of plans.
        undo: Takes runs back.
        views: For those who look.
        wanted: Keys that are to be read soon.
        looks: How far the shop was looked through for edits.
        held: Keys that are held.
        known: What was acknowledged, for those who compare.
    """

    def __init__(self, database: AsyncEngine) -> None:
        self.runs = MirrorRuns(database)
        self.staging = MirrorStaging(database)
        self.planning = MirrorPlanning(database)
        self.adoption = MirrorAdoption(database)
        self.decisions = MirrorDecisions(database)
        self.undo = MirrorUndo(database)
        self.views = MirrorViews(database)
        self.wanted = MirrorWanted(database)
        self.looks = LookRounds(database)
        self.held = MirrorHeld(database)
        self.known = KnownRows(database)
        self._changes = MirrorChanges(database)
        self._database = database

    def bulks(self, shop: str, flow: str, market: str) -> MirrorBulks:
        """Return the bulks that a mirror has sent."""
        return MirrorBulks(self._database, shop=shop, flow=flow, market=market)

    async def run(self, number: int) -> MirrorRun | None:
        """Return a run, None where there is none of this number."""
        return await self.runs.get(number)

    async def take(self, run: int, most: int) -> Sequence[MirrorChange]:
        """Return the next rows of a run that are to be written, by scope and key."""
        return await self._changes.take(run, most)

    async def note(self, run: int, looked: Sequence[Looked]) -> None:
        """Keep what the shop had, of rows that nobody looked at before."""
        await self._changes.note(run, looked)

    async def acknowledge(
        self, run: int, outcomes: Sequence[RowOutcome], *, event_id: int, fence: int
    ) -> Sequence[RowKey]:
        """Keep what came of rows; return those that a newer read has seen meanwhile.

        Raises `FenceLostError`: the event is another worker's.
        """
        return await self._changes.acknowledge(run, outcomes, event_id=event_id, fence=fence)

    async def renew(self, run: int, rows: Sequence[RowKey]) -> None:
        """Forget all that is known of keys in the shop, and have every flow read them again."""
        its = await self.runs.get(run)
        if its is None or not rows:
            return
        keys = [row.key for row in rows]
        await self.want(its.flow, its.market, keys, is_forced=True, reason=_MADE_ANEW)
        await self.wanted.forget(its.shop, keys, reason=_MADE_ANEW)
        await self._changes.give_up(run, rows, _MADE_ANEW)

    async def want(
        self,
        flow: str,
        market: str,
        keys: Sequence[str],
        *,
        is_forced: bool,
        reason: str,
        due_at: datetime | None = None,
    ) -> None:
        """Have keys read soon; see `MirrorWanted.want`."""
        await self.wanted.want(
            flow, market, keys, is_forced=is_forced, reason=reason, due_at=due_at
        )

    async def settle(self, run: int) -> RunState:
        """Note where a run stands by now, and return it."""
        return await self._changes.settle(run)
