"""Read a market's products from the ERP, page by page: `sync.mirror.ports.MirrorReader`.

First what is released, distinct products and masters, along their item numbers; then the variants,
along theirs. No standard set tells what has changed, so all of it is read again and again, beside
what `changed_items` finds where it can. A page has all rows of its items, and whatever they were
made of was read after the page began.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from datetime import date, datetime

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.mirror_reads import Chunk
from pricing_proxy.d365.fo.product_models import CatalogProductRow, CatalogVariantRow
from pricing_proxy.names import is_same_name, same_name_key
from sync.mirror.ports import MirrorPage
from sync.products.companion_reads import CompanionReads, of_page, of_some
from sync.products.erp_product import ErpProduct
from sync.products.erp_rows import Companions, erp_product, erp_variant
from sync.products.mapped import Born, UnmappedError
from sync.products.mapping import born, map_product
from sync.products.market import ProductMarket
from sync.products.ports import ErpSets
from sync.store.mirror_records import DesiredRow, UnmappedRow

_ITEM, _VARIANT = "ItemNumber", "ProductVariantNumber"
# Where a read goes on: in which set, and after which number.
_ITEMS, _VARIANTS = "items:", "variants:"
# Few enough that what all sets say of them is asked for in a few calls.
_KEYS_AT_ONCE = 200
# Mapping this many takes some ten milliseconds; then whoever carries orders gets a turn.
_ITEMS_AT_ONCE = 200
_NOT_AS_AGREED = f"{CatalogVariantRow.entity_set} has a row of it that is not as agreed"
_ODD_MASTER = f"{CatalogProductRow.entity_set} has a row of its master that is not as agreed"
_NO_MASTER = "its product master is not released"
_ADVICE = "correct the row in the ERP, then replay"


class ProductReader:
    """Reads one market.

    Args:
        erp: Its sets.
        market: The market.
        clock: Time.
        today: Returns the day in the ERP's time zone.
    """

    def __init__(
        self, erp: ErpSets, market: ProductMarket, *, clock: Clock, today: Callable[[], date]
    ) -> None:
        self._erp = erp
        self._market = market
        self._clock = clock
        self._today = today
        self._companions = CompanionReads(erp, market)

    async def expected(self) -> int | None:
        """Return how many rows a whole read brings, about."""
        company = self._market.company
        items = await self._erp.count(CatalogProductRow, company=company)
        variants = await self._erp.count(CatalogVariantRow, company=company)
        # Links are of masters alone.
        scopes = sum(not scope.startswith("links") for scope in self._market.scopes)
        return (items + variants) * scopes

    async def pages(
        self, *, keys: Sequence[str] | None = None, after: str = ""
    ) -> AsyncGenerator[MirrorPage, None]:
        """Yield everything, or what there is of some keys."""
        if keys is not None:
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                began_at = self._clock.utc()
                products, known = await self._named(keys[start : start + _KEYS_AT_ONCE])
                yield await self._page(products, known, after="", began_at=began_at)
            return
        company = self._market.company
        is_among_items = not after.startswith(_VARIANTS)
        if is_among_items:
            done = after.removeprefix(_ITEMS)
            async for items in self._erp.along(
                CatalogProductRow, _ITEM, company=company, after=done
            ):
                products, known = await self._items(items)
                yield await self._page(
                    products, known, after=_ITEMS + items.last, began_at=items.began_at
                )
        done = "" if is_among_items else after.removeprefix(_VARIANTS)
        async for variants in self._erp.along(
            CatalogVariantRow, _VARIANT, company=company, after=done
        ):
            products, known = await self._variants(variants)
            yield await self._page(
                products, known, after=_VARIANTS + variants.last, began_at=variants.began_at
            )

    async def born(self, skus: Sequence[str]) -> Mapping[str, Born]:
        """Return what products are made with; those that cannot be are missing."""
        made: dict[str, Born] = {}
        for start in range(0, len(skus), _KEYS_AT_ONCE):
            products, _ = await self._named(skus[start : start + _KEYS_AT_ONCE])
            for product in products:
                try:
                    today = self._today()
                    made[same_name_key(product.sku)] = born(product, self._market, today=today)
                except UnmappedError:
                    continue  # held with the reason where its rows are mapped
        return {sku: made[key] for sku in skus if (key := same_name_key(sku)) in made}

    async def _page(
        self, products: Sequence[ErpProduct], known: Companions, *, after: str, began_at: datetime
    ) -> MirrorPage:
        rows: list[DesiredRow] = []
        odd: list[UnmappedRow] = []
        told = {same_name_key(product.sku) for product in products}
        for number, product in enumerate(products):
            if number % _ITEMS_AT_ONCE == 0:
                await asyncio.sleep(0)
            mapped = map_product(product, self._market, today=self._today())
            rows += mapped.rows
            if mapped.held is not None:
                odd.append(mapped.held)
        # They are there, so nothing may take them for gone.
        odd += [
            _unreadable(key, text)
            for key, text in known.unread.items()
            if same_name_key(key) not in told
        ]
        return MirrorPage(
            rows=rows, odd=odd, after=after, began_at=began_at, ended_at=self._clock.utc()
        )

    async def _items(self, chunk: Chunk[CatalogProductRow]) -> tuple[list[ErpProduct], Companions]:
        """Return distinct products, and masters where these are shown."""
        numbers = [row.ItemNumber for row in chunk.rows]
        is_range = all(
            is_same_name(row.ProductNumber or row.ItemNumber, row.ItemNumber) for row in chunk.rows
        )
        known = Companions()
        known.add_odd(chunk.unreadable, CatalogProductRow.entity_set, place=1)
        await self._companions.add_orders(known, of_page(numbers))
        shared = [row.ProductNumber or row.ItemNumber for row in chunk.rows]
        await self._companions.add_texts(known, of_page(shared) if is_range else of_some(shared))
        return await self._with_variants(chunk.rows, known), known

    async def _with_variants(
        self, rows: Sequence[CatalogProductRow], known: Companions
    ) -> list[ErpProduct]:
        masters = [row.ItemNumber for row in rows if row.is_master]
        if masters and self._market.has_masters:
            await self._companions.add_variants(known, of_page(masters))
        shown = [row for row in rows if self._market.has_masters or not row.is_master]
        return [erp_product(row, known) for row in shown]

    async def _variants(
        self, chunk: Chunk[CatalogVariantRow]
    ) -> tuple[list[ErpProduct], Companions]:
        known = Companions()
        known.add_odd(chunk.unreadable, CatalogVariantRow.entity_set, place=1)
        numbers = [row.ProductVariantNumber for row in chunk.rows if row.ProductVariantNumber]
        await self._companions.add_texts(known, of_page(numbers))
        return await self._of_masters(chunk.rows, known), known

    async def _of_masters(
        self, rows: Sequence[CatalogVariantRow], known: Companions
    ) -> list[ErpProduct]:
        """Return variants with what their masters say of them."""
        numbers = sorted({row.master_number for row in rows})
        masters: dict[str, CatalogProductRow] = {}
        odd: set[str] = set()
        async for chunk in self._erp.having(
            CatalogProductRow, _ITEM, numbers, company=self._market.company
        ):
            masters |= {same_name_key(row.ItemNumber): row for row in chunk.rows}
            odd |= {same_name_key(each.key[1]) for each in chunk.unreadable}
        await self._companions.add_orders(known, of_some(numbers))
        shared = [row.ProductNumber or row.ItemNumber for row in masters.values()]
        await self._companions.add_texts(known, of_some(shared))
        products: list[ErpProduct] = []
        for row in rows:
            key = same_name_key(row.master_number)
            master = masters.get(key)
            if not row.ProductVariantNumber:
                continue  # nobody can order it
            if master is None:
                told = _ODD_MASTER if key in odd else _NO_MASTER
                known.unread[row.ProductVariantNumber] = told
                continue
            products.append(erp_variant(row, erp_product(master, known), known))
        return products

    async def _named(self, keys: Sequence[str]) -> tuple[list[ErpProduct], Companions]:
        """Return the products among some keys, as they are called in the ERP or the shop."""
        known, company = Companions(), self._market.company
        items: list[CatalogProductRow] = []
        async for found in self._erp.having(CatalogProductRow, _ITEM, keys, company=company):
            items += found.rows
            known.add_odd(found.unreadable, CatalogProductRow.entity_set, place=1)
        numbers = [row.ItemNumber for row in items]
        await self._companions.add_orders(known, of_some(numbers))
        await self._companions.add_texts(
            known, of_some([row.ProductNumber or row.ItemNumber for row in items])
        )
        products = await self._with_variants(items, known)
        variants: list[CatalogVariantRow] = []
        async for chunk in self._erp.having(CatalogVariantRow, _VARIANT, keys, company=company):
            variants += chunk.rows
            # Which of them it is does not stand in its key.
            known.unread |= dict.fromkeys(keys if chunk.unreadable else (), _NOT_AS_AGREED)
        await self._companions.add_texts(
            known, of_some([row.ProductVariantNumber for row in variants])
        )
        return products + await self._of_masters(variants, known), known


def _unreadable(key: str, text: str) -> UnmappedRow:
    return UnmappedRow(key=key, field="", text=text, advice=_ADVICE)
