"""What a product is in the ERP is asked once, and again while the ERP does not know it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pricing_proxy.d365.fo.models import (
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
    Row,
)
from pricing_proxy.d365.odata import Filter
from pricing_proxy.money import NumberText
from sync.magento.master_models import Product
from sync.orders.sold_products import SoldProducts
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
            if isinstance(one, row) and f"'{getattr(one, field)}'" in where.text
        ]


class Shop:
    """Products by id."""

    def __init__(self, **skus: int) -> None:
        self.skus = {product_id: sku for sku, product_id in skus.items()}
        self.unit = "piece"

    async def products_by_id(self, ids: Sequence[int]) -> dict[int, Product]:
        attributes = [{"attribute_code": "sales_unit", "value": self.unit}]
        return {
            one: Product.model_validate(
                {"id": one, "sku": self.skus[one], "custom_attributes": attributes}
            )
            for one in ids
            if one in self.skus
        }


def sold(shop: Shop, erp: Erp, clock: ManualClock, *, unit: str | None = None) -> SoldProducts:
    return SoldProducts(shop, erp, company="demf", unit_attribute=unit, clock=clock)


async def test_variants_are_found_by_their_own_numbers_and_masters_are_not_sold() -> None:
    shop, erp = Shop(LAMP=1, CABLE_RED=2, CABLE=3, NOTHING=4), Erp()
    erp.release("LAMP")
    erp.release("CABLE", subtype="ProductMaster")
    erp.vary("CABLE", "CABLE_RED", "Red")

    found = await sold(shop, erp, ManualClock()).find([1, 2, 3, 4, 5])

    assert set(found) == {1, 2}
    assert (found[2].item.item_number, found[2].item.color) == ("CABLE", "Red")
    assert found[2].item.sales_unit == "PCS"


async def test_an_item_stopped_for_sales_is_marked() -> None:
    erp = Erp()
    erp.release("LAMP")
    erp.stop("LAMP")

    found = await sold(Shop(LAMP=1), erp, ManualClock()).find([1])

    assert not found[1].item.is_sold


async def test_what_is_known_is_not_asked_again_until_ten_minutes_later() -> None:
    erp, clock = Erp(), ManualClock()
    erp.release("LAMP")
    products = sold(Shop(LAMP=1), erp, clock)
    await products.find([1])
    asked = len(erp.asked)

    await products.find([1])
    assert len(erp.asked) == asked

    clock.advance(timedelta(minutes=10))
    await products.find([1])
    assert len(erp.asked) == 2 * asked


async def test_an_item_released_meanwhile_is_found_by_the_next_attempt() -> None:
    erp = Erp()
    products = sold(Shop(LAMP=1), erp, ManualClock())
    assert await products.find([1]) == {}

    erp.release("LAMP")

    assert set(await products.find([1])) == {1}


async def test_a_sku_that_would_be_a_wildcard_is_not_asked() -> None:
    erp = Erp()

    assert await sold(Shop(**{"LAMP*": 1}), erp, ManualClock()).find([1]) == {}

    assert erp.asked == []


async def test_the_shops_unit_is_read_where_an_attribute_names_it() -> None:
    erp = Erp()
    erp.release("LAMP")
    shop = Shop(LAMP=1)

    named = await sold(shop, erp, ManualClock(), unit="sales_unit").find([1])
    unnamed = await sold(shop, erp, ManualClock()).find([1])

    assert (named[1].shop_unit, unnamed[1].shop_unit) == ("piece", "")
