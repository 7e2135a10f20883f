"""What is known of rows of the shop, in memory: as `sync.store.mirror_known.KnownRows`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sync.store.mirror_known import MirrorRows, RowOfMirror, RowPlace, RunWrote


@dataclass
class FakeKnownRows:
    """Rows, by scope and folded key, and what runs wrote of them, the newest first."""

    rows: dict[RowPlace, RowOfMirror] = field(default_factory=dict)
    runs: dict[RowPlace, list[RunWrote]] = field(default_factory=dict)
    open: dict[RowPlace, int] = field(default_factory=dict)

    async def of(self, rows: MirrorRows, folded: Collection[str]) -> Mapping[RowPlace, RowOfMirror]:
        del rows
        return {place: row for place, row in self.rows.items() if place[1] in folded}

    async def after(self, rows: MirrorRows, last: RowPlace, *, most: int) -> Sequence[RowOfMirror]:
        del rows
        places = sorted(place for place in self.rows if place > last)
        return [self.rows[place] for place in places[:most]]

    async def written(
        self, rows: MirrorRows, folded: Collection[str]
    ) -> Mapping[RowPlace, Sequence[RunWrote]]:
        del rows
        return {place: runs for place, runs in self.runs.items() if place[1] in folded}

    async def waiting(self, rows: MirrorRows, folded: Collection[str]) -> Mapping[RowPlace, int]:
        del rows
        return {place: run for place, run in self.open.items() if place[1] in folded}
