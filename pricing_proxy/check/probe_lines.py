"""Find the ERP's items for the SKUs whose prices are asked for, as the service would.

A SKU is the ItemNumber of a distinct product or the ProductVariantNumber of a variant; a
master alone cannot be sold.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import TypeVar

from pricing_proxy.check.erp_calls import ErpCalls
from pricing_proxy.check.side_by_side import side_by_side
from pricing_proxy.d365.fo.models import ReleasedProductRow, ReleasedProductVariantRow, Row
from pricing_proxy.d365.fo.price_calls import PriceRequestLine
from pricing_proxy.d365.odata import Filter, equals
from pricing_proxy.names import same_name_key

R = TypeVar("R", bound=Row)

# More than one, so that an amount per line is told from one per unit.
QUANTITY = Decimal(10)
# A condition is some 40 characters long once encoded, and IIS takes 2,048 of query.
_SKUS_PER_QUERY = 20


@dataclass(frozen=True, slots=True)
class ProbeLines:
    """What can be asked for.

    Attributes:
        lines: One for each SKU that exists, its `ref` the SKU.
        missing: SKUs the company does not sell.
    """

    lines: tuple[PriceRequestLine, ...]
    missing: tuple[str, ...]


def first_skus(
    products: Iterable[ReleasedProductRow], variants: Iterable[ReleasedProductVariantRow]
) -> list[str]:
    """Return the SKUs of some rows of the catalog."""
    distinct = [row.ItemNumber for row in products if not row.is_master]
    return [*distinct, *(row.ProductVariantNumber for row in variants if row.ProductVariantNumber)]


async def find_lines(erp: ErpCalls, company: str, skus: Sequence[str]) -> ProbeLines:
    """Return a line for each SKU; raises `UpstreamError`."""
    # A text with a wildcard would find other items, so the service knows no such SKU either.
    wanted = list({same_name_key(sku): sku for sku in skus if "*" not in sku}.values())
    products = await _rows(erp, ReleasedProductRow, company, "ItemNumber", wanted)
    distinct = {same_name_key(row.ItemNumber): row for row in products if not row.is_master}
    rest = [sku for sku in wanted if same_name_key(sku) not in distinct]
    found = await _rows(erp, ReleasedProductVariantRow, company, "ProductVariantNumber", rest)
    variants = {same_name_key(row.ProductVariantNumber): row for row in found}
    numbers = sorted({_master_number(row) for row in found})
    masters = {
        same_name_key(row.ItemNumber): row
        for row in await _rows(erp, ReleasedProductRow, company, "ItemNumber", numbers)
    }
    lines: dict[str, PriceRequestLine] = {}
    for sku in wanted:
        product, variant = distinct.get(same_name_key(sku)), variants.get(same_name_key(sku))
        if product is not None:
            lines[sku] = _product_line(sku, product)
        elif variant is not None and (
            master := masters.get(same_name_key(_master_number(variant)))
        ):
            lines[sku] = _variant_line(sku, variant, master)
    missing = tuple(
        sku for sku in skus if same_name_key(sku) not in {same_name_key(known) for known in lines}
    )
    return ProbeLines(tuple(lines.values()), missing)


async def _rows(
    erp: ErpCalls, row: type[R], company: str, field: str, values: Sequence[str]
) -> list[R]:
    tops = await side_by_side(
        erp.top(row, _any_of(company, field, some), rows=len(some)) for some in _chunks(values)
    )
    return [one for top in tops for one in top.rows]


def _any_of(company: str, field: str, values: Sequence[str]) -> Filter:
    return equals("dataAreaId", company) & reduce(or_, (equals(field, each) for each in values))


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _SKUS_PER_QUERY):
        yield values[start : start + _SKUS_PER_QUERY]


def _product_line(sku: str, row: ReleasedProductRow) -> PriceRequestLine:
    return PriceRequestLine(
        ref=sku, item_number=row.ItemNumber, unit=row.SalesUnitSymbol, quantity=QUANTITY
    )


def _variant_line(
    sku: str, row: ReleasedProductVariantRow, master: ReleasedProductRow
) -> PriceRequestLine:
    return PriceRequestLine(
        ref=sku,
        item_number=master.ItemNumber,
        unit=master.SalesUnitSymbol,
        quantity=QUANTITY,
        color=row.ProductColorId,
        size=row.ProductSizeId,
        style=row.ProductStyleId,
        configuration=row.ProductConfigurationId,
        version=row.ProductVersionId,
    )


def _master_number(row: ReleasedProductVariantRow) -> str:
    return row.ItemNumber or row.ProductMasterNumber
