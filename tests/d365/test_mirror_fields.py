"""Every field that mirrors read stands in the metadata of a real environment, with our type."""

import json
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.d365.fo.instants import Instant, instant_or_none
from pricing_proxy.d365.fo.mirror_contracts import STOCK_ROWS, read_contracts
from pricing_proxy.d365.fo.models import Day, NoYes, Number, Row, Text
from pricing_proxy.d365.fo.product_models import (
    AttributeValueRow,
    CatalogOrderSettingsRow,
    CatalogProductRow,
    CatalogVariantRow,
    ChangedItemRow,
    NumberedBarcodeRow,
    ProductTranslationRow,
    ProductUnitConversionRow,
    UnitConversionRow,
)
from pricing_proxy.d365.fo.schema_contract import EntityMetadata, FieldMetadata, compare_entity
from pricing_proxy.d365.fo.stock_models import DemandLineRow, OnHandRow, RemainingLineRow
from pricing_proxy.d365.json_numbers import read_json
from tests.d365.sample_files import sample

DATA = Path(__file__).parent.parent / "data"
METADATA: dict[str, Any] = json.loads((DATA / "fo_metadata_excerpt.json").read_text())
DOCUMENTS: dict[str, Any] = json.loads((DATA / "fo_documents_metadata.json").read_text())
ROWS: tuple[type[Row], ...] = (
    *STOCK_ROWS,
    CatalogProductRow,
    CatalogVariantRow,
    ProductTranslationRow,
    CatalogOrderSettingsRow,
    NumberedBarcodeRow,
    AttributeValueRow,
    RemainingLineRow,
    UnitConversionRow,
    ProductUnitConversionRow,
    ChangedItemRow,
)
READ_AS = {
    "Edm.String": (str, Text),
    "Edm.DateTimeOffset": (Day, Instant),
    "Edm.Decimal": (Number,),
    "Edm.Int32": (Number,),
    "Edm.Int64": (Number,),
    "NoYes": (NoYes,),
}


def told_of(row: type[Row]) -> tuple[list[str], dict[str, str]]:
    """Return the key of a set and the types of its fields, as the metadata says."""
    if row.entity_set in METADATA["entity_sets"]:
        told = METADATA["entity_sets"][row.entity_set]
        return told["key"], told["fields"]
    told = DOCUMENTS["entity_sets"][row.entity_set]
    return told["key"], {name: kind for kind, names in told["fields"].items() for name in names}


@pytest.mark.parametrize("row", ROWS)
def test_rows_read_fields_that_exist(row: type[Row]) -> None:
    key, fields = told_of(row)
    assert list(row.key) == key
    for name in row.fields():
        written = next(
            each.__annotations__[name] for each in row.__mro__ if name in each.__annotations__
        )
        assert written in READ_AS.get(fields[name], (Text,)), name


@pytest.mark.parametrize("contract", read_contracts(ROWS), ids=lambda each: each.entity_set)
def test_the_real_metadata_fits_the_contract(contract: Any) -> None:
    row = next(each for each in ROWS if each.entity_set == contract.entity_set)
    key, fields = told_of(row)
    told = {
        name: FieldMetadata(type_name=kind, is_key=name in key) for name, kind in fields.items()
    }
    assert compare_entity(contract, EntityMetadata(fields=told, is_read_only=True)) == []
    measure = next(name for name in contract.types if name not in key)
    del told[measure]
    [gone] = compare_entity(contract, EntityMetadata(fields=told, is_read_only=True))
    assert measure in gone.text


def test_the_sampled_stock_is_read_with_its_digits() -> None:
    [sampled] = read_json(sample("inventory.warehouses-onhand.json"))["value"]
    row = OnHandRow.model_validate({**sampled, "AreWarehouseManagementProcessesUsed": "No"})
    quantities = (row.AvailableOnHandQuantity, row.OnOrderQuantity, row.ReservedOrderedQuantity)
    assert quantities == ("88", "7", "0")
    assert (row.InventorySiteId, row.InventoryWarehouseId) == ("1", "13")


def test_sampled_products_and_lines_are_read() -> None:
    product = read_json(sample("product.released.rows.json"))["value"][0]
    more = {
        "ProductSearchName": "",
        "ProductGroupId": None,
        "SellStartDate": "1900-01-01T12:00:00Z",
        "SellEndDate": "2026-12-31T12:00:00Z",
        "TareProductWeight": product["NetProductWeight"],
    }
    read = CatalogProductRow.model_validate({**product, **more})
    assert (read.NetProductWeight, read.SalesSalesTaxItemGroupCode) == ("1.2", "ALL")
    assert read.SellStartDate is None
    assert read.SellEndDate is not None
    variant = read_json(sample("product.variants.rows.json"))["value"][0]
    blank = dict.fromkeys(CatalogVariantRow.fields(), None)
    assert CatalogVariantRow.model_validate({**blank, **variant}).ProductName == "Case"
    line = read_json(sample("order.lines.list.json"))["value"][1]
    blank = dict.fromkeys(DemandLineRow.fields(), None)
    demand = DemandLineRow.model_validate({**blank, **line})
    assert (demand.ItemNumber, demand.OrderedSalesQuantity) == ("T0020", "1")


def test_an_instant_keeps_its_time_and_never_is_none() -> None:
    instant = instant_or_none("2025-03-10T16:21:10+01:00")
    assert instant is not None
    assert instant.isoformat() == "2025-03-10T15:21:10+00:00"
    assert instant_or_none("1900-01-01T12:00:00Z") is None
    with pytest.raises(ValueError, match="time zone"):
        instant_or_none("2025-03-10T16:21:10")
