"""An ERP and a shop of a few fields, and the real planning between them.

    world = MirrorWorld(store, clock=clock)
    world.erp["LAMP"] = {"price": "12"}
    await world.reads.full()
    await world.write_all()

The ERP tells its rows in pages and may break off; the shop takes what it is given, but for the keys
that it refuses. Chunks are written here without the engine: what that adds is tested elsewhere.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.resilience.errors import UpstreamError
from sync.engine.flow import Work
from sync.engine.queue import JobQueue
from sync.mirror.chunk_events import ChunkEvents
from sync.mirror.keys import folded
from sync.mirror.ports import Mirror, MirrorPage, PlannedRow, Policy
from sync.mirror.reading import MirrorReads
from sync.store.events import EventStore
from sync.store.interventions import Interventions
from sync.store.lines import Urgency
from sync.store.mirror_plans import MirrorPlans
from sync.store.mirror_records import (
    DesiredRow,
    HeldAlone,
    HeldRow,
    Looked,
    MirrorChange,
    MirrorLimit,
    Risk,
    RowEnd,
    RowKey,
    RowOutcome,
    RunState,
    UnmappedRow,
    Value,
    Values,
)
from tests.fakes.toy_shop import KilledError
from tests.virtual_time import ManualClock

FLOW, MARKET, SHOP, SCOPE = "toys", "b2b_de", "https://shop.example.com", "global"
LOCK = f"mirror/{FLOW}/{SHOP}/"
AGREED = "agreed"
_EVENT = """
    INSERT INTO sync_event (flow, market, business_key, source_key, lock_key, payload, state, fence)
    VALUES (:flow, :market, 'run', 'run', 'run', '{}', 'working', 1)
    ON CONFLICT (source_key) DO UPDATE SET fence = 1 RETURNING id
"""
_HELD_EARLIER = """
    UPDATE sync_event SET changed_at = changed_at - CAST(:minutes AS float) * interval '1 minute'
"""
_WANTED_EARLIER = """
    UPDATE mirror_wanted SET due_at = due_at - CAST(:minutes AS float) * interval '1 minute'
"""
LIMITS = {
    "repriced": MirrorLimit(per_cent=Decimal(5), count=4),
    "withdrawn": MirrorLimit(per_cent=Decimal(0), count=2),
    "zeroed": MirrorLimit(per_cent=Decimal(25), count=1),
}


def risks(known: Values | None, wanted: Values) -> Sequence[Risk]:
    """Say which classes a change is in."""
    found: list[Risk] = []
    if known is None:
        return found
    before, now = known.get("price"), wanted.get("price")
    is_agreed = now == known.get(AGREED)
    if isinstance(now, str) and isinstance(before, str) and now != before and not is_agreed:
        old, new = Decimal(before), Decimal(now)
        direction = "up" if new > old else "down"
        if not new:
            found.append(Risk("zeroed", "down"))
        is_far = bool(old) and abs(new - old) * 10 > old * 3
        found.append(Risk("repriced", direction, is_alone=is_far))
    if wanted.get("status") == "2" and known.get("status") != "2":
        found.append(Risk("withdrawn", "down"))
    return found


@dataclass
class Asked:
    """One read: of which keys, when it began, and what was told."""

    keys: Sequence[str] | None
    at: datetime
    pages: list[MirrorPage] = field(default_factory=list)


@dataclass
class ToyErp:
    """A `MirrorReader` over rows by key, each key of one scope.

    Attributes:
        rows: By key as the ERP writes it.
        odd: Keys of which no row can be made.
        partly: By key, the fields of which none can be made.
        per_page: Rows of a page.
        breaks_after: After how many pages a read of everything breaks off; None for never.
        leaves_out: Keys that a read of everything does not bring.
        between: Awaited after each page of a read of everything.
        counts: Whether it says how many rows it has.
        reads: What it was asked, and what it told.
    """

    clock: ManualClock
    rows: dict[str, dict[str, Value]] = field(default_factory=dict)
    odd: set[str] = field(default_factory=set)
    partly: dict[str, set[str]] = field(default_factory=dict)
    per_page: int = 3
    breaks_after: int | None = None
    error: Callable[[], BaseException] = lambda: UpstreamError("broke", system="fo")
    leaves_out: set[str] = field(default_factory=set)
    between: Callable[[], Awaitable[None]] | None = None
    counts: bool = True
    reads: list["Asked"] = field(default_factory=list)

    async def expected(self) -> int | None:
        return len(self.rows) if self.counts else None

    async def pages(
        self, *, keys: Sequence[str] | None = None, after: str = ""
    ) -> AsyncGenerator[MirrorPage, None]:
        asked = Asked(keys, self.clock.utc())
        self.reads.append(asked)
        chosen = sorted({*self.rows, *self.odd})
        if keys is None:
            chosen = [key for key in chosen if key > after and key not in self.leaves_out]
        else:
            chosen = [key for key in chosen if key in keys]
        for number, begin in enumerate(range(0, len(chosen), self.per_page)):
            if keys is None and self.breaks_after is not None and number >= self.breaks_after:
                raise self.error()
            asked.pages.append(self._page(chosen[begin : begin + self.per_page]))
            yield asked.pages[-1]
            if keys is None and self.between is not None:
                await self.between()

    def _page(self, keys: Sequence[str]) -> MirrorPage:
        began_at = self.clock.utc()
        self.clock.advance(timedelta(milliseconds=1))
        return MirrorPage(
            rows=[
                DesiredRow(scope=SCOPE, key=key, values=self._good(key))
                for key in keys
                if key not in self.odd
            ],
            odd=[
                UnmappedRow(
                    key=key,
                    field="unit",
                    text="'Karton' is not mapped",
                    advice="map it",
                    is_part=key not in self.odd,
                )
                for key in keys
                if key in {*self.odd, *self.partly}
            ],
            after=keys[-1],
            began_at=began_at,
            ended_at=self.clock.utc(),
        )

    def _good(self, key: str) -> dict[str, Value]:
        odd = self.partly.get(key, ())
        return {name: value for name, value in self.rows[key].items() if name not in odd}


@dataclass
class ToyShelf:
    """A `MirrorWriter` over rows by folded key.

    Attributes:
        rows: What the shop has.
        refused: Folded keys of which it takes nothing.
        kept: Folded keys that were edited there, and stay.
        writes: What was written, in order.
        made_anew: Folded keys under which the shop has another product now.
        lists_nothing: How often a read brings nothing, from now on.
        dies_after: After how many reads whoever asks is killed; None for never.
        reads: How many rows were asked for, read by read.
        refusals: The keys of what was not, in order.
    """

    rows: dict[str, dict[str, Value]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    writes: list[tuple[str, Values]] = field(default_factory=list)
    made_anew: set[str] = field(default_factory=set)
    lists_nothing: int = 0
    dies_after: int | None = None
    reads: list[int] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    async def read(self, rows: Sequence[MirrorChange]) -> Mapping[RowKey, HeldRow]:
        self.reads.append(len(rows))
        if self.dies_after is not None:
            if not self.dies_after:
                raise KilledError
            self.dies_after -= 1
        if self.lists_nothing:
            self.lists_nothing -= 1
            return {}
        found = {row.row: self.rows.get(folded(row.key)) for row in rows}
        return {
            row: HeldRow(shop_id=self.id_of(row.key), values=dict(values))
            for row, values in found.items()
            if values is not None
        }

    def id_of(self, key: str) -> str:
        """Return the shop's id of a product."""
        which = "new id" if folded(key) in self.made_anew else "id"
        return f"{which} of {folded(key)}"

    async def write(self, batch: Sequence[PlannedRow], work: Work) -> Sequence[RowOutcome]:
        del work
        return [self.take(replace(each.change, wanted=each.values)) for each in batch]

    def take(self, change: MirrorChange) -> RowOutcome:
        """Write one row."""
        place, key = {"scope": change.scope, "key": change.key}, folded(change.key)
        if key in self.refused:
            self.refusals.append(change.key)
            return RowOutcome(**place, end=RowEnd.REFUSED, values={}, text="no", advice="ask")
        if key in self.kept:
            return RowOutcome(**place, end=RowEnd.KEPT, values=change.wanted)
        self.rows.setdefault(key, {}).update(change.wanted)
        self.writes.append((change.key, dict(change.wanted)))
        shop_id = self.id_of(key)
        return RowOutcome(**place, end=RowEnd.WRITTEN, values=change.wanted, shop_id=shop_id)


@dataclass
class Entered:
    """Where plans become events.

    Attributes:
        events: Where keys are held.
        first: The runs whose first chunk was entered.
        held: The keys that were held.
    """

    events: ChunkEvents
    first: list[int] = field(default_factory=list)
    held: list[HeldAlone] = field(default_factory=list)

    async def enter_first(self, run: int, mirror: Mirror, urgency: Urgency) -> None:
        assert (mirror.flow, urgency in Urgency) == (FLOW, True)
        if run not in self.first:
            self.first.append(run)

    async def hold(self, mirror: Mirror, rows: Sequence[HeldAlone]) -> None:
        self.held += rows
        await self.events.hold(mirror, rows)


class MirrorWorld:
    """All of it, over a database.

    Args:
        database: Where plans are kept.
        limits: How much danger is let through.
        policies: What happens to edited fields.
        adopts: Whether the first run compares the shop.
        chunk_rows: How many rows are looked at in one go.

    Attributes:
        agreed: Prices by key that are no danger, whatever was known.
    """

    def __init__(
        self,
        database: AsyncEngine,
        *,
        limits: Mapping[str, MirrorLimit] = LIMITS,
        policies: Mapping[str, Policy] | None = None,
        adopts: bool = False,
        chunk_rows: int = 4,
    ) -> None:
        self.clock = ManualClock()
        self.agreed: dict[str, str] = {}
        self.database = database
        self.plans = MirrorPlans(database)
        self.events = ChunkEvents(EventStore(database, JobQueue()), self.plans.held)
        self.erp, self.shelf, self.entered = ToyErp(self.clock), ToyShelf(), Entered(self.events)
        self.mirror = Mirror(
            flow=FLOW,
            market=MARKET,
            shop=SHOP,
            scopes=[SCOPE],
            reader=self.erp,
            writer=self.shelf,
            risks=risks,
            beside=self._beside,
            limits=limits,
            policies=policies or {},
            absent={"status": "2"},
            adopts=adopts,
            chunk_rows=chunk_rows,
        )
        self.reads = MirrorReads(
            self.mirror,
            self.plans,
            entering=self.entered,
            interventions=Interventions(database, JobQueue()),
            clock=self.clock,
        )

    async def _beside(self) -> Mapping[str, Values]:
        return {folded(key): {AGREED: price} for key, price in self.agreed.items()}

    async def try_full(self) -> None:
        """Read everything, whether or not the ERP breaks off."""
        with suppress(UpstreamError):
            await self.reads.full()

    async def want(self, *keys: str, is_forced: bool = False) -> None:
        """Have keys read soon."""
        await self.plans.want(FLOW, MARKET, keys, is_forced=is_forced, reason="a test")

    async def write(self, run: int, most: int = 100) -> Sequence[RowOutcome]:
        """Write the next rows of a run as a chunk does; return their ends."""
        changes = await self.begin(run, most)
        return await self.end(run, changes, [self.shelf.take(each) for each in changes])

    async def begin(self, run: int, most: int) -> Sequence[MirrorChange]:
        """Take the next rows of a run, and look at the shop."""
        changes = await self.plans.take(run, most)
        held = await self.shelf.read(changes)
        await self.plans.note(run, [Looked(each.row, held.get(each.row)) for each in changes])
        return changes

    async def end(
        self, run: int, changes: Sequence[MirrorChange], ends: Sequence[RowOutcome]
    ) -> Sequence[RowOutcome]:
        """Note what came of rows; refused ones become held events."""
        wanted = {change.row: change.wanted for change in changes}
        refused = [each for each in ends if each.end is RowEnd.REFUSED]
        await self.events.hold(
            self.mirror,
            [
                HeldAlone(
                    key=each.key,
                    wanted={each.scope: wanted[each.row]},
                    field=each.field,
                    text=each.text,
                    advice=each.advice,
                )
                for each in refused
            ],
        )
        await self.plans.acknowledge(run, ends, event_id=await self.event(), fence=1)
        await self.plans.settle(run)
        return ends

    async def write_all(self) -> None:
        """Write all that may be written of all runs."""
        for run in await self.plans.views.open():
            while run.state is RunState.WRITING and await self.write(run.id):
                pass
            await self.plans.settle(run.id)

    async def event(self) -> int:
        """Return the event that chunks are carried with."""
        return int(await self.value(_EVENT, flow=FLOW, market=MARKET))

    async def try_again(self, event_id: int) -> Sequence[RowOutcome]:
        """Carry the event of a held key, as the flow does; return what came of its rows."""
        [row] = await self.all(
            "UPDATE sync_event SET state = 'working', fence = fence + 1 WHERE id = :id "
            "RETURNING fence, payload",
            id=event_id,
        )
        await self.events.begin_again(event_id, row[0])
        keys = [row[1]["key"], *row[1]["meets"]]
        planning = await self.reads.planned(keys, by=f"event {event_id}")
        ends = [] if planning.run is None else await self.write(planning.run.id)
        is_held = planning.odd or any(each.end is RowEnd.REFUSED for each in ends)
        state = "held" if is_held else "done"
        changed = "UPDATE sync_event SET state = :state, changed_at = clock_timestamp()"
        await self.execute(f"{changed} WHERE id = :id", state=state, id=event_id)
        return ends

    async def in_line(self) -> Sequence[int]:
        """Return the events of keys that are tried again."""
        statement = "SELECT id FROM sync_event WHERE state = 'received' AND payload ? 'key'"
        return [row[0] for row in await self.all(statement)]

    async def let_pass(self, minutes: float) -> None:
        """Have time pass for all that is held."""
        for statement in (_HELD_EARLIER, _WANTED_EARLIER):
            await self.execute(statement, minutes=minutes)

    async def known(self) -> dict[str, dict[str, Value]]:
        """Return what is known, by folded key."""
        rows = await self.all("SELECT folded, values FROM mirror_row ORDER BY folded")
        return {row[0]: row[1] for row in rows}

    async def states(self, run: int) -> dict[str, str]:
        """Return the state of each row of a run, by folded key."""
        rows = await self.all("SELECT folded, state FROM mirror_change WHERE run = :run", run=run)
        return {row[0]: row[1] for row in rows}

    async def last(self) -> int:
        """Return the newest run's number."""
        return int(await self.value("SELECT max(id) FROM mirror_run"))

    async def execute(self, statement: str, **values: object) -> None:
        """Change the database."""
        async with self.database.begin() as connection:
            await connection.execute(text(statement), values)

    async def value(self, statement: str, **values: object) -> Any:
        """Return one value."""
        async with self.database.begin() as connection:
            return (await connection.execute(text(statement), values)).scalar()

    async def all(self, statement: str, **values: object) -> Sequence[Sequence[Any]]:
        """Return rows."""
        async with self.database.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(statement), values)]
