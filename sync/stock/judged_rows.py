"""Rows of the plan with the lines that matter to them, judged; what follows for sources."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sync.mirror.keys import folded
from sync.mirror.ports import MirrorReader
from sync.stock.judging import Judging
from sync.stock.layout import Layout, Shares, Stock
from sync.stock.line_warehouses import LineWarehouses
from sync.stock.mapping import source_quantity, without_ended_twice
from sync.stock.ports import KeptLines
from sync.stock.presence import LinePresence, OnHandWindow
from sync.stock.source import FREE
from sync.store.mirror_records import MirrorChange
from sync.store.shop_line_records import ShopLine


@dataclass(slots=True)
class JudgedRow:
    """One SKU.

    Attributes:
        key: As the ERP writes it.
        free: By source.
        window: When that was read.
        lines: Those that have anything reserved of it, of all stocks.
        is_in: By a line's id, whether the ERP had it then; one in doubt counts as not there.
        in_doubt: Whether any is.
    """

    key: str
    free: dict[str, Decimal]
    window: OnHandWindow
    lines: list[ShopLine]
    is_in: dict[int, bool]
    in_doubt: bool = False

    @property
    def folded(self) -> str:
        """What all spellings of its key share."""
        return folded(self.key)


class JudgedRows:
    """Makes them, and says what they mean for one stock.

    Args:
        stock: Which.
        layout: All stocks.
        reader: Reads single SKUs once more.
        lines: The lines as they are kept.
        judging: Judges these.
        warehouses: Follows where they are shipped from.
    """

    def __init__(
        self,
        stock: Stock,
        layout: Layout,
        *,
        reader: MirrorReader,
        lines: KeptLines,
        judging: Judging,
        warehouses: LineWarehouses,
    ) -> None:
        self._stock = stock
        self._layout = layout
        self._reader = reader
        self._lines = lines
        self._judging = judging
        self._warehouses = warehouses

    async def of(self, rows: Sequence[MirrorChange], *, can_ask: bool) -> list[JudgedRow]:
        """Return rows, those in doubt read once more where that is allowed."""
        lines = await self._lines.of_skus([folded(row.key) for row in rows])
        found = [self._row(change, lines) for change in rows]
        await self._judge(found)
        again = [row for row in found if row.in_doubt]
        if again and can_ask:
            await self._read_again(again)
            await self._judge(again)
        await self._follow(found)
        return found

    def targets(self, row: JudgedRow) -> Mapping[str, Decimal]:
        """Return what each source must hold of a SKU."""
        return self._targets(row, self._shares(row))

    def bases(self, row: JudgedRow) -> Mapping[str, Decimal]:
        """Return as much of it as orders do not take."""
        shares = self._shares(row)
        targets = self._targets(row, shares)
        return {
            source: targets[source] - shares[source].added_back + shares[source].ended_twice
            for source in targets
        }

    def counted(self, row: JudgedRow, refused: Collection[str] = ()) -> list[ShopLine]:
        """Return the lines of this stock with what of each is inside which source now.

        Args:
            row: Their SKU, which was just written.
            refused: The sources that hold what they held before.
        """
        mine = [line for line in row.lines if self._layout.stock_of(line.store_id) is self._stock]
        found: list[ShopLine] = []
        for line in mine:
            source = self._layout.counted_for(self._stock, line, is_in=row.is_in[line.item_id])
            if source and source not in refused:
                found.append(replace(line, counted=source, inside=line.reserved))
            elif line.counted not in refused:
                found.append(replace(line, counted="", inside=Decimal(0)))
        return found

    def _shares(self, row: JudgedRow) -> Mapping[str, Shares]:
        judged = [(line, row.is_in[line.item_id]) for line in row.lines]
        return self._layout.shares(self._stock, judged)

    def _targets(self, row: JudgedRow, shares: Mapping[str, Shares]) -> Mapping[str, Decimal]:
        free = {
            source: source_quantity(
                free,
                safety_stock=self._stock.safety_stock,
                added_back=Decimal(0),
                elsewhere=shares[source].elsewhere,
            )
            for source, free in row.free.items()
        }
        held = without_ended_twice(free, {source: shares[source].ended_twice for source in free})
        return {source: each + shares[source].added_back for source, each in held.items()}

    def _row(self, change: MirrorChange, lines: Sequence[ShopLine]) -> JudgedRow:
        values = {**(change.known or {}), **change.wanted}
        return JudgedRow(
            key=change.key,
            free={
                source: Decimal(str(values.get(f"{FREE}{source}") or 0))
                for source in self._stock.sources
            },
            window=OnHandWindow(change.began_at, change.ended_at),
            lines=[line for line in lines if line.folded == folded(change.key)],
            is_in={},
        )

    async def _judge(self, rows: Sequence[JudgedRow]) -> None:
        windows = {row.folded: row.window for row in rows}
        lines = [line for row in rows for line in row.lines]
        verdicts = await self._judging.judge(lines, lambda line: windows[line.folded])
        for row in rows:
            mine = {line.item_id: verdicts[line.item_id] for line in row.lines}
            row.is_in = {item: verdict is LinePresence.IN for item, verdict in mine.items()}
            row.in_doubt = LinePresence.DOUBT in mine.values()

    async def _follow(self, rows: Sequence[JudgedRow]) -> None:
        present = {item for row in rows for item, is_in in row.is_in.items() if is_in}
        lines = [line for row in rows for line in row.lines]
        moved = {line.item_id: line for line in await self._warehouses.follow(lines, present)}
        for row in rows:
            row.lines = [moved[line.item_id] for line in row.lines]

    async def _read_again(self, rows: Sequence[JudgedRow]) -> None:
        by_key = {row.folded: row for row in rows}
        async for page in self._reader.pages(keys=[row.key for row in rows]):
            for desired in page.rows:
                row = by_key.get(folded(desired.key))
                if row is not None:
                    row.window = OnHandWindow(page.began_at, page.ended_at)
                    row.free = {
                        source: Decimal(str(desired.values[f"{FREE}{source}"]))
                        for source in self._stock.sources
                    }
