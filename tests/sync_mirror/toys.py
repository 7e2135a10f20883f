"""A mirror of toys: a shop, what is kept of runs, and workers that carry chunks until they end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from pricing_proxy.resilience.errors import UpstreamError
from sync.engine.flow import Event
from sync.engine.outcomes import Done
from sync.mirror.chunk_events import ChunkEvents
from sync.mirror.chunks import Chunks
from sync.mirror.flow import MirrorFlow
from sync.mirror.governor import Governor
from sync.mirror.ports import Mirror, MirrorReader, Policy
from sync.mirror.reading import Planning
from sync.store.events import FenceLostError
from sync.store.lines import Urgency
from sync.store.mirror_records import (
    HeldRow,
    MirrorRun,
    RowKey,
    RunTrigger,
    Values,
)
from sync.store.mirror_run_record import HeldKey
from tests.fakes.claims import FakeClaims
from tests.fakes.mirror_events import FakeMirrorEvents
from tests.fakes.mirror_plans import FakePlans
from tests.fakes.order_shop import FakeWork
from tests.fakes.paces import FakePaces
from tests.fakes.toy_shop import KilledError, Mortality, ToyShop
from tests.virtual_time import ManualClock

FLOW, MARKET, SHOP = "toys", "b2b_de", "https://shop.example.com"
MOST_TRIES = 300
# A chunk reads no ERP.
NO_READER = cast("MirrorReader", None)


@dataclass
class FakePlanner:
    """Plans the keys that are asked for, as they are desired.

    Attributes:
        desired: What the ERP says.
        odd: What is wrong with keys of which no row can be made.
    """

    plans: FakePlans
    desired: dict[RowKey, Values] = field(default_factory=dict)
    odd: dict[str, HeldKey] = field(default_factory=dict)

    async def planned(self, keys: Sequence[str], *, by: str) -> Planning:
        del by
        rows = {row: values for row, values in self.desired.items() if row.key in keys}
        run = self.plans.plan(rows, RunTrigger.BY_HAND)
        return Planning(run=run, odd=[self.odd[key] for key in keys if key in self.odd])


@dataclass
class ToyWorld:
    """All of it.

    Attributes:
        deaths: How often a worker was killed.
    """

    policies: Mapping[str, Policy] = field(default_factory=dict)
    chunk_rows: int = 6
    batch_rows: int = 3
    ceiling: int = 2
    clock: ManualClock = field(default_factory=ManualClock)
    shop: ToyShop = field(default_factory=ToyShop)
    events: FakeMirrorEvents = field(default_factory=FakeMirrorEvents)
    mortality: Mortality = field(default_factory=Mortality)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.plans = FakePlans(self.clock, mortality=self.mortality)
        self.shop.mortality = self.events.mortality = self.mortality
        self.planner = FakePlanner(self.plans)
        self.paces, self.claims = FakePaces(), FakeClaims()
        self.mirror = Mirror(
            flow=FLOW,
            market=MARKET,
            shop=SHOP,
            scopes=["global", "view/1"],
            reader=NO_READER,
            writer=self.shop,
            risks=lambda _, __: (),
            policies=self.policies,
            chunk_rows=self.chunk_rows,
            batch_rows=self.batch_rows,
        )
        self.begin_anew()

    def begin_anew(self) -> None:
        """Begin a process that has learned nothing."""
        self.claims.holders.clear()
        self.mortality.is_dead = False
        governor = Governor(
            self.paces, self.claims, shop=SHOP, ceiling=self.ceiling, clock=self.clock
        )
        self.governor = governor
        entries = self.flow_entries = ChunkEvents(self.events, self.events)
        self.flow = MirrorFlow(
            FLOW,
            {MARKET: self.mirror},
            runs=self.plans,
            planners={MARKET: self.planner},
            chunks=Chunks(self.plans, entries, governor=governor, clock=self.clock),
            entries=entries,
        )

    def stock(self, row: RowKey, **values: str) -> None:
        """Have a row in the shop that we wrote."""
        self.shop.put(row, **values)
        self.plans.known[row] = self.shop.rows[row]

    async def begin(
        self, desired: Mapping[RowKey, Values], trigger: RunTrigger = RunTrigger.FULL
    ) -> MirrorRun:
        """Plan a run and enter its first chunk."""
        run = self.plans.plan(desired, trigger)
        self.planner.desired |= desired
        await ChunkEvents(self.events, self.events).enter_first(
            run.id, self.mirror, Urgency.BACKLOG
        )
        return run

    async def carry(self, event: Event) -> Done:
        """Carry an event once, as a worker that has claimed it."""
        self.plans.fence += 1
        event = replace(event, fence=self.plans.fence)
        return await self.flow.carry(FakeWork(event, self.clock))

    async def carry_all(self) -> list[str]:
        """Carry chunks until there is none, with new workers for those that die."""
        notes: list[str] = []
        self.mortality.is_at_work = True
        for _ in range(MOST_TRIES):
            if (event := self.events.next_chunk()) is None:
                self.mortality.is_at_work = False
                return notes
            try:
                notes.append((await self.carry(event)).note)
            except (KilledError, FenceLostError):
                self.deaths += 1
                self.begin_anew()
            except UpstreamError:
                continue
            else:
                self.events.ended.add(event.source_key)
        raise AssertionError("the run has no end")

    async def run(
        self, desired: Mapping[RowKey, Values], trigger: RunTrigger = RunTrigger.FULL
    ) -> list[str]:
        """Plan and carry a run to its end."""
        await self.begin(desired, trigger)
        return await self.carry_all()

    def held(self, row: RowKey) -> HeldRow:
        """Return what the shop has."""
        return self.shop.rows[row]
