"""What counts as a change of the ERP's schema, and what the document flows rely on."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.d365.fo.document_contracts import (
    USED_MEMBERS,
    customer_contracts,
    order_contracts,
    return_contracts,
)
from pricing_proxy.d365.fo.metadata import MetadataReader
from pricing_proxy.d365.fo.schema_contract import (
    Change,
    EntityContract,
    EntityMetadata,
    FieldMetadata,
    compare_entity,
    compare_enum,
)
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamRejectedError
from tests.d365.documents import answers, calls_of, reply

METADATA: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "fo_documents_metadata.json").read_text()
)
CONTRACTS = (
    *order_contracts(),
    *customer_contracts(),
    *return_contracts(),
)
CONTRACT = EntityContract(
    entity_set="Orders",
    entity="Order",
    key=("Number",),
    types={
        "Number": frozenset({"Edm.String"}),
        "Reference": frozenset({"Edm.String"}),
        "Amount": frozenset({"Edm.Decimal", "Edm.Int32"}),
        "Note": frozenset(),
    },
    sent=frozenset({"Reference"}),
    is_written=True,
)
TEXT = FieldMetadata(type_name="Edm.String")
NOW = EntityMetadata(
    fields={
        "Number": FieldMetadata(type_name="Edm.String", is_key=True, is_mandatory=True),
        "Reference": FieldMetadata(type_name="Edm.String", is_mandatory=True),
        "Amount": FieldMetadata(type_name="Edm.Decimal"),
        "Note": TEXT,
        "Pool": TEXT,
    },
)


def without(name: str, **others: FieldMetadata) -> EntityMetadata:
    fields = {each: told for each, told in NOW.fields.items() if each != name}
    return replace(NOW, fields={**fields, **others})


def told(now: EntityMetadata) -> list[tuple[Change, str]]:
    return [(each.change, each.name) for each in compare_entity(CONTRACT, now)]


def test_the_same_schema_has_no_difference() -> None:
    assert told(NOW) == []


def test_a_field_that_is_gone_is_named_with_what_it_may_be_now() -> None:
    alike = without("Reference", OrderReference=TEXT)
    assert told(alike) == [(Change.FIELD_GONE, "Reference")]
    (difference,) = compare_entity(CONTRACT, alike)
    assert difference.text == (
        "Orders has no field 'Reference' any more; perhaps it is 'OrderReference' now"
    )


def test_without_a_field_alike_there_is_no_guess() -> None:
    (difference,) = compare_entity(CONTRACT, without("Reference", Xyz=TEXT))
    assert difference.text == "Orders has no field 'Reference' any more"


def test_a_type_that_cannot_be_read_is_a_change() -> None:
    now = without("Amount", Amount=TEXT)
    assert told(now) == [(Change.TYPE_CHANGED, "Amount")]
    assert "expected Edm.Decimal or Edm.Int32" in compare_entity(CONTRACT, now)[0].text
    assert told(without("Amount", Amount=FieldMetadata(type_name="Edm.Int32"))) == []
    assert told(without("Note", Note=FieldMetadata(type_name="NoYes"))) == []


def test_another_key_is_a_change() -> None:
    now = without("Pool", Pool=FieldMetadata(type_name="Edm.String", is_key=True))
    assert told(now) == [(Change.KEY_CHANGED, "")]


def test_a_mandatory_field_that_is_not_sent_is_a_change() -> None:
    now = without("Pool", Pool=FieldMetadata(type_name="Edm.String", is_mandatory=True))
    assert told(now) == [(Change.NEWLY_MANDATORY, "Pool")]
    read_only = replace(CONTRACT, is_written=False)
    assert compare_entity(read_only, now) == []
    sent = replace(CONTRACT, sent=frozenset({"Reference", "Pool"}))
    assert compare_entity(sent, now) == []


def test_a_set_that_takes_no_writes_is_a_change_where_we_write() -> None:
    assert told(replace(NOW, is_read_only=True)) == [(Change.READ_ONLY, "")]


def test_what_is_added_breaks_nothing() -> None:
    assert told(without("", New=TEXT)) == []


def test_members_of_enums_go_and_come() -> None:
    found = compare_enum("Status", ("A", "B"), ("B", "C"))
    assert [(each.change, each.name) for each in found] == [(Change.MEMBER_GONE, "A")]
    assert compare_enum("Status", ("A",), ("A", "B")) == []


@given(
    gone=st.sets(st.sampled_from(sorted(NOW.fields))),
    added=st.sets(st.text(alphabet="xyz", min_size=1, max_size=3)),
)
def test_only_fields_we_use_can_break_anything(gone: set[str], added: set[str]) -> None:
    fields = {name: told for name, told in NOW.fields.items() if name not in gone}
    fields |= dict.fromkeys(added, TEXT)
    found = compare_entity(CONTRACT, replace(NOW, fields=fields))
    assert {each.name for each in found} == gone & CONTRACT.types.keys()


def described(name: str) -> EntityMetadata:
    """Return a set of the real metadata as the reader would."""
    known = METADATA["entity_sets"][name]
    return EntityMetadata(
        fields={
            each: FieldMetadata(type_name=kind, is_key=each in known["key"])
            for kind, fields in known["fields"].items()
            for each in fields
        },
    )


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.entity_set)
def test_a_real_environment_keeps_every_contract(contract: EntityContract) -> None:
    assert compare_entity(contract, described(contract.entity_set)) == []


def test_settings_of_a_market_are_part_of_the_contract() -> None:
    header, line = order_contracts(
        reference_field="XYZRef",
        header_sent=("SalesOrderPoolId",),
        line_sent=("SalesPrice",),
    )
    gone = [each.name for each in compare_entity(header, described("SalesOrderHeadersV3"))]
    assert gone == ["XYZRef"]
    assert {"XYZRef", "IsSalesProcessingStopped", "SalesOrderPoolId"} <= header.sent
    assert {"ItemNumber", "OrderLineReference", "SalesOrderNumber", "SalesPrice"} <= line.sent
    assert compare_entity(line, described("SalesOrderLinesV3")) == []


@pytest.mark.parametrize("enum", USED_MEMBERS)
def test_a_real_environment_has_the_members_we_use(enum: str) -> None:
    members = METADATA["enums"][enum]["members"]
    assert compare_enum(enum, USED_MEMBERS[enum], members) == []


ENTITY = {
    "Name": "Order",
    "EntitySetName": "Orders",
    "IsReadOnly": False,
    "Properties": [
        {"Name": "Number", "TypeName": "Edm.String", "IsKey": True, "IsMandatory": True},
        {
            "Name": "Stopped",
            "TypeName": "Microsoft.Dynamics.DataEntities.NoYes",
            "IsKey": False,
            "IsMandatory": False,
        },
    ],
}


async def test_metadata_is_read() -> None:
    members = {"Members": [{"Name": "No", "Value": 0}, {"Name": "Yes", "Value": 1}]}
    async with calls_of(answers(reply(ENTITY), reply(members))) as (calls, erp):
        reader = MetadataReader(calls)
        entity = await reader.entity("Order")
        assert await reader.enum_members("NoYes") == ("No", "Yes")
    assert entity == EntityMetadata(
        fields={
            "Number": FieldMetadata(type_name="Edm.String", is_key=True, is_mandatory=True),
            "Stopped": FieldMetadata(type_name="NoYes"),
        },
    )
    assert erp.targets == [
        "/Metadata/PublicEntities('Order')",
        "/Metadata/PublicEnumerations('NoYes')",
    ]


async def test_what_is_not_there_is_none_and_anything_else_an_error() -> None:
    replies = [reply(status=404), reply(status=404), reply(status=400), reply({"Name": "x"})]
    async with calls_of(answers(*replies)) as (calls, _):
        reader = MetadataReader(calls)
        assert await reader.entity("Order") is None
        assert await reader.enum_members("NoYes") is None
        with pytest.raises(UpstreamRejectedError):
            await reader.entity("Order")
        with pytest.raises(UpstreamContractError):
            await reader.entity("Order")
