"""What the shop's products are in the ERP: by product id to the SKU, by SKU to the item.

A SKU is the ItemNumber of a distinct product or the ProductVariantNumber of a variant, in any
spelling that both systems take for the same (`pricing_proxy.names`); what is sent is the ERP's.
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
from pricing_proxy.names import same_name_key
from pricing_proxy.shared_state.item_map import Item
from sync.magento.product_models import ShopProduct
from sync.orders.selling import Asked, Sellable

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

    async def products_by_id(self, ids: Sequence[int]) -> dict[int, ShopProduct]:
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
        self._known: dict[Asked, tuple[int, Sellable]] = {}

    async def find(self, asked: Collection[Asked]) -> Mapping[Asked, Sellable]:
        """Return what each is; none is missing."""
        now_us = self._clock.monotonic_us()
        found = {
            one: known[1]
            for one in asked
            if (known := self._known.get(one)) and now_us - known[0] < _REMEMBERED_US
        }
        rest = set(asked) - found.keys()
        if not rest:
            return found
        fresh = await self._look_up(rest)
        kept = {one: (now_us, sellable) for one, sellable in fresh.items() if sellable.item}
        if len(self._known) + len(kept) > _MOST_REMEMBERED:
            self._known.clear()
        self._known.update(kept)
        return found | fresh

    async def _look_up(self, asked: Collection[Asked]) -> dict[Asked, Sellable]:
        ids = sorted({one.product_id for one in asked if one.product_id is not None})
        products = await self._shop.products_by_id(ids) if ids else {}
        of_line = {one: products.get(one.product_id or 0) for one in asked}
        numbers = {
            one: one.named or (product.sku if product else one.sku)
            for one, product in of_line.items()
        }
        items = await self._items(numbers.values())
        return {
            one: Sellable(
                item=items.get(same_name_key(numbers[one])),
                shop_sku=product.sku if product else None,
                shop_unit=self._unit(product) if product else "",
            )
            for one, product in of_line.items()
        }

    def _unit(self, product: ShopProduct) -> str:
        if self._unit_attribute is None:
            return ""
        values = (
            attribute.value
            for attribute in product.custom_attributes
            if attribute.attribute_code == self._unit_attribute
        )
        return str(next(values, ""))

    async def _items(self, numbers: Iterable[str]) -> dict[str, Item]:
        """Return the items by what all spellings of their numbers share."""
        # A "*" is a wildcard to F&O and part of no item number.
        spelled = {
            same_name_key(number): number.strip()
            for number in numbers
            if number.strip() and "*" not in number
        }
        products = await self._by(ReleasedProductRow, "ItemNumber", sorted(spelled.values()))
        items = {same_name_key(row.ItemNumber): _item(row) for row in products if not row.is_master}
        others = sorted(number for key, number in spelled.items() if key not in items)
        items |= await self._variants(others)
        stopped = await self._stopped({item.item_number for item in items.values()})
        return {
            key: replace(item, is_sold=False)
            if same_name_key(item.item_number) in stopped
            else item
            for key, item in items.items()
        }

    async def _variants(self, asked: Sequence[str]) -> dict[str, Item]:
        variants = await self._by(ReleasedProductVariantRow, "ProductVariantNumber", asked)
        numbers = {_master_of(row) for row in variants}
        masters = {
            same_name_key(row.ItemNumber): _item(row)
            for row in await self._by(ReleasedProductRow, "ItemNumber", sorted(numbers))
        }
        return {
            same_name_key(row.ProductVariantNumber): _variant(row, master)
            for row in variants
            if (master := masters.get(same_name_key(_master_of(row))))
        }

    async def _stopped(self, numbers: Collection[str]) -> set[str]:
        rows = await self._by(OrderSettingsRow, "ItemNumber", sorted(numbers))
        return {same_name_key(row.ItemNumber) for row in rows if row.IsSalesProcessingStopped}

    async def _by(self, row: type[R], field: str, values: Sequence[str]) -> list[R]:
        found: list[R] = []
        for start in range(0, len(values), _AT_ONCE):
            where = _any_of(field, values[start : start + _AT_ONCE])
            found += await self._erp.rows(row, where, company=self._company)
        return found


def _master_of(row: ReleasedProductVariantRow) -> str:
    return row.ItemNumber or row.ProductMasterNumber


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
