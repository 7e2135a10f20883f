"""Every field we read or write stands in the metadata of a real environment, with our type."""

import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest

from pricing_proxy.d365.fo.bodies import Body, FieldValue, wire_members
from pricing_proxy.d365.fo.customer_models import (
    AddressBody,
    AddressRow,
    CustomerAccountRow,
    CustomerBody,
)
from pricing_proxy.d365.fo.models import Day, NoYes, Number, Row, Text
from pricing_proxy.d365.fo.order_models import (
    SalesOrderHeaderBody,
    SalesOrderHeaderRow,
    SalesOrderLineBody,
    SalesOrderLineRow,
    SalesOrderTotalsRow,
)
from pricing_proxy.d365.fo.return_models import (
    ReturnHeaderBody,
    ReturnHeaderRow,
    ReturnLineBody,
    ReturnLineRow,
)

METADATA: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "fo_documents_metadata.json").read_text()
)
HEADERS = ("SalesOrderHeadersV3", "SalesOrderHeadersV4")
LINES = ("SalesOrderLinesV3", "SalesOrderLines")
ROWS: list[tuple[type[Row], tuple[str, ...]]] = [
    (SalesOrderHeaderRow, HEADERS),
    (SalesOrderTotalsRow, HEADERS),
    (SalesOrderLineRow, LINES),
    (CustomerAccountRow, ("CustomersV3",)),
    (AddressRow, ("CustomerPostalAddresses",)),
    (ReturnHeaderRow, ("ReturnOrderHeadersV2",)),
    (ReturnLineRow, ("ReturnOrderLinesV2",)),
]
BODIES: list[tuple[type[Body], tuple[str, ...]]] = [
    (SalesOrderHeaderBody, HEADERS),
    (SalesOrderLineBody, LINES),
    (CustomerBody, ("CustomersV3",)),
    (AddressBody, ("CustomerPostalAddresses",)),
    (ReturnHeaderBody, ("ReturnOrderHeadersV2",)),
    (ReturnLineBody, ("ReturnOrderLinesV2",)),
]
READ_AS = {
    "Edm.String": (str, Text),
    "Edm.DateTimeOffset": (Day, Text),
    "Edm.Decimal": (Number,),
    "Edm.Int32": (Number,),
    "Edm.Int64": (Number,),
    "NoYes": (NoYes,),
}
WRITTEN_AS = {
    "Edm.String": str,
    "Edm.DateTimeOffset": date,
    "Edm.Decimal": Decimal,
    "Edm.Int32": int,
    "NoYes": bool,
}


def types_of(entity_set: str) -> dict[str, str]:
    groups = METADATA["entity_sets"][entity_set]["fields"]
    return {field: kind for kind, fields in groups.items() for field in fields}


@pytest.mark.parametrize(("row", "sets"), ROWS)
def test_rows_read_fields_that_exist(row: type[Row], sets: tuple[str, ...]) -> None:
    assert row.entity_set in sets
    for entity_set in sets:
        known = types_of(entity_set)
        assert list(row.key) == METADATA["entity_sets"][entity_set]["key"]
        for name, field in row.model_fields.items():
            kinds = READ_AS.get(known[name], (Text,))
            assert _annotation(row, name) in kinds, (entity_set, name, field)


@pytest.mark.parametrize(("body", "sets"), BODIES)
def test_bodies_write_fields_that_exist(body: type[Body], sets: tuple[str, ...]) -> None:
    for entity_set in sets:
        known = types_of(entity_set)
        for name, field in body.model_fields.items():
            written = WRITTEN_AS.get(known[name], str)
            kinds = get_args(field.annotation) or (field.annotation,)
            assert written in kinds or get_args(kinds[0]), name


def test_values_go_out_in_the_forms_that_the_erp_takes() -> None:
    values: dict[str, FieldValue] = {
        "a": True,
        "b": False,
        "c": date(2026, 2, 3),
        "d": Decimal("1.50"),
        "e": "",
        "f": 7,
        "g": datetime(2026, 2, 3, 23, 30, tzinfo=timezone(timedelta(hours=-1))),
    }
    assert wire_members(values) == {
        "a": "Yes",
        "b": "No",
        "c": "2026-02-03T12:00:00Z",
        "d": Decimal("1.50"),
        "e": "",
        "f": 7,
        "g": "2026-02-04T00:30:00Z",
    }


def _annotation(row: type[Row], name: str) -> Any:
    """Return the annotation as it was written; pydantic takes `Annotated` apart."""
    return next(each.__annotations__[name] for each in row.__mro__ if name in each.__annotations__)
