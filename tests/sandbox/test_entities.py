"""Every set against the metadata of a real environment: no field that F&O would not know."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.sandbox.catalog import CatalogSize, build_book
from pricing_proxy.sandbox.entities import ENTITY_SETS
from pricing_proxy.sandbox.entity_sets import ENUM_MEMBERS
from pricing_proxy.sandbox.odata_query import ETAG
from pricing_proxy.sandbox.row_values import Row

METADATA: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "fo_metadata_excerpt.json").read_text()
)
BOOK = build_book(CatalogSize(skus=60, customers=30), date(2026, 11, 23))
ROWS: dict[str, list[Row]] = {name: list(s.rows(BOOK)) for name, s in ENTITY_SETS.items()}
# What JSON shows of each EDM type; a bool would be neither.
KINDS = {"Edm.String": str, "Edm.Decimal": Decimal, "Edm.Int32": int, "Edm.Int64": int}


@pytest.mark.parametrize("name", ENTITY_SETS)
def test_set_has_rows_and_the_key_of_the_metadata(name: str) -> None:
    assert ROWS[name]
    assert list(ENTITY_SETS[name].key) == METADATA["entity_sets"][name]["key"]


@pytest.mark.parametrize("name", ENTITY_SETS)
def test_keys_are_unique(name: str) -> None:
    keys = [tuple(row[field] for field in ENTITY_SETS[name].key) for row in ROWS[name]]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", ENTITY_SETS)
def test_every_field_exists_and_has_a_value_of_its_type(name: str) -> None:
    known, enums = METADATA["entity_sets"][name]["fields"], ENTITY_SETS[name].enums
    for row in ROWS[name]:
        assert row.keys() == ROWS[name][0].keys()
        for field, value in row.items():
            if field == ETAG:
                continue
            kind = known[field]
            if kind == "Edm.DateTimeOffset":
                assert datetime.fromisoformat(value).hour == 12
            elif kind in KINDS:
                assert type(value) is KINDS[kind], field
            else:
                assert enums[field] == kind
                assert value in ENUM_MEMBERS[kind]


@pytest.mark.parametrize("enum", sorted(METADATA["enums"].keys() & ENUM_MEMBERS.keys()))
def test_enum_members_are_those_of_the_metadata(enum: str) -> None:
    assert set(ENUM_MEMBERS[enum]) <= set(METADATA["enums"][enum])
