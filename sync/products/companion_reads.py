"""Read what further sets of the ERP say of the items of one page.

Along a range where a page is one, as both sets are sorted alike; else number by number. Only the
sets are read from which a field of the market comes.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pricing_proxy.d365.fo.mirror_reads import Chunk
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.product_models import (
    AttributeValueRow,
    CatalogOrderSettingsRow,
    CatalogVariantRow,
    NumberedBarcodeRow,
    ProductTranslationRow,
)
from sync.products.erp_rows import Companions
from sync.products.market import ProductMarket
from sync.products.ports import ErpSets

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which items are meant.

    Attributes:
        values: Their numbers; in the ERP's order where they are a range.
        is_range: Whether what lies between the first and the last may be read as well.
    """

    values: Sequence[str]
    is_range: bool


def of_page(values: Sequence[str]) -> Numbers:
    """Return numbers as a page of the ERP has them."""
    return Numbers(values, is_range=True)


def of_some(values: Sequence[str]) -> Numbers:
    """Return numbers that are in no order."""
    return Numbers(values, is_range=False)


class CompanionReads:
    """Reads for one market.

    Args:
        erp: Its sets.
        market: The market.
    """

    def __init__(self, erp: ErpSets, market: ProductMarket) -> None:
        self._erp = erp
        self._market = market

    async def add_orders(self, known: Companions, items: Numbers) -> None:
        """Add how items are ordered, and whether they are blocked."""
        async for chunk in self._chunks(CatalogOrderSettingsRow, "ItemNumber", items):
            known.add_settings(chunk.rows)
            known.add_odd(
                chunk.unreadable, CatalogOrderSettingsRow.entity_set, place=1, part="orders"
            )

    async def add_texts(self, known: Companions, numbers: Numbers) -> None:
        """Add names, attributes and barcodes by product numbers."""
        rules, owned = self._market.rules, self._market.owned
        async for names in self._chunks(ProductTranslationRow, "ProductNumber", numbers):
            known.add_names(names.rows)
            known.add_odd(names.unreadable, ProductTranslationRow.entity_set, place=0, part="names")
        if "attributes" in owned and rules.attributes:
            async for values in self._chunks(AttributeValueRow, "ProductNumber", numbers):
                known.add_attributes(values.rows, rules.attributes.values())
                known.add_odd(
                    values.unreadable, AttributeValueRow.entity_set, place=0, part="attributes"
                )
        if "barcode" in owned:
            async for barcodes in self._chunks(NumberedBarcodeRow, "ProductNumber", numbers):
                known.add_barcodes(barcodes.rows, rules.barcode_setup)
                known.add_odd(
                    barcodes.unreadable, NumberedBarcodeRow.entity_set, place=1, part="barcode"
                )

    async def add_variants(self, known: Companions, masters: Numbers) -> None:
        """Add the variants of masters."""
        async for chunk in self._chunks(CatalogVariantRow, "ProductMasterNumber", masters):
            known.add_variants(chunk.rows)
            known.add_odd(chunk.unreadable, CatalogVariantRow.entity_set, place=1, part="variants")

    async def _chunks(
        self, row: type[R], field: str, numbers: Numbers
    ) -> AsyncGenerator[Chunk[R], None]:
        company, values = self._market.company, numbers.values
        if not values:
            return
        if numbers.is_range:
            yield await self._erp.between(row, field, values[0], values[-1], company=company)
            return
        async for chunk in self._erp.having(row, field, values, company=company):
            yield chunk
