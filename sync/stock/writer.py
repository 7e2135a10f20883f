"""Write what the shop's sources must hold: the plan says what is free, the rest is found out now.

Under the locks of its SKUs a batch takes in what the shop did meanwhile, judges which orders
were in what was read, computes each source and writes those that differ. A SKU of which that is
in doubt is read once more; what stays in doubt counts as not there, and is written again.
Afterwards the shop is looked at once more: whatever was shipped, refunded or cancelled since the
first look has its SKU written again, as an absolute number undoes what happened before it.

SKUs that the shop does not have are left out, since it would take them; so is a source item of
zero that is not there. A source item that the shop refuses is not written, and the others of its
SKU are: the row is refused with what the rest has acknowledged. The same quantity is not sent to
it again but by the row's own event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sync.engine.flow import Work
from sync.magento.source_items import IN_STOCK, SourceQuantity
from sync.magento.stock_models import SourceItem
from sync.magento.stock_ports import LocksOfSkus, ShopSources
from sync.mirror.chunk_events import KEY
from sync.mirror.keys import folded
from sync.mirror.ports import PlannedRow
from sync.stock.judged_rows import JudgedRow, JudgedRows
from sync.stock.layout import Stock
from sync.stock.mapping import plain
from sync.stock.open_orders import OpenOrders
from sync.stock.ports import KeptLines, ShopSkus, Want
from sync.stock.sending import Refused, SourceKey, SourceSending, key_of
from sync.stock.source import FREE
from sync.store.mirror_records import (
    HeldRow,
    MirrorChange,
    RowEnd,
    RowKey,
    RowOutcome,
    Value,
)

BASE = "base/"
"""Stands before the code of a source: what was written to it beside what orders take."""
REFUSED = "refused/"
"""Stands there too: which quantity the shop refused last, and its words; None once it took one."""
_ADVICE = (
    "see what the shop has against this quantity in this source, mend it there or in the ERP; "
    "then replay"
)
# A write in doubt is over after a minute; until then the SKU is judged again and again.
_DOUBT = timedelta(seconds=10)


class StockWriter:
    """A `sync.mirror.ports.MirrorWriter` of one stock.

    Args:
        stock: Which.
        judged: Judges rows of the plan.
        shop: The shop's sources.
        skus: Its SKUs.
        orders: Follows its orders.
        lines: Their lines.
        locks: One at a time for each SKU.
        want: Has SKUs written again.
    """

    def __init__(
        self,
        stock: Stock,
        judged: JudgedRows,
        *,
        shop: ShopSources,
        skus: ShopSkus,
        orders: OpenOrders,
        lines: KeptLines,
        locks: LocksOfSkus,
        want: Want,
    ) -> None:
        self._stock = stock
        self._judged = judged
        self._shop = shop
        self._skus = skus
        self._orders = orders
        self._lines = lines
        self._locks = locks
        self._want = want
        self._sending = SourceSending(shop)

    async def read(self, rows: Sequence[MirrorChange]) -> Mapping[RowKey, HeldRow]:
        """Return what is free by what the shop's sources hold; raises `UpstreamError`.

        Where they hold what was written last, less what orders took since, that is what was known
        then; where somebody changed them, it is what this means. A source that was written to and
        has no row any more holds nothing.
        """
        await self._orders.look()
        judged = await self._judged.of(rows, can_ask=False)
        held = await self._held(judged)
        found: dict[RowKey, HeldRow] = {}
        for change, row in zip(rows, judged, strict=True):
            items = held[row.folded]
            if items or any(name.startswith(BASE) for name in change.known or {}):
                values = {
                    f"{FREE}{source}": self._implied(change, row, source, items)
                    for source in row.free
                }
                found[change.row] = HeldRow(shop_id="", values=values)
        return found

    async def write(self, batch: Sequence[PlannedRow], work: Work) -> Sequence[RowOutcome]:
        """Write one batch; raises `UpstreamError`."""
        async with self._locks.hold([folded(planned.change.key) for planned in batch]):
            await self._orders.look()
            rows = await self._judged.of([planned.change for planned in batch], can_ask=True)
            held = await self._held(rows)
            known = await self._known(rows, held)
            quantities = self._quantities(rows, held, known)
            again = _refused_before(batch, quantities, work)
            asked = [each for each in quantities if key_of(each) not in again]
            refused = {**again, **await self._sending.send(asked, _amounts(held), work)}
            await self._note_counted([row for row in rows if row.folded in known], refused)
            await self._orders.look()
        doubtful = [row.key for row in rows if row.in_doubt]
        if doubtful:
            await self._want(
                self._stock.market,
                doubtful,
                is_forced=True,
                reason="an order's way to the ERP is in doubt",
                after=_DOUBT,
            )
        sent = {each.folded for each in map(key_of, asked) if each not in refused}
        ends = [
            self._outcome(planned.change, row, known, refused, is_sent=row.folded in sent)
            for planned, row in zip(batch, rows, strict=True)
        ]
        return [
            _with_refusals(end, planned.change, row, refused, again)
            for end, planned, row in zip(ends, batch, rows, strict=True)
        ]

    async def _held(self, rows: Sequence[JudgedRow]) -> Mapping[str, Mapping[str, SourceItem]]:
        """Return the source items of each SKU by their sources."""
        found: dict[str, dict[str, SourceItem]] = {row.folded: {} for row in rows}
        keys = [row.key for row in rows]
        for item in await self._shop.source_items(keys, sources=[*self._stock.sources]):
            found.setdefault(folded(item.sku), {})[item.source_code] = item
        return found

    async def _known(
        self, rows: Sequence[JudgedRow], held: Mapping[str, Mapping[str, SourceItem]]
    ) -> Mapping[str, str]:
        """Return the shop's spelling of the SKUs that it has, by what all spellings share."""
        known = {key: next(iter(items.values())).sku for key, items in held.items() if items}
        unseen = [
            row.key
            for row in rows
            if row.folded not in known and any(self._judged.targets(row).values())
        ]
        if unseen:
            known |= {folded(sku): sku for sku in await self._skus.spelled(unseen)}
        return known

    def _quantities(
        self,
        rows: Sequence[JudgedRow],
        held: Mapping[str, Mapping[str, SourceItem]],
        known: Mapping[str, str],
    ) -> list[SourceQuantity]:
        """Return what differs from what the shop has."""
        found: list[SourceQuantity] = []
        for row in rows:
            items, name = held[row.folded], known.get(row.folded)
            if name is None:
                continue
            for source, wanted in self._judged.targets(row).items():
                item = items.get(source)
                is_there = item is not None and item.quantity == wanted and item.status == IN_STOCK
                if not is_there and (item is not None or wanted):
                    found.append(SourceQuantity(name, source, wanted))
        # One order for all writers, so that the shop's database does not let two wait in a ring.
        return sorted(found)

    async def _note_counted(self, rows: Sequence[JudgedRow], refused: Refused) -> None:
        """Note what each line of this stock has inside which source now."""
        fresh = [
            line for row in rows for line in self._judged.counted(row, _sources_of(row, refused))
        ]
        await self._lines.note_counted(fresh)

    def _outcome(
        self,
        change: MirrorChange,
        row: JudgedRow,
        known: Mapping[str, str],
        refused: Refused,
        *,
        is_sent: bool,
    ) -> RowOutcome:
        targets = self._judged.targets(row)
        if known.get(row.folded) is None and any(targets.values()):
            return RowOutcome(
                scope=self._stock.scope,
                key=row.key,
                end=RowEnd.MISSING,
                values={},
                field="sku",
                text="the shop has no product of this SKU",
                advice="create it, or let products do so; it gets its stock with the next read",
            )
        words, bases = _sources_of(row, refused), self._judged.bases(row)
        values: dict[str, Value] = {}
        for source, free in row.free.items():
            mark = f"{REFUSED}{source}"
            if source in words:
                values[mark] = [plain(targets[source]), words[source]]
                continue
            values |= {f"{FREE}{source}": plain(free), f"{BASE}{source}": plain(bases[source])}
            if (change.known or {}).get(mark) is not None:
                values[mark] = None
        end = RowEnd.WRITTEN if is_sent else RowEnd.EQUAL
        return RowOutcome(scope=self._stock.scope, key=row.key, end=end, values=values)

    def _implied(
        self, change: MirrorChange, row: JudgedRow, source: str, items: Mapping[str, SourceItem]
    ) -> str:
        item, name = items.get(source), f"{FREE}{source}"
        quantity = item.quantity if item is not None else Decimal(0)
        wrote = (change.known or {}).get(f"{BASE}{source}")
        inside = sum((line.inside for line in row.lines if line.counted == source), Decimal(0))
        safety = self._stock.safety_stock
        if wrote is None:
            # Never written from here: compared with what would be.
            base = self._judged.bases(row)[source]
            inside = self._judged.targets(row)[source] - base
            known = row.free[source]
        else:
            base, known = Decimal(str(wrote)), Decimal(str((change.known or {})[name]))
        if item is not None and item.status != IN_STOCK and quantity:
            # Whatever it holds, the shop sells nothing of it.
            return plain(known if known <= safety else Decimal(0))
        return plain(known if quantity - inside == base else quantity - inside + safety)


def _refused_before(
    batch: Sequence[PlannedRow], quantities: Sequence[SourceQuantity], work: Work
) -> Refused:
    """Return what the shop refused already; a row that comes by itself is sent once more."""
    if KEY in work.event.payload:
        return {}
    known = {folded(planned.change.key): planned.change.known or {} for planned in batch}
    found: dict[SourceKey, str] = {}
    for each in quantities:
        key = key_of(each)
        match known[key.folded].get(f"{REFUSED}{key.source}"):
            case [quantity, words] if quantity == plain(each.quantity):
                found[key] = words
    return found


def _with_refusals(
    end: RowOutcome, change: MirrorChange, row: JudgedRow, refused: Refused, again: Refused
) -> RowOutcome:
    """Return how a row ends of which the shop refused something; known refusals wait elsewhere."""
    words = {
        source: said
        for source, said in _sources_of(row, refused).items()
        if f"{FREE}{source}" in change.wanted or SourceKey(row.folded, source) not in again
    }
    if not words or end.end is RowEnd.MISSING:
        return end
    return replace(
        end,
        end=RowEnd.REFUSED,
        field=", ".join(f"source {source}" for source in words),
        text="; ".join(f"{source}: {said}" for source, said in words.items()),
        advice=_ADVICE,
    )


def _amounts(held: Mapping[str, Mapping[str, SourceItem]]) -> Mapping[SourceKey, Decimal]:
    return {
        SourceKey(key, source): item.quantity
        for key, items in held.items()
        for source, item in items.items()
    }


def _sources_of(row: JudgedRow, refused: Refused) -> Mapping[str, str]:
    """Return the sources that do not take what a SKU should have there, with the shop's words."""
    return {key.source: words for key, words in refused.items() if key.folded == row.folded}
