"""Find the ERP's items for the SKUs whose prices are asked for, as the service would."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.check.side_by_side import side_by_side
from pricing_proxy.d365.fo.item_search import AT_ONCE, find_items
from pricing_proxy.d365.fo.models import ReleasedProductRow, ReleasedProductVariantRow
from pricing_proxy.d365.fo.price_calls import PriceRequestLine
from pricing_proxy.diagnosis.direct_calls import DirectErp
from pricing_proxy.names import same_name_key

# More than one, so that an amount per line is told from one per unit.
QUANTITY = Decimal(10)


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


async def find_lines(erp: DirectErp, company: str, skus: Sequence[str]) -> ProbeLines:
    """Return a line for each SKU; raises `UpstreamError`."""
    wanted = {same_name_key(sku): sku for sku in skus}
    names = [*wanted.values()]
    parts = [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
    found = await side_by_side(find_items(erp, company, part) for part in parts)
    items = {key: item for part in found for key, item in part.items()}
    return ProbeLines(
        lines=tuple(
            PriceRequestLine.of_item(
                items[key], ref=sku, unit=items[key].sales_unit, quantity=QUANTITY
            )
            for key, sku in wanted.items()
            if key in items
        ),
        missing=tuple(sku for sku in skus if same_name_key(sku) not in items),
    )
