"""What mirror flows share: what is kept of runs, how wide the shop is written to, their schedules.

A mirror flow is a list of mirrors; `sync.mirror_flows` makes a flow of it.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from pricing_proxy.clock import Clock
from sync.engine.schedules import Schedule
from sync.mirror.chunk_events import ChunkEvents
from sync.mirror.chunks import Chunks
from sync.mirror.flow import MirrorFlow
from sync.mirror.governor import Governor
from sync.mirror.looks import TICK, MirrorLooks
from sync.mirror.ports import Mirror
from sync.mirror.reading import MirrorReads
from sync.sections import MirrorSection
from sync.store.events import EventStore
from sync.store.interventions import Interventions
from sync.store.mirror_notices import MirrorNotice, MirrorNotices
from sync.store.mirror_plans import MirrorPlans
from sync.store.mirror_run_record import RunLostError

_MUCH_GONE = (
    "Most of what we know is not in the shop any more: nothing is made anew unasked. See what the "
    "shop lists; where it was emptied, have it all read and written again: d365-sync resync --force"
)
_log = logging.getLogger(__name__)

# It reads the whole ERP, and who mends an export needs longer.
_AFTER_FAILURE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirroring:
    """All of it.

    Attributes:
        section: What the configuration says.
        plans: What is kept of runs.
        events: Where chunks are entered.
        interventions: Puts held events back in line.
        governor: How wide the shop is written to.
        notices: Where flows tell of what lasts.
        clock: Time.
    """

    section: MirrorSection
    plans: MirrorPlans
    events: EventStore
    interventions: Interventions
    governor: Governor
    notices: MirrorNotices
    clock: Clock

    @property
    def entries(self) -> ChunkEvents:
        """Where chunks and rows become events."""
        return ChunkEvents(self.events, self.plans.held)

    def reads(self, mirror: Mirror) -> MirrorReads:
        """Return what reads the ERP for a mirror, and plans."""
        return MirrorReads(
            mirror,
            self.plans,
            entering=self.entries,
            interventions=self.interventions,
            clock=self.clock,
        )

    def looks(self, mirror: Mirror) -> MirrorLooks:
        """Return what looks through the shop for what others changed there."""

        async def is_adopted() -> bool:
            is_first = mirror.adopts
            return not is_first or await self.plans.runs.is_adopted(mirror.flow, mirror.market)

        async def tell(told: str) -> None:
            its = {"flow": mirror.flow, "market": mirror.market, "key": "gone"}
            notice = MirrorNotice(**its, title=_MUCH_GONE, text=told, count=1)
            await self.notices.note(notice, lasts=2 * TICK)

        return MirrorLooks(
            mirror,
            self.plans.looks,
            self.plans.wanted,
            every=mirror.look_every or timedelta(hours=self.section.look_hours),
            is_adopted=is_adopted,
            tell=tell,
        )

    def flow(self, name: str, mirrors: Sequence[Mirror]) -> MirrorFlow:
        """Return what carries the chunks of mirrors of one flow."""
        return MirrorFlow(
            name,
            {mirror.market: mirror for mirror in mirrors},
            runs=self.plans,
            planners={mirror.market: self.reads(mirror) for mirror in mirrors},
            chunks=Chunks(self.plans, self.entries, governor=self.governor, clock=self.clock),
            entries=self.entries,
        )

    def schedules(self, mirror: Mirror) -> Iterator[Schedule]:
        """Yield when a mirror reads what changed, when everything, and when it looks for edits."""
        reads, name = self.reads(mirror), f"{mirror.flow} of {mirror.market}"
        change = mirror.change_every or timedelta(seconds=self.section.change_seconds)
        yield Schedule(f"read changed {name}", change, _unless_lost(name, reads.change))
        yield Schedule(f"look for edits of {name}", TICK, self.looks(mirror).look)
        full = mirror.full_every or timedelta(hours=self.section.full_hours)
        pace = partial(self._full_every, mirror, full)
        # A whole period late, it begins at any time of the day.
        most = full if mirror.full_every is not None else 2 * full
        yield Schedule(f"read all {name}", most, _unless_lost(name, reads.full), pace)

    async def _full_every(self, mirror: Mirror, every: timedelta) -> timedelta:
        """Return how often everything is read now.

        What is due soon begins in the quiet hours; a read that plans nothing, since it brought half
        a catalog, is no success to wait a whole period after.
        """
        if await self.plans.runs.has_failed(mirror.flow, mirror.market):
            return min(every, _AFTER_FAILURE)
        return every if mirror.full_every is not None else self.quiet_pace(every)

    def quiet_pace(self, every: timedelta) -> timedelta:
        """Return how often something is due now that is due every so often in the quiet hours."""
        if not self.section.quiet_hours:
            return every
        return every / 2 if self.section.is_quiet(self.clock.utc()) else 2 * every


def _unless_lost(name: str, read: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    async def attempt() -> None:
        try:
            await read()
        except RunLostError as error:
            _log.warning("%s: %s", name, error)

    return attempt
