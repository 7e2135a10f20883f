"""What a product is in the ERP is asked once, and again while the ERP does not know it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from pricing_proxy.d365.fo.models import (
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
    Row,
)
from pricing_proxy.d365.odata import Filter
from pricing_proxy.money import NumberText
from sync.magento.product_models import ShopProduct
from sync.orders.selling import SoldThing
from sync.orders.sold_products import SoldProducts
from tests.cases import case
from tests.virtual_time import ManualClock


class Erp:
    """Released products by number, and what is stopped."""

    def __init__(self) -> None:
        self.known: list[Row] = []
        self.asked: list[str] = []

    def release(self, number: str, *, subtype: str = "Product") -> None:
        fields: dict[str, Any] = dict.fromkeys(ReleasedProductRow.fields())
        numbers = {
            name: NumberText("0")
            for name, field in ReleasedProductRow.model_fields.items()
            if field.annotation is NumberText
        }
        dated = {"SalesPriceDate": "1900-01-01T12:00:00Z"}
        known = {"dataAreaId": "demf", "ItemNumber": number, "ProductSubType": subtype}
        unit = {"SalesUnitSymbol": "PCS"}
        row = ReleasedProductRow.model_validate(fields | numbers | dated | known | unit)
        self.known.append(row)

    def vary(self, master: str, number: str, color: str) -> None:
        fields: dict[str, Any] = dict.fromkeys(ReleasedProductVariantRow.fields())
        known = {"dataAreaId": "demf", "ProductMasterNumber": master, "ItemNumber": master}
        variant = {"ProductVariantNumber": number, "ProductColorId": color}
        self.known.append(ReleasedProductVariantRow.model_validate(fields | known | variant))

    def stop(self, number: str) -> None:
        row = {"dataAreaId": "demf", "ItemNumber": number, "IsSalesProcessingStopped": "Yes"}
        self.known.append(OrderSettingsRow.model_validate(row))

    async def rows(self, row: type[Any], where: Filter, *, company: str) -> list[Any]:
        assert company == "demf"
        self.asked.append(f"{row.entity_set}: {where.text}")
        field = "ProductVariantNumber" if row is ReleasedProductVariantRow else "ItemNumber"
        return [
            one
            for one in self.known
            # As F&O compares: letter case does not matter.
            if isinstance(one, row) and f"'{getattr(one, field)}'".lower() in where.text.lower()
        ]


class Shop:
    """Products by id."""

    def __init__(self, **skus: int) -> None:
        self.skus = {product_id: sku for sku, product_id in skus.items()}
        self.unit = "piece"

    async def products_by_id(self, ids: Sequence[int]) -> dict[int, ShopProduct]:
        attributes = [{"attribute_code": "sales_unit", "value": self.unit}]
        return {
            one: ShopProduct.model_validate(
                {"id": one, "sku": self.skus[one], "custom_attributes": attributes}
            )
            for one in ids
            if one in self.skus
        }


def sold(shop: Shop, erp: Erp, clock: ManualClock, *, unit: str | None = None) -> SoldProducts:
    return SoldProducts(shop, erp, company="demf", unit_attribute=unit, clock=clock)


def line(product_id: int | None, sku: str = "", named: str | None = None) -> SoldThing:
    return SoldThing(product_id, sku, named)


async def number_of(products: SoldProducts, asked: SoldThing) -> str | None:
    item = (await products.find([asked]))[asked].item
    return None if item is None else item.item_number


async def test_variants_are_found_by_their_own_numbers_and_masters_are_not_sold() -> None:
    shop, erp = Shop(LAMP=1, CABLE_RED=2, CABLE=3, NOTHING=4), Erp()
    erp.release("LAMP")
    erp.release("CABLE", subtype="ProductMaster")
    erp.vary("CABLE", "CABLE_RED", "Red")

    found = await sold(shop, erp, ManualClock()).find([line(one) for one in (1, 2, 3, 4, 5)])

    items = {asked.product_id: each.item for asked, each in found.items() if each.item}
    assert set(items) == {1, 2}
    assert (items[2].item_number, items[2].color) == ("CABLE", "Red")
    assert items[2].sales_unit == "PCS"


SPELLED = case("orders/sku_case")


@pytest.mark.parametrize("spelling", [SPELLED["product"]["sku"], "LAMP-13 ", "lamp-13"])
async def test_another_spelling_of_the_shop_is_sent_as_the_erp_spells_it(spelling: str) -> None:
    """Both systems take them for one; an order of such a product was held for ever."""
    shop, erp = Shop(**{spelling: 13, "Cable-Red": 14}), Erp()
    erp.release(SPELLED["erp_item"])
    erp.stop("lamp-13")
    erp.release("CABLE", subtype="ProductMaster")
    erp.vary("Cable", "CABLE-RED", "Red")
    products = sold(shop, erp, ManualClock())

    found = await products.find([line(13, spelling), line(14, "Cable-Red")])

    lamp, cable = (found[one].item for one in (line(13, spelling), line(14, "Cable-Red")))
    assert lamp is not None
    assert (lamp.item_number, lamp.is_sold) == ("LAMP-13", False)
    assert cable is not None
    assert (cable.item_number, cable.color) == ("CABLE", "Red")


async def test_a_deleted_product_is_looked_for_by_the_lines_own_sku() -> None:
    erp, gone = Erp(), line(**case("orders/product_deleted")["item"])
    erp.release("LAMP-17")
    products = sold(Shop(), erp, ManualClock())

    found = await products.find([gone, line(None, "LAMP-18")])

    known, unknown = found[gone], found[line(None, "LAMP-18")]
    assert known.item is not None
    assert (known.item.item_number, known.shop_sku) == ("LAMP-17", None)
    assert (unknown.item, unknown.shop_sku) == (None, None)


async def test_the_item_that_a_person_named_is_looked_for_and_the_unit_stays_the_products() -> None:
    erp = Erp()
    erp.release("LAMP-17")
    asked = line(1, "LAMP", "lamp-17")

    found = await sold(Shop(LAMP=1), erp, ManualClock(), unit="sales_unit").find([asked])

    item = found[asked].item
    assert item is not None
    assert (item.item_number, found[asked].shop_unit) == ("LAMP-17", "piece")


async def test_a_product_renamed_since_it_was_asked_is_asked_again() -> None:
    """Ten minutes of the old name would hold every order of the new one."""
    shop, erp = Shop(LAMP=1), Erp()
    erp.release("LAMP")
    erp.release("LAMP-NEW")
    products = sold(shop, erp, ManualClock())
    assert await number_of(products, line(1, "LAMP")) == "LAMP"

    shop.skus[1] = "LAMP-NEW"

    assert await number_of(products, line(1, "LAMP-NEW")) == "LAMP-NEW"


async def test_an_item_stopped_for_sales_is_marked() -> None:
    erp = Erp()
    erp.release("LAMP")
    erp.stop("LAMP")

    found = await sold(Shop(LAMP=1), erp, ManualClock()).find([line(1)])

    item = found[line(1)].item
    assert item is not None
    assert not item.is_sold


async def test_what_is_known_is_not_asked_again_until_ten_minutes_later() -> None:
    erp, clock = Erp(), ManualClock()
    erp.release("LAMP")
    products = sold(Shop(LAMP=1), erp, clock)
    await products.find([line(1)])
    asked = len(erp.asked)

    await products.find([line(1)])
    assert len(erp.asked) == asked

    clock.advance(timedelta(minutes=10))
    await products.find([line(1)])
    assert len(erp.asked) == 2 * asked


async def test_an_item_released_meanwhile_is_found_by_the_next_attempt() -> None:
    erp = Erp()
    products = sold(Shop(LAMP=1), erp, ManualClock())
    assert await number_of(products, line(1)) is None

    erp.release("LAMP")

    assert await number_of(products, line(1)) == "LAMP"


async def test_a_sku_that_would_be_a_wildcard_is_not_asked() -> None:
    erp = Erp()

    products = sold(Shop(**{"LAMP*": 1}), erp, ManualClock())
    assert await number_of(products, line(1)) is None
    assert await number_of(products, line(2, " ")) is None

    assert erp.asked == []


async def test_the_shops_unit_is_read_where_an_attribute_names_it() -> None:
    erp = Erp()
    erp.release("LAMP")
    shop = Shop(LAMP=1)

    named = await sold(shop, erp, ManualClock(), unit="sales_unit").find([line(1)])
    unnamed = await sold(shop, erp, ManualClock()).find([line(1)])

    assert (named[line(1)].shop_unit, unnamed[line(1)].shop_unit) == ("piece", "")
