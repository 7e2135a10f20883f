"""What the shop's products are in the ERP: by product id to the SKU, by SKU to the item.

A SKU is the ItemNumber of a distinct product or the ProductVariantNumber of a variant.
Answers are remembered for a while, missing ones are asked again each time; so a product
released meanwhile is found by the next attempt. Raises `UpstreamError`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import Protocol, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.models import (
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
    Row,
)
from pricing_proxy.d365.odata import Filter, equals
from pricing_proxy.shared_state.item_map import Item
from sync.magento.master_models import Product
from sync.orders.selling import Sellable

R = TypeVar("R", bound=Row)

# A renamed SKU or another unit is as rare as a deployment; ten minutes of it are harmless,
# since the ERP checks every line and the echo is compared.
_REMEMBERED_US = timedelta(minutes=10) // timedelta(microseconds=1)
# About 100 bytes each; beyond it everything is forgotten at once, which costs one read each.
_MOST_REMEMBERED = 50_000
# A filter of so many SKUs stays below the 8 kB that servers take of a request line.
_AT_ONCE = 20


class Products(Protocol):
    """The part of the shop's client that reads products."""

    async def products_by_id(self, ids: Sequence[int]) -> dict[int, Product]:
        """Return products by id; deleted ones are missing."""
        ...


class Rows(Protocol):
    """The part of the ERP's client that reads rows."""

    async def rows(self, row: type[R], where: Filter, *, company: str) -> list[R]:
        """Return all rows that fit."""
        ...


class SoldProducts:
    """Finds the items of one market.

    Args:
        shop: Reads the shop's products.
        erp: Reads the ERP's.
        company: The market's.
        unit_attribute: The shop's attribute that names a product's unit; None where none does.
        clock: Time.
    """

    def __init__(
        self,
        shop: Products,
        erp: Rows,
        *,
        company: str,
        unit_attribute: str | None,
        clock: Clock,
    ) -> None:
        self._shop = shop
        self._erp = erp
        self._company = company
        self._unit_attribute = unit_attribute
        self._clock = clock
        self._known: dict[int, tuple[int, Sellable]] = {}

    async def find(self, product_ids: Collection[int]) -> Mapping[int, Sellable]:
        """Return what is sold under these ids; those without an item are missing."""
        now_us = self._clock.monotonic_us()
        found = {
            product_id: known[1]
            for product_id in product_ids
            if (known := self._known.get(product_id)) and now_us - known[0] < _REMEMBERED_US
        }
        asked = sorted(set(product_ids) - found.keys())
        if not asked:
            return found
        products = await self._shop.products_by_id(asked)
        items = await self._items({product.sku for product in products.values()})
        fresh = {
            product_id: Sellable(items[product.sku], self._unit(product))
            for product_id, product in products.items()
            if product.sku in items
        }
        if len(self._known) + len(fresh) > _MOST_REMEMBERED:
            self._known.clear()
        self._known.update({one: (now_us, sellable) for one, sellable in fresh.items()})
        return found | fresh

    def _unit(self, product: Product) -> str:
        if self._unit_attribute is None:
            return ""
        values = (
            attribute.value
            for attribute in product.custom_attributes
            if attribute.attribute_code == self._unit_attribute
        )
        return str(next(values, ""))

    async def _items(self, skus: Collection[str]) -> dict[str, Item]:
        # A "*" is a wildcard to F&O and part of no item number.
        asked = sorted(sku for sku in skus if "*" not in sku)
        products = await self._by(ReleasedProductRow, "ItemNumber", asked)
        items = {row.ItemNumber: _item(row) for row in products if not row.is_master}
        variants = await self._variants([sku for sku in asked if sku not in items])
        items |= variants
        stopped = await self._stopped({item.item_number for item in items.values()})
        return {
            sku: replace(item, is_sold=False) if item.item_number in stopped else item
            for sku, item in items.items()
        }

    async def _variants(self, skus: Sequence[str]) -> dict[str, Item]:
        variants = await self._by(ReleasedProductVariantRow, "ProductVariantNumber", skus)
        numbers = {row.ItemNumber or row.ProductMasterNumber for row in variants}
        masters = {
            row.ItemNumber: _item(row)
            for row in await self._by(ReleasedProductRow, "ItemNumber", sorted(numbers))
        }
        return {
            row.ProductVariantNumber: _variant(row, master)
            for row in variants
            if (master := masters.get(row.ItemNumber or row.ProductMasterNumber))
        }

    async def _stopped(self, numbers: Collection[str]) -> set[str]:
        rows = await self._by(OrderSettingsRow, "ItemNumber", sorted(numbers))
        return {row.ItemNumber for row in rows if row.IsSalesProcessingStopped}

    async def _by(self, row: type[R], field: str, values: Sequence[str]) -> list[R]:
        found: list[R] = []
        for start in range(0, len(values), _AT_ONCE):
            where = _any_of(field, values[start : start + _AT_ONCE])
            found += await self._erp.rows(row, where, company=self._company)
        return found


def _any_of(field: str, values: Iterable[str]) -> Filter:
    return reduce(or_, (equals(field, value) for value in values))


def _item(row: ReleasedProductRow) -> Item:
    return Item(
        sku=row.ItemNumber,
        item_number=row.ItemNumber,
        color="",
        size="",
        style="",
        configuration="",
        version="",
        sales_unit=row.SalesUnitSymbol,
        list_price=None,
        is_sold=True,
    )


def _variant(row: ReleasedProductVariantRow, master: Item) -> Item:
    return Item(
        sku=row.ProductVariantNumber,
        item_number=master.item_number,
        color=row.ProductColorId,
        size=row.ProductSizeId,
        style=row.ProductStyleId,
        configuration=row.ProductConfigurationId,
        version=row.ProductVersionId,
        sales_unit=master.sales_unit,
        list_price=None,
        is_sold=True,
    )
