"""Compare stock: what each source should hold by the ERP with what it holds, and what is salable.

    field             should be                                     is
    source berlin     what the flow would write now                 what the source holds
    salable           what the sources hold, less what of it        what the shop says it sells
                      orders have reserved that the ERP has

So an order that the ERP does not have yet lowers what is salable, and is named for it; what a
source has too much or too little is told once, at the source. What the shop keeps back by its
threshold is no difference; that it counts no stock of a SKU at all is told as its setting.
"""

from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing
from fractions import Fraction

from pricing_proxy.d365.fo.models import ReleasedProductRow
from sync.magento.stock_models import SourceItem
from sync.mirror.keys import folded
from sync.mirror.ports import MirrorPage, MirrorReader
from sync.reconciliation.causes import unit_ratio
from sync.reconciliation.comparing import ComparedPage, Deviation
from sync.reconciliation.mirror_comparison import asked
from sync.stock.evidence import ComparedSku, StockClues, is_unexplained
from sync.stock.judged_rows import JudgedRows
from sync.stock.layout import Layout, Stock
from sync.stock.open_orders import OpenOrders
from sync.stock.ports import ComparedShop, ErpRows
from sync.stock.rules import FLOW
from sync.stock.sending import SourceKey
from sync.stock.source import FREE
from sync.stock.thresholds import Thresholds
from sync.stock.units import Units
from sync.stock.unposted import UnpostedPapers
from sync.store.mirror_known import KnownRows, MirrorRows, RowOfMirror
from sync.store.mirror_records import DesiredRow

_CHUNK = 500


class StockComparison:
    """A `sync.reconciliation.comparing.Comparison` of one stock.

    Args:
        stock: Which.
        layout: All stocks.
        reader: Reads what is free.
        judged: Judges whose orders are in that.
        orders: Follows the shop's orders.
        shop: The shop.
        known: What was written.
        erp: The ERP's products and units.
        company: Whose.
        papers: Finds what the ERP does not know of.
    """

    kind = FLOW

    def __init__(
        self,
        stock: Stock,
        layout: Layout,
        *,
        reader: MirrorReader,
        judged: JudgedRows,
        orders: OpenOrders,
        shop: ComparedShop,
        known: KnownRows,
        erp: ErpRows,
        company: str,
        papers: UnpostedPapers,
    ) -> None:
        self.market = stock.market
        self._stock = stock
        self._evidence = StockClues(stock, layout)
        self._reader = reader
        self._judged = judged
        self._orders = orders
        self._shop = shop
        self._known = known
        self._erp = erp
        self._company = company
        self._papers = papers
        self._rows = MirrorRows(FLOW, shop.url, [stock.scope])

    async def pages(
        self, keys: Collection[str] | None = None
    ) -> AsyncGenerator[ComparedPage, None]:
        """Compare everything, or some SKUs; raises `UpstreamError`."""
        linked = [
            each for each in await self._shop.stocks.links() if each.stock_id == self._stock.id
        ]
        sources = sorted({*self._stock.sources, *(each.source_code for each in linked)})
        thresholds = Thresholds(self._shop.products)
        seen: set[str] = set()
        odd: list[ComparedSku] = []
        reading = self._reader.pages(keys=None if keys is None else [*keys])
        async with aclosing(reading) as pages:
            async for page in pages:
                seen |= {folded(row.key) for row in page.rows}
                # Of one that no row can be made of, an event is held.
                seen |= {folded(each.key) for each in page.odd}
                for start in range(0, len(page.rows), _CHUNK):
                    rows = page.rows[start : start + _CHUNK]
                    skus = await self._read(rows, page, sources)
                    odd += _odd(skus)
                    yield await self._compared(skus, thresholds)
        async with aclosing(self._gone(keys, seen)) as gone:
            async for page in gone:
                skus = await self._read(page.rows, page, sources, is_gone=True)
                odd += _odd(skus)
                yield await self._compared(skus, thresholds)
        # All at once: the shop's papers are looked through only once.
        yield ComparedPage(0, [*await self._of_sources(odd)] if odd else ())

    async def _gone(
        self, keys: Collection[str] | None, seen: Collection[str]
    ) -> AsyncGenerator[MirrorPage, None]:
        """Yield what was written and the ERP has no more, as rows of nothing."""
        last = ("", "")
        while True:
            rows: Sequence[RowOfMirror] = (
                await self._known.after(self._rows, last, most=_CHUNK)
                if keys is None
                else [*(await self._known.of(self._rows, {folded(key) for key in keys})).values()]
            )
            nothing = {f"{FREE}{source}": "0" for source in self._stock.sources}
            gone = [
                DesiredRow(scope=row.scope, key=row.key, values=nothing)
                for row in rows
                if row.folded not in seen
            ]
            if gone:
                at = rows[0].read_at
                yield MirrorPage(rows=gone, odd=(), after="", began_at=at, ended_at=at)
            if not rows or keys is not None:
                return
            last = (rows[-1].scope, rows[-1].folded)

    async def _compared(self, skus: Sequence[ComparedSku], thresholds: Thresholds) -> ComparedPage:
        """Return what can be said of SKUs by themselves."""
        found = [
            self._evidence.of_unknown(sku)
            for sku in skus
            if not sku.is_in_shop and any(sku.targets.values())
        ]
        for sku in skus:
            differs = self._evidence.of_salable(sku, thresholds.usual)
            if differs is not None and is_unexplained(differs):
                differs = self._evidence.of_salable(sku, await thresholds.of(sku.spelled))
            if differs is not None:
                found.append(differs)
        return ComparedPage(len(skus) * (len(self._stock.sources) + 1), found)

    async def _read(
        self,
        rows: Sequence[DesiredRow],
        page: MirrorPage,
        sources: Sequence[str],
        *,
        is_gone: bool = False,
    ) -> list[ComparedSku]:
        known = await self._known.of(self._rows, {folded(row.key) for row in rows})
        # First what the shop did, then what it has: what is shipped in between is seen as missing
        # once, and not again.
        await self._orders.look()
        of = {row.key: known.get((row.scope, folded(row.key))) for row in rows}
        changes = [asked(row, of[row.key], page.began_at, page.ended_at) for row in rows]
        judged = await self._judged.of(changes, can_ask=False)
        items: dict[str, dict[str, SourceItem]] = {}
        keys = [row.key for row in rows]
        for item in await self._shop.source_items.source_items(keys, sources=sources):
            items.setdefault(folded(item.sku), {})[item.source_code] = item
        spelled = [next(iter(each.values())).sku for each in items.values()]
        salable = {
            folded(each.sku): each
            for each in await self._shop.stocks.salable(self._stock.market, spelled)
        }
        # What sources hold of a deleted product stays there.
        there = set(map(folded, await self._shop.products.spelled(keys)))
        return [
            ComparedSku(
                row=row,
                items=items.get(row.folded, {}),
                known=of[row.key],
                targets=self._judged.targets(row),
                salable=salable.get(row.folded),
                is_in_shop=row.folded in there,
                is_gone=is_gone,
            )
            for row in judged
        ]

    async def _of_sources(self, skus: Sequence[ComparedSku]) -> Iterator[Deviation]:
        keys = {sku.row.folded for sku in skus}
        written = await self._known.written(self._rows, keys)
        waiting = await self._known.waiting(self._rows, keys)
        ratios = await self._ratios(skus)
        papers = await self._papers.since(
            {sku.row.folded: sku.known.changed_at for sku in skus if sku.known is not None}
        )
        place = self._stock.scope

        def differences() -> Iterator[Deviation]:
            for sku in skus:
                key = sku.row.folded
                for source in sku.differing:
                    yield Deviation(
                        key=sku.row.key,
                        field=f"source {source}",
                        evidence=self._evidence.evidence(
                            sku,
                            source,
                            ratios.get(key),
                            papers.get(SourceKey(key, source), ()),
                            written.get((place, key), ()),
                        ),
                        run=sku.known.run if sku.known else None,
                        read_at=sku.known.read_at if sku.known else None,
                        waiting=waiting.get((place, key)),
                    )

        return differences()

    async def _ratios(self, skus: Sequence[ComparedSku]) -> Mapping[str, Fraction]:
        """Return the units' ratios of SKUs that have one."""
        units = Units(self._erp, self._company)
        products: dict[str, ReleasedProductRow] = {}
        reading = self._erp.having(
            ReleasedProductRow, "ItemNumber", [sku.row.key for sku in skus], company=self._company
        )
        async for chunk in reading:
            products |= {folded(row.ItemNumber): row for row in chunk.rows}
        found: dict[str, Fraction] = {}
        for sku in skus:
            product = products.get(sku.row.folded)
            conversions = await units.conversions(product) if product else ()
            pairs = [(sku.holds(source), target) for source, target in sku.targets.items()]
            if ratio := unit_ratio(pairs, conversions):
                found[sku.row.folded] = ratio
        return found


def _odd(skus: Sequence[ComparedSku]) -> Iterator[ComparedSku]:
    """Yield the SKUs of which a source holds something else than it should."""
    return (sku for sku in skus if sku.differing and sku.is_in_shop)
