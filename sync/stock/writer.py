"""Write what the shop's sources must hold: the plan says what is free, the rest is found out now.

Under the locks of its SKUs a batch takes in what the shop did meanwhile, judges which orders
were in what was read, computes each source and writes those that differ. A SKU of which that is
in doubt is read once more; what stays in doubt counts as not there, and is written again.
Afterwards the shop is looked at once more: whatever was shipped, refunded or cancelled since the
first look has its SKU written again, as an absolute number undoes what happened before it.

SKUs that the shop does not have are left out, since it would take them; so is a source item of
zero that is not there.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial

from pricing_proxy.resilience.errors import UpstreamError
from sync.engine.flow import Work
from sync.engine.writes import written
from sync.magento.source_items import SourceQuantity
from sync.magento.stock_models import SourceItem
from sync.mirror.keys import folded
from sync.mirror.ports import PlannedRow
from sync.stock.judged_rows import JudgedRow, JudgedRows
from sync.stock.layout import Stock
from sync.stock.mapping import plain
from sync.stock.open_orders import OpenOrders
from sync.stock.ports import KeptLines, ShopSkus, ShopSources, StockLocks, Want
from sync.stock.source import FREE
from sync.store.mirror_records import (
    HeldRow,
    MirrorChange,
    RowEnd,
    RowKey,
    RowOutcome,
    Values,
)

BASE = "base/"
"""Stands before the code of a source: what was written to it beside what orders take."""
_SHOP, _WRITE = "magento", "source items"
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
        locks: StockLocks,
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

    async def read(self, rows: Sequence[MirrorChange]) -> Mapping[RowKey, HeldRow]:
        """Return what is free by what the shop's sources hold; raises `UpstreamError`.

        Where they hold what was written last, less what orders took since, that is what was known
        then; where somebody changed them, it is what this means.
        """
        await self._orders.look()
        judged = await self._judged.of(rows, can_ask=False)
        held = await self._held(judged)
        found: dict[RowKey, HeldRow] = {}
        for change, row in zip(rows, judged, strict=True):
            items = held[row.folded]
            if items:
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
            if quantities:
                await self._send(quantities, work)
            await self._note_counted([row for row in rows if row.folded in known])
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
        sent = {folded(each.sku) for each in quantities}
        return [self._outcome(row, known, is_sent=row.folded in sent) for row in rows]

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
                is_there = item is not None and item.quantity == wanted and item.status == 1
                if not is_there and (item is not None or wanted):
                    found.append(SourceQuantity(name, source, wanted))
        # One order for all writers, so that the shop's database does not let two wait in a ring.
        return sorted(found)

    async def _send(self, quantities: Sequence[SourceQuantity], work: Work) -> None:
        sent = {"sourceItems": [[row.sku, row.source, plain(row.quantity)] for row in quantities]}
        send = partial(self._shop.write_source_items, quantities)
        try:
            await written(work, _SHOP, _WRITE, sent, send)
        except UpstreamError:
            # Magento may have stored them and failed afterwards.
            if not await self._arrived(quantities):
                raise

    async def _arrived(self, quantities: Sequence[SourceQuantity]) -> bool:
        skus = {row.sku for row in quantities}
        there = {
            (folded(item.sku), item.source_code): item.quantity
            for item in await self._shop.source_items(skus, sources=[*self._stock.sources])
        }
        return all(there.get((folded(row.sku), row.source)) == row.quantity for row in quantities)

    async def _note_counted(self, rows: Sequence[JudgedRow]) -> None:
        """Note what each line of this stock has inside which source now."""
        fresh = [line for row in rows for line in self._judged.counted(row)]
        await self._lines.note_counted(fresh)

    def _outcome(self, row: JudgedRow, known: Mapping[str, str], *, is_sent: bool) -> RowOutcome:
        name = known.get(row.folded)
        if name is None and any(self._judged.targets(row).values()):
            return RowOutcome(
                scope=self._stock.scope,
                key=row.key,
                end=RowEnd.MISSING,
                values={},
                field="sku",
                text="the shop has no product of this SKU",
                advice="create it, or let products do so; it gets its stock with the next read",
            )
        values: Values = {
            **{f"{FREE}{source}": plain(free) for source, free in row.free.items()},
            **{f"{BASE}{source}": plain(base) for source, base in self._judged.bases(row).items()},
        }
        return RowOutcome(
            scope=self._stock.scope,
            key=row.key,
            end=RowEnd.WRITTEN if is_sent else RowEnd.EQUAL,
            values=values,
        )

    def _implied(
        self, change: MirrorChange, row: JudgedRow, source: str, items: Mapping[str, SourceItem]
    ) -> str:
        item, name = items.get(source), f"{FREE}{source}"
        quantity = item.quantity if item is not None else Decimal(0)
        wrote = (change.known or {}).get(f"{BASE}{source}")
        inside = sum((line.inside for line in row.lines if line.counted == source), Decimal(0))
        if wrote is None:
            # Never written from here: compared with what would be.
            base = self._judged.bases(row)[source]
            inside = self._judged.targets(row)[source] - base
            known = row.free[source]
        else:
            base, known = Decimal(str(wrote)), Decimal(str((change.known or {})[name]))
        return plain(
            known if quantity - inside == base else quantity - inside + self._stock.safety_stock
        )
