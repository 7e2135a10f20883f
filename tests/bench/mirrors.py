"""Read a whole catalog into a mirror: what is written, how much memory, how long.

    python -m tests.bench.mirrors --products 100000 --skus 250000 --sources 3 --changed 10

A catalog in which nothing changed must write nothing; one of which some changed must write exactly
these; and neither may take more memory than it may. The ERP and the shop are played in the same
process, in pages and batches as the real ones have them; reading, staging, planning and noting are
those of the sync, on a PostgreSQL of its own. Exit code 1 where a bar is missed.
"""

import argparse
import asyncio
import json
import resource
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.clock import SystemClock
from sync.engine.database import database
from sync.engine.queue import JobQueue
from sync.mirror.ports import Mirror, MirrorPage, PlannedRow
from sync.mirror.reading import MirrorReads
from sync.store.interventions import Interventions
from sync.store.lines import Urgency
from sync.store.mirror_plans import MirrorPlans
from sync.store.mirror_records import (
    DesiredRow,
    HeldAlone,
    HeldRow,
    Looked,
    MirrorChange,
    MirrorRun,
    RowEnd,
    RowKey,
    RowOutcome,
    Values,
)
from tests.postgres import bench_database

_SHOP, _MARKET, _PAGE, _CHUNK = "https://bench.example.com", "b2b_de", 1000, 1000
_FILL = """
    INSERT INTO mirror_row (flow, shop, scope, folded, key, market, shop_id, values, read_at)
    SELECT :flow, :shop, s.scope, 'sku-' || lpad(n::text, 7, '0'), 'SKU-' || lpad(n::text, 7, '0'),
           :market, n::text, CAST(s.told AS jsonb), now() - interval '1 day'
    FROM generate_series(0, :count - 1) AS n,
         jsonb_each_text(CAST(:scopes AS jsonb)) AS s(scope, told)
"""
_EVENT = """
    INSERT INTO sync_event (flow, market, business_key, source_key, lock_key, payload, state, fence)
    VALUES (:flow, :market, 'run', :flow, :flow, '{}', 'working', 1) RETURNING id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """A catalog, told page by page and never held.

    Attributes:
        name: Of the line in the table.
        flow: Its flow.
        keys: How many keys it has.
        scopes: What each key has in each scope, unless it changed.
        changed: Of how many keys of a hundred one field is another now.
        field: Which.
    """

    name: str
    flow: str
    keys: int
    scopes: Mapping[str, Values]
    changed: int
    field: str

    def has_changed(self, number: int) -> bool:
        """Say whether a key has changed."""
        return number % 100 < self.changed

    def rows(self, number: int) -> list[DesiredRow]:
        """Return the rows of a key."""
        new = {self.field: "77"} if self.has_changed(number) else {}
        key = f"SKU-{number:07}"
        return [
            DesiredRow(scope=scope, key=key, values={**values, **new})
            for scope, values in self.scopes.items()
        ]

    async def expected(self) -> int | None:
        """Return how many rows there are."""
        return self.keys * len(self.scopes)

    async def pages(
        self, *, keys: Sequence[str] | None = None, after: str = ""
    ) -> AsyncGenerator[MirrorPage, None]:
        """Yield them."""
        assert keys is None, "nothing is missing"
        assert after == "", "nothing broke off"
        clock, step = SystemClock(), _PAGE // len(self.scopes)
        for begin in range(0, self.keys, step):
            numbers = range(begin, min(begin + step, self.keys))
            began_at = clock.utc()
            rows = [row for number in numbers for row in self.rows(number)]
            yield MirrorPage(
                rows=rows, odd=(), after=str(begin), began_at=began_at, ended_at=clock.utc()
            )
            await asyncio.sleep(0)


@dataclass
class Shelf:
    """A shop that takes everything and counts.

    Attributes:
        written: How many rows.
        wrong: Of how many rows nothing was to be written, or something else.
    """

    catalog: Catalog
    written: int = 0
    wrong: int = 0

    async def read(self, rows: Sequence[MirrorChange]) -> Mapping[RowKey, HeldRow]:
        """Return what it has: what is known of it."""
        return {row.row: HeldRow(shop_id=row.shop_id or "", values=row.known or {}) for row in rows}

    async def write(self, batch: Sequence[PlannedRow], work: Any) -> Sequence[RowOutcome]:
        """Write a batch."""
        del work
        return [self.take(planned.change) for planned in batch]

    def take(self, change: MirrorChange) -> RowOutcome:
        """Write a row."""
        number = int(change.key.removeprefix("SKU-"))
        is_right = self.catalog.has_changed(number)
        is_right = is_right and change.wanted == {self.catalog.field: "77"}
        self.written += 1
        self.wrong += not is_right
        place = {"scope": change.scope, "key": change.key}
        return RowOutcome(**place, end=RowEnd.WRITTEN, values=change.wanted, shop_id=change.shop_id)


@dataclass
class Entered:
    """The runs that are to be written."""

    runs: list[int] = field(default_factory=list)

    async def enter_first(self, run: int, mirror: Mirror, urgency: Urgency) -> None:
        """Note a run."""
        assert (mirror.market, urgency) == (_MARKET, Urgency.BACKLOG)
        self.runs.append(run)

    async def hold(self, mirror: Mirror, rows: Sequence[HeldAlone]) -> None:
        """Refuse: none is odd here."""
        raise AssertionError(f"{mirror.flow}: {len(rows)} held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What came of a catalog."""

    name: str
    expected: int
    written: int
    wrong: int
    seconds: float
    rss_mb: float

    @property
    def is_missed(self) -> bool:
        """Say whether something else was written than what changed."""
        return self.written != self.expected or self.wrong > 0


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mirrors", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--products", type=int, default=100_000, help="of the read without change")
    parser.add_argument("--skus", type=int, default=250_000, help="of the read with changes")
    parser.add_argument("--sources", type=int, default=3, help="for each of these")
    parser.add_argument("--changed", type=int, default=10, help="of a hundred of them")
    parser.add_argument("--most-mb", type=int, default=300, help="memory that it may take")
    options = parser.parse_args()
    console = Console()
    lines = asyncio.run(_measured(_catalogs(options), console))
    console.print(_table(lines, options.most_mb))
    is_missed = any(line.is_missed or line.rss_mb > options.most_mb for line in lines)
    sys.exit(1 if is_missed else 0)


def _catalogs(options: argparse.Namespace) -> Sequence[Catalog]:
    product: Values = {"name": "Lamp", "status": "1", "price": "12.5", "weight": "1.25"}
    product = {**product, "tax_class": "2", "barcode": "4006381333931"}
    products: Mapping[str, Values] = {"global": product, "view/1": {"name": "Lampe"}}
    stock: Mapping[str, Values] = {
        f"source/{number}": {"free": "5"} for number in range(options.sources)
    }
    count, changed = options.products, options.changed
    many = f"{options.skus:,} SKUs x {options.sources} sources, {changed} % changed"
    return (
        Catalog(
            name=f"{count:,} products, none changed",
            flow="products",
            keys=count,
            scopes=products,
            changed=0,
            field="price",
        ),
        Catalog(
            name=many, flow="stock", keys=options.skus, scopes=stock, changed=changed, field="free"
        ),
    )


async def _measured(catalogs: Sequence[Catalog], console: Console) -> list[Line]:
    with bench_database() as url:
        async with database(url, connections=4) as opened:
            return [await _measure(opened, catalog, console) for catalog in catalogs]


async def _measure(opened: AsyncEngine, catalog: Catalog, console: Console) -> Line:
    await _fill(opened, catalog)
    plans, shelf, entered = MirrorPlans(opened), Shelf(catalog), Entered()
    mirror = Mirror(
        flow=catalog.flow,
        market=_MARKET,
        shop=_SHOP,
        scopes=list(catalog.scopes),
        reader=catalog,
        writer=shelf,
        risks=lambda *_: (),
        adopts=False,
    )
    reads = MirrorReads(
        mirror,
        plans,
        entering=entered,
        interventions=Interventions(opened, JobQueue()),
        clock=SystemClock(),
    )
    began = time.monotonic()
    with Progress(console=console) as progress:
        task = progress.add_task(f"reading {catalog.name}", total=await catalog.expected())

        def told(run: MirrorRun) -> None:
            progress.update(task, completed=run.rows_read)

        await reads.by_hand(by="bench", told=told)
        for run in entered.runs:
            await _write(opened, plans, shelf, run, progress)
    expected = sum(map(catalog.has_changed, range(catalog.keys))) * len(catalog.scopes)
    return Line(
        name=catalog.name,
        expected=expected,
        written=shelf.written,
        wrong=shelf.wrong,
        seconds=time.monotonic() - began,
        rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


async def _write(
    opened: AsyncEngine, plans: MirrorPlans, shelf: Shelf, run: int, progress: Progress
) -> None:
    """Write a run in chunks."""
    async with opened.begin() as connection:
        values = {"flow": f"{shelf.catalog.flow}-bench", "market": _MARKET}
        event = (await connection.execute(text(_EVENT), values)).scalar_one()
    found = await plans.run(run)
    total = found.counts["planned"] if found else 0
    task = progress.add_task(f"writing run {run}", total=total)
    while changes := await plans.take(run, _CHUNK):
        held = await shelf.read(changes)
        await plans.note(run, [Looked(each.row, held.get(each.row)) for each in changes])
        ends = [shelf.take(each) for each in changes]
        await plans.acknowledge(run, ends, event_id=event, fence=1)
        progress.advance(task, len(ends))
    await plans.settle(run)


async def _fill(opened: AsyncEngine, catalog: Catalog) -> None:
    """Have the mirror know the catalog as it was."""
    scopes = {scope: json.dumps(values) for scope, values in catalog.scopes.items()}
    values = {"flow": catalog.flow, "shop": _SHOP, "market": _MARKET, "count": catalog.keys}
    async with opened.begin() as connection:
        await connection.execute(text("SET LOCAL statement_timeout = '15min'"))
        await connection.execute(text(_FILL), {**values, "scopes": json.dumps(scopes)})
    async with opened.connect() as connection:
        outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await outside.execute(text("ANALYZE mirror_row"))


def _table(lines: Sequence[Line], most_mb: int) -> Table:
    table = Table("catalog", "to write", "written", "wrong", "seconds", f"RSS MB (<= {most_mb})")
    for line in lines:
        counts = (f"{count:,}" for count in (line.expected, line.written, line.wrong))
        table.add_row(line.name, *counts, f"{line.seconds:.0f}", f"{line.rss_mb:.0f}")
    return table


if __name__ == "__main__":
    main()
