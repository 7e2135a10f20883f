"""What an ordinary OData client asks: lists of metadata, and lines inside their headers."""

from typing import Any

import pytest

from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS
from pricing_proxy.sandbox.entities import ENTITY_SETS
from tests.sandbox.conftest import Client
from tests.sandbox.documents import order

LINES: list[dict[str, Any]] = [
    {"dataAreaId": "demf", "ItemNumber": f"LAMP-0{number}", "OrderedSalesQuantity": number}
    for number in (1, 2)
]


async def members(client: Client, name: str, **query: str) -> Any:
    answer = await client.get(f"/Metadata/{name}", **query)
    assert answer.status == 200
    return await answer.json()


async def test_all_sets_are_listed_and_each_is_described(client: Client) -> None:
    listed = (await members(client, "DataEntities"))["value"]
    described = (await members(client, "PublicEntities"))["value"]
    names = [each["PublicCollectionName"] for each in listed]
    assert set(names) == {*DOCUMENT_SETS, *ENTITY_SETS}
    assert [each["EntitySetName"] for each in described] == names
    for entity in listed:
        one = await members(client, f"PublicEntities('{entity['PublicEntityName']}')")
        assert one["EntitySetName"] == entity["PublicCollectionName"]
        named = ENTITY_SETS.get(one["EntitySetName"])
        if named is not None:
            key = {each["Name"] for each in one["Properties"] if each["IsKey"]}
            assert key == set(named.key)


async def test_lists_come_in_pages(client: Client) -> None:
    whole = (await members(client, "PublicEnumerations"))["value"]
    assert {"ItemReservation", "NoYes", "AttributeDataType"} <= {each["Name"] for each in whole}
    part = await members(client, "PublicEnumerations", **{"$top": "3", "$skip": "2"})
    assert part["value"] == whole[2:5]
    assert (await client.get("/Metadata/PublicEntities", **{"$top": "x"})).status == 400


async def test_a_set_that_is_absent_is_neither_listed_nor_answered(client: Client) -> None:
    client.sandbox.systems["fo"].dials.patch({"absent_sets": ["ProductsV2"]})
    listed = (await members(client, "DataEntities"))["value"]
    assert "ProductsV2" not in {each["PublicCollectionName"] for each in listed}
    assert (await client.get("/data/ProductsV2")).status == 404


async def test_lines_stand_inside_their_header(client: Client) -> None:
    number = await order(client, *LINES)
    await order(client, LINES[0])
    condition = f"SalesOrderNumber eq '{number}'"
    body = await client.rows(
        "SalesOrderHeadersV3",
        filter=condition,
        select="CustomersOrderReference",
        expand="SalesOrderLines($select=ItemNumber;$orderby=LineNumber desc)",
    )
    [header] = body["value"]
    assert header.keys() == {"@odata.etag", "CustomersOrderReference", "SalesOrderLines"}
    assert [line["ItemNumber"] for line in header["SalesOrderLines"]] == ["LAMP-02", "LAMP-01"]
    both = (await client.rows("SalesOrderHeadersV3", expand="SalesOrderLines"))["value"]
    assert sorted(len(each["SalesOrderLines"]) for each in both) == [1, 2]


@pytest.mark.parametrize(
    ("entity_set", "expand"),
    [
        ("SalesOrderHeadersV4", "SalesOrderLines"),
        ("SalesOrderHeadersV3", "Ghost"),
        ("SalesOrderHeadersV3", "SalesOrderLines($expand=SalesOrderHeader)"),
        ("SalesOrderHeadersV3", "SalesOrderLines($select=ItemNumber($top=1))"),
        ("ReleasedProductsV2", "Anything"),
    ],
)
async def test_what_cannot_be_expanded_is_refused(
    client: Client, entity_set: str, expand: str
) -> None:
    query = {"cross-company": "true", "$expand": expand}
    assert (await client.get(f"/data/{entity_set}", **query)).status == 400


async def test_a_catalog_of_nothing_can_still_be_asked(client: Client) -> None:
    """Or an empty export would look like an ERP that refuses."""
    client.sandbox.systems["fo"].dials.patch({"catalog_share": 0})
    body = await client.rows("ReleasedProductsV2", filter="ItemNumber ge 'LAMP'", count="true")
    assert (body["value"], body["@odata.count"]) == ([], 0)
