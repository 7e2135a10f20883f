"""What the shop's products are in the ERP: by product id to the SKU, by SKU to the item.

A SKU is the ItemNumber of a distinct product or the ProductVariantNumber of a variant, in any
spelling that both systems take for the same (`pricing_proxy.names`); what is sent is the ERP's.
Answers are remembered for a while, missing ones are asked again each time; so a product
released meanwhile is found by the next attempt. Raises `UpstreamError`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.item_search import Rows, find_items, rows_by
from pricing_proxy.d365.fo.models import OrderSettingsRow
from pricing_proxy.names import same_name_key
from pricing_proxy.shared_state.item_map import Item
from sync.magento.product_models import ShopProduct
from sync.orders.selling import Sellable, SoldThing

# A renamed SKU or another unit is as rare as a deployment; ten minutes of it are harmless,
# since the ERP checks every line and the echo is compared.
_REMEMBERED_US = timedelta(minutes=10) // timedelta(microseconds=1)
# About 100 bytes each; beyond it everything is forgotten at once, which costs one read each.
_MOST_REMEMBERED = 50_000


class Products(Protocol):
    """The part of the shop's client that reads products."""

    async def products_by_id(self, ids: Sequence[int]) -> dict[int, ShopProduct]:
        """Return products by id; deleted ones are missing."""
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
        self._known: dict[SoldThing, tuple[int, Sellable]] = {}

    async def find(self, asked: Collection[SoldThing]) -> Mapping[SoldThing, Sellable]:
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

    async def _look_up(self, asked: Collection[SoldThing]) -> dict[SoldThing, Sellable]:
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
        items = await find_items(self._erp, self._company, numbers)
        known = sorted({item.item_number for item in items.values()})
        rows = await rows_by(self._erp, self._company, OrderSettingsRow, "ItemNumber", known)
        stopped = {same_name_key(row.ItemNumber) for row in rows if row.IsSalesProcessingStopped}
        return {
            key: replace(item, is_sold=same_name_key(item.item_number) not in stopped)
            for key, item in items.items()
        }
