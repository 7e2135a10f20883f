"""Find the items that SKUs name, in any spelling that F&O takes for the same.

For whoever asks for some of the catalog; all of it is read page by page. Raises `UpstreamError`.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from pricing_proxy.d365.fo.catalog import item_of, variant_of
from pricing_proxy.d365.fo.models import ReleasedProductRow, ReleasedProductVariantRow, Row
from pricing_proxy.d365.odata import Filter, is_one_of
from pricing_proxy.names import same_name_key
from pricing_proxy.shared_state.item_map import Item

R = TypeVar("R", bound=Row)

# A condition is some 40 characters long once encoded, and IIS takes 2,048 of query.
AT_ONCE = 20


class Rows(Protocol):
    """The part of an ERP client that reads rows."""

    async def rows(self, row: type[R], where: Filter, *, company: str) -> list[R]:
        """Return all rows that fit."""
        ...


async def find_items(erp: Rows, company: str, skus: Iterable[str]) -> dict[str, Item]:
    """Return the items by what all spellings of their SKUs share; unknown ones are missing."""
    # A "*" is a wildcard to F&O and part of no item number.
    spelled = {same_name_key(sku): sku.strip() for sku in skus if sku.strip() and "*" not in sku}
    products = await rows_by(
        erp, company, ReleasedProductRow, "ItemNumber", sorted(spelled.values())
    )
    items = {same_name_key(row.ItemNumber): item_of(row) for row in products if not row.is_master}
    others = sorted(sku for key, sku in spelled.items() if key not in items)
    variants = await rows_by(
        erp, company, ReleasedProductVariantRow, "ProductVariantNumber", others
    )
    numbers = sorted({row.master_number for row in variants})
    masters = {
        same_name_key(row.ItemNumber): item_of(row)
        for row in await rows_by(erp, company, ReleasedProductRow, "ItemNumber", numbers)
    }
    return items | {
        same_name_key(row.ProductVariantNumber): variant_of(row, master)
        for row in variants
        if (master := masters.get(same_name_key(row.master_number)))
    }


async def rows_by(
    erp: Rows, company: str, row: type[R], field: str, values: Sequence[str]
) -> list[R]:
    """Return the rows in which a field has one of the values."""
    found: list[R] = []
    for start in range(0, len(values), AT_ONCE):
        where = is_one_of(field, values[start : start + AT_ONCE])
        found += await erp.rows(row, where, company=company)
    return found
