"""All of the catalog is read page by page, from where a read was left, and some of it by key."""

from typing import Any

import pytest

from sync.mirror.ports import MirrorPage
from sync.products.source import ProductReader
from sync.store.mirror_records import RowKey, Values
from tests.fakes.product_erp import AT, FakeErpSets
from tests.products.test_mapping import TODAY, market
from tests.virtual_time import ManualClock

RULES: dict[str, Any] = {"units": {"PCS": "piece", "BOX": "box"}}


def catalog() -> FakeErpSets:
    """Return some products, a master with variants, and what is said of them."""
    erp = FakeErpSets()
    for number in range(1, 8):
        erp.product(f"LAMP-{number}")
    erp.settings("LAMP-2", IsSalesProcessingStopped="Yes")
    erp.name("LAMP-1", "de", "Lampe 1")
    erp.product("SHADE", ProductSubType="ProductMaster", SalesPrice=50, SalesPriceQuantity=10)
    erp.variant("SHADE", "SHADE-RED", ProductColorId="Red", ProductName="Red shade")
    erp.variant("SHADE", "SHADE-BLUE", ProductColorId="Blue", ProductName="Blue shade")
    erp.name("SHADE-RED", "en-us", "Shade, red")
    erp.add("ProductNumberIdentifiedBarcodes", ProductNumber="SHADE-RED", Barcode="42")
    erp.add(
        "ProductAttributeValuesV3",
        ProductNumber="SHADE",
        AttributeTypeName="Text",
        AttributeName="Brand",
        DataType="Text",
        TextValue="Acme",
        DateTimeValue="1900-01-01T12:00:00Z",
        **dict.fromkeys(("IntegerValue", "DecimalValue", "CurrencyValue"), 0),
    )
    return erp


def reader(erp: FakeErpSets, **rules: Any) -> ProductReader:
    of = market(**{**RULES, **rules})
    return ProductReader(erp, of, clock=ManualClock(), today=lambda: TODAY)


async def pages(of: ProductReader, **asked: Any) -> list[MirrorPage]:
    return [page async for page in of.pages(**asked)]


def by_row(found: list[MirrorPage]) -> dict[RowKey, Values]:
    return {row.row: row.values for page in found for row in page.rows}


async def test_everything_is_read_once_with_all_that_is_said_of_it() -> None:
    found = by_row(await pages(reader(catalog())))
    skus = {row.key for row in found if row.scope == "global"}
    assert skus == {f"LAMP-{n}" for n in range(1, 8)} | {"SHADE", "SHADE-RED", "SHADE-BLUE"}
    assert found[RowKey("website/1", "LAMP-2")] == {"blocked": "1"}
    assert found[RowKey("website/1", "LAMP-3")] == {"blocked": "0"}
    assert found[RowKey("view/3", "LAMP-1")] == {"name": "Lampe 1"}
    assert found[RowKey("links", "SHADE")] == {
        "axes": ["color"],
        "variants": ["SHADE-BLUE", "SHADE-RED"],
    }
    red = found[RowKey("global", "SHADE-RED")]
    assert (red["price"], red["color"], red["brand"], red["ean"]) == ("5", "Red", "Acme", "42")
    assert found[RowKey("view/1", "SHADE-RED")] == {"name": "Shade, red"}


async def test_a_read_goes_on_where_it_was_left() -> None:
    whole = await pages(reader(catalog()))
    for number, page in enumerate(whole):
        rest = await pages(reader(catalog()), after=page.after)
        assert by_row(rest) == by_row(whole[number + 1 :])
    assert {page.began_at for page in whole} == {AT}


async def test_keys_bring_what_the_whole_read_brings() -> None:
    erp = catalog()
    whole = by_row(await pages(reader(erp)))
    for key in ("LAMP-1", "SHADE", "SHADE-RED", "shade-blue"):
        found = by_row(await pages(reader(erp), keys=[key]))
        wanted = {row: values for row, values in whole.items() if row.key.casefold() == key.lower()}
        assert found == wanted
    assert by_row(await pages(reader(erp), keys=["NOPE"])) == {}


async def test_unmapped_items_are_told_and_the_others_go_on() -> None:
    erp = catalog()
    erp.sets["ReleasedProductsV2"][2]["SalesUnitSymbol"] = "CRATE"
    found = await pages(reader(erp))
    (odd,) = [odd for page in found for odd in page.odd]
    assert (odd.key, odd.field) == ("LAMP-3", "SalesUnitSymbol")
    assert len({row.key for row in by_row(found)}) == 10
    assert "price" not in by_row(found)[RowKey("global", "LAMP-3")]


async def test_an_item_whose_own_row_cannot_be_read_is_held_and_not_missing() -> None:
    erp = catalog()
    erp.sets["ReleasedProductsV2"][0]["SalesPriceQuantity"] = {"odd": True}
    for asked in ({}, {"keys": ["LAMP-1"]}):
        found = await pages(reader(erp), **asked)
        [odd] = [odd for page in found for odd in page.odd]
        assert (odd.key, odd.is_part) == ("LAMP-1", False)
        assert "LAMP-1" not in {row.key for row in by_row(found)}


@pytest.mark.parametrize(
    ("entity_set", "field", "sku", "gone"),
    [
        ("ProductDefaultOrderSettings", "IsSalesProcessingStopped", "LAMP-2", {"blocked"}),
        ("ProductTranslations", "LanguageId", "LAMP-1", {"name"}),
        ("ProductAttributeValuesV3", "DataType", "SHADE", {"brand"}),
    ],
)
async def test_what_cannot_be_read_of_an_item_holds_the_fields_that_come_from_it(
    entity_set: str, field: str, sku: str, gone: set[str]
) -> None:
    whole = fields_of(await pages(reader(catalog())), sku)
    erp = catalog()
    erp.sets[entity_set][0][field] = {"odd": True}
    for asked in ({}, {"keys": [sku]}):
        found = await pages(reader(erp), **asked)
        odd = {odd.key: odd for page in found for odd in page.odd}
        assert (odd[sku].is_part, entity_set in odd[sku].text) == (True, True)
        assert fields_of(found, sku) == whole - gone


def fields_of(found: list[MirrorPage], sku: str) -> set[str]:
    return {name for row, values in by_row(found).items() if row.key == sku for name in values}


async def test_a_variant_without_its_master_is_held() -> None:
    erp = catalog()
    erp.variant("GONE", "GONE-RED", ProductColorId="Red")
    odd = [odd for page in await pages(reader(erp)) for odd in page.odd]
    assert [(each.key, each.text) for each in odd] == [
        ("GONE-RED", "its product master is not released")
    ]


async def test_sets_from_which_no_field_comes_are_not_read() -> None:
    erp = catalog()
    rules: dict[str, Any] = {"barcode_attribute": None, "attributes": {}, "dimensions": {}}
    found = by_row(await pages(reader(erp, **rules)))
    assert {"ProductNumberIdentifiedBarcodes", "ProductAttributeValuesV3"}.isdisjoint(erp.read)
    assert found[RowKey("global", "SHADE-RED")]["type"] == "simple"


async def test_names_of_products_that_are_made_come_from_the_erp() -> None:
    born = await reader(catalog()).born(["LAMP-1", "SHADE-BLUE", "SHADE", "NOPE"])
    assert born == {
        "LAMP-1": ("Name of LAMP-1", "10", False),
        "SHADE-BLUE": ("Name of SHADE", "5", True),
        "SHADE": ("Name of SHADE", None, False),
    }


async def test_progress_counts_rows() -> None:
    assert await reader(catalog()).expected() == (8 + 2) * 4
