"""Read what is free of each SKU from the ERP: on hand by warehouse, in the unit that is sold.

All rows of an item come together, so a source whose warehouses have none of it holds none of it.
A SKU that no warehouse of the stock ever held has no row at all, and is not told of here.

The reads that count are those of on-hand: their window says which orders were in what was read.
Units and variants change too seldom to matter for it.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import TypeVar

from pricing_proxy.d365.fo.mirror_reads import Chunk
from pricing_proxy.d365.fo.models import ReleasedProductRow, ReleasedProductVariantRow, Row
from pricing_proxy.d365.fo.stock_models import OnHandRow
from pricing_proxy.names import same_name_key
from sync.mirror.ports import MirrorPage
from sync.stock.layout import Stock
from sync.stock.mapping import Term, in_sales_units, measured, plain
from sync.stock.ports import ErpRows, ErpStock
from sync.stock.units import Units
from sync.store.mirror_records import DesiredRow, UnmappedRow

R = TypeVar("R", bound=Row)

_ITEM = "ItemNumber"
FREE = "free/"
"""Stands before the code of a source, in the names of the mirror's fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """What on-hand rows of one item number need to become SKUs."""

    product: ReleasedProductRow
    ratio: Fraction | None
    variants: Mapping[tuple[str, ...], str]


class OnHand:
    """A `sync.mirror.ports.MirrorReader` of one stock.

    Args:
        on_hand: What the ERP has on hand.
        erp: The rest of its rows.
        company: Whose.
        stock: What is filled.
        measure: What counts as free.
        decimals: That quantities have in the shop.
    """

    def __init__(
        self,
        on_hand: ErpStock,
        erp: ErpRows,
        *,
        company: str,
        stock: Stock,
        measure: Sequence[Term],
        decimals: int,
    ) -> None:
        self._on_hand = on_hand
        self._erp = erp
        self._company = company
        self._stock = stock
        self._measure = tuple(measure)
        self._decimals = decimals

    async def expected(self) -> int | None:
        """Return None: the ERP counts rows, one for each warehouse that ever held an item."""
        return None

    async def pages(
        self, *, keys: Sequence[str] | None = None, after: str = ""
    ) -> AsyncGenerator[MirrorPage, None]:
        """Yield what is free, all sources of a SKU in one row; raises `UpstreamError`."""
        units = Units(self._erp, self._company)
        wanted = None if keys is None else {same_name_key(key) for key in keys}
        warehouses = list(chain.from_iterable(self._stock.sources.values()))
        chunks = (
            self._on_hand.on_hand(self._company, warehouses, after=after)
            if keys is None
            else self._on_hand.on_hand_of(self._company, await self._item_numbers(keys), warehouses)
        )
        async with aclosing(chunks):
            async for chunk in chunks:
                items = await self._items(chunk, units, is_whole=keys is None)
                yield self._page(chunk, items, wanted)

    async def _item_numbers(self, keys: Sequence[str]) -> list[str]:
        """Return the items whose on-hand rows SKUs are found in."""
        products = await self._rows_of(ReleasedProductRow, _ITEM, keys)
        found = {same_name_key(row.ItemNumber): row.ItemNumber for row in products}
        others = [key for key in keys if same_name_key(key) not in found]
        variants = await self._rows_of(ReleasedProductVariantRow, "ProductVariantNumber", others)
        numbers = {row.ItemNumber for row in products if not row.is_master}
        return sorted(numbers | {row.master_number for row in variants})

    async def _items(
        self, chunk: Chunk[OnHandRow], units: Units, *, is_whole: bool
    ) -> Mapping[str, _Item]:
        # In the ERP's own order, by which the first and the last of them bound the rest.
        numbers = list(dict.fromkeys(row.ItemNumber for row in chunk.rows))
        if not numbers:
            return {}
        masters = list(dict.fromkeys(row.ItemNumber for row in chunk.rows if any(_dimensions(row))))
        if is_whole:
            products = await self._between(ReleasedProductRow, _ITEM, numbers)
            variants = await self._between(
                ReleasedProductVariantRow, "ProductMasterNumber", masters
            )
        else:
            products = await self._rows_of(ReleasedProductRow, _ITEM, numbers)
            variants = await self._rows_of(
                ReleasedProductVariantRow, "ProductMasterNumber", masters
            )
        by_master: dict[str, dict[tuple[str, ...], str]] = {}
        for variant in variants:
            of_master = by_master.setdefault(same_name_key(variant.master_number), {})
            of_master[_dimensions(variant)] = variant.ProductVariantNumber
        return {
            same_name_key(product.ItemNumber): _Item(
                product=product,
                ratio=await units.ratio(product),
                variants=by_master.get(same_name_key(product.ItemNumber), {}),
            )
            for product in products
        }

    async def _rows_of(self, row: type[R], field: str, values: Sequence[str]) -> list[R]:
        chunks = self._erp.having(row, field, values, company=self._company)
        return [each async for chunk in chunks for each in chunk.rows]

    async def _between(self, row: type[R], field: str, values: Sequence[str]) -> list[R]:
        if not values:
            return []
        chunk = await self._erp.between(row, field, values[0], values[-1], company=self._company)
        return chunk.rows

    def _page(
        self, chunk: Chunk[OnHandRow], items: Mapping[str, _Item], wanted: set[str] | None
    ) -> MirrorPage:
        by_sku: dict[str, list[OnHandRow]] = {}
        ratios: dict[str, Fraction] = {}
        odd = [
            UnmappedRow(
                key=row.key[1],
                field=", ".join(row.fields),
                text="cannot be read",
                advice="correct the row in the ERP",
            )
            for row in chunk.unreadable
        ]
        for row in chunk.rows:
            item = items.get(same_name_key(row.ItemNumber))
            found = _unmapped(row, item) or _sku(row, item)
            if isinstance(found, UnmappedRow):
                odd.append(found)
            elif item is not None and item.ratio is not None:
                by_sku.setdefault(found, []).append(row)
                ratios[found] = item.ratio
        broken = {each.key for each in odd}
        rows = [
            self._desired(sku, found, ratios[sku])
            for sku, found in by_sku.items()
            if (wanted is None or same_name_key(sku) in wanted) and sku not in broken
        ]
        kept = odd if wanted is None else [e for e in odd if same_name_key(e.key) in wanted]
        return MirrorPage(
            rows=rows,
            odd=_once(kept),
            after=chunk.last,
            began_at=chunk.began_at,
            ended_at=chunk.ended_at,
        )

    def _desired(self, sku: str, rows: Sequence[OnHandRow], ratio: Fraction) -> DesiredRow:
        totals = dict.fromkeys(self._stock.sources, Decimal(0))
        for row in rows:
            source = self._stock.source_of(row.InventoryWarehouseId)
            if source is not None:
                totals[source] += measured(_quantities(row, self._measure), self._measure)
        return DesiredRow(
            scope=self._stock.scope,
            key=sku,
            values={
                f"{FREE}{source}": plain(in_sales_units(total, ratio, decimals=self._decimals))
                for source, total in totals.items()
            },
        )


def _quantities(row: OnHandRow, measure: Iterable[Term]) -> Mapping[str, Decimal]:
    return {name: getattr(row, name).value for name in (term.removeprefix("-") for term in measure)}


def _dimensions(row: OnHandRow | ReleasedProductVariantRow) -> tuple[str, ...]:
    return tuple(
        same_name_key(each)
        for each in (
            row.ProductColorId,
            row.ProductConfigurationId,
            row.ProductSizeId,
            row.ProductStyleId,
            row.ProductVersionId,
        )
    )


def _sku(row: OnHandRow, item: _Item | None) -> str | UnmappedRow:
    if item is None or not any(_dimensions(row)):
        return row.ItemNumber
    number = item.variants.get(_dimensions(row))
    if number:
        return number
    return UnmappedRow(
        key=row.ItemNumber,
        field="ProductVariantNumber",
        text=f"{row.ItemNumber} has stock of a variant without a number: "
        + "/".join(filter(None, _dimensions(row))),
        advice="give the variant a number in the ERP, or release it to the company",
    )


def _unmapped(row: OnHandRow, item: _Item | None) -> UnmappedRow | None:
    if item is None:
        return UnmappedRow(
            key=row.ItemNumber,
            field=_ITEM,
            text=f"{row.ItemNumber} has stock and is not released to the company",
            advice="release it in the ERP",
        )
    if item.ratio is None:
        sold, held = item.product.SalesUnitSymbol, item.product.InventoryUnitSymbol
        return UnmappedRow(
            key=row.ItemNumber,
            field="SalesUnitSymbol",
            text=f"nothing says how many {sold or 'units'} one {held or 'unit'} is",
            advice=f"add the unit conversion from {held} to {sold} in the ERP",
        )
    return None


def _once(odd: Sequence[UnmappedRow]) -> list[UnmappedRow]:
    return list({each.key: each for each in odd}.values())
