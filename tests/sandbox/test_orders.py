"""Sales orders of the simulated F&O: defaults, refusals, totals, deletion, changesets, faults."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientConnectionError

from pricing_proxy.sandbox.wire import from_json
from tests.sandbox.conftest import Client
from tests.sandbox.documents import (
    HEADER,
    LINE,
    changeset,
    create,
    judged,
    key,
    order,
    post_batch,
    refused,
    write,
)

SAMPLES = Path(__file__).parent.parent / "d365" / "samples"
HEADER_REFUSED, LINE_REFUSED = (
    json.loads((SAMPLES / f"error.400.validation.{name}.json").read_text())["error"]["innererror"][
        "message"
    ]
    for name in ("header", "line")
)


async def test_a_header_gets_what_the_body_left_out(client: Client) -> None:
    row = await create(client, "SalesOrderHeadersV3", {**HEADER, "LanguageId": "fr"})
    assert row["@odata.etag"].startswith('W/"')
    assert row["@odata.context"].endswith("$metadata#SalesOrderHeadersV3/$entity")
    assert row["SalesOrderNumber"] == "000697"
    assert row["InvoiceCustomerAccountNumber"] == "C-1001"
    assert (row["CurrencyCode"], row["LanguageId"]) == ("EUR", "fr")
    assert (row["SalesOrderStatus"], row["SalesOrderProcessingStatus"]) == ("Backorder", "Active")
    assert row["OrderCreationDateTime"] == "2026-11-23T07:30:00Z"
    assert row["FixedDueDate"] == "1900-01-01T12:00:00Z"
    assert row["Email"] == ""


async def test_a_line_gets_what_header_and_item_say(client: Client) -> None:
    number = await order(client, DefaultShippingWarehouseId="13", DeliveryModeCode="10")
    line = await create(
        client,
        "SalesOrderLinesV3",
        {
            "dataAreaId": "demf",
            "SalesOrderNumber": number,
            "ItemNumber": "lamp-21",
            "OrderedSalesQuantity": 3,
        },
    )
    assert line["InventoryLotId"] == "011001"
    assert (line["ShippingSiteId"], line["ShippingWarehouseId"]) == ("1", "13")
    assert (line["DeliveryModeCode"], line["LineDescription"]) == ("10", "Lamp 21")
    assert (line["SalesUnitSymbol"], line["LineNumber"]) == ("PCS", 1)
    assert line["SalesPriceQuantity"] == 100
    assert line["LineAmount"] == (line["SalesPrice"] * 3 / 100).quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("members", "amount"),
    [
        ({}, "34.00"),
        ({"LineDiscountPercentage": 10}, "30.60"),
        ({"LineDiscountAmount": Decimal("0.50")}, "33.00"),
        ({"SalesPriceQuantity": 100, "OrderedSalesQuantity": 250}, "42.50"),
        ({"OrderedSalesQuantity": -1}, "-17.00"),
        ({"OrderedSalesQuantity": Decimal("1.5"), "SalesPrice": Decimal("0.33")}, "0.50"),
        ({"LineAmount": 1}, "34.00"),
    ],
)
async def test_the_amount_of_a_line_is_computed(
    client: Client, members: dict[str, Any], amount: str
) -> None:
    await order(client, {**LINE, **members})
    (told,) = await judged(client)
    assert told["lines"][0]["LineAmount"] == Decimal(amount)


@pytest.mark.parametrize(
    ("included", "amount", "tax"), [("No", "53.43", "8.43"), ("Yes", "45.00", "7.10")]
)
async def test_totals_are_computed_when_asked_for(
    client: Client, included: str, amount: str, tax: str
) -> None:
    """19 % of 42.00, and 15 % of 3.00; or as much within them."""
    first = {**LINE, "SalesPrice": 21, "SalesTaxItemGroupCode": "VAT19"}
    second = {**LINE, "SalesPrice": 3, "OrderedSalesQuantity": 1, "SalesTaxGroupCode": "RED15"}
    await order(client, first, second, ArePricesIncludingSalesTax=included)
    fields = "OrderTotalAmount,OrderTotalTaxAmount,OrderTotalDiscountAmount"
    (row,) = (await client.rows("SalesOrderHeadersV4", select=fields))["value"]
    assert row["OrderTotalAmount"] == Decimal(amount)
    assert row["OrderTotalTaxAmount"] == Decimal(tax)
    assert row["OrderTotalDiscountAmount"] == 0


@pytest.mark.parametrize(("rounding", "tax"), [("total", "8.04"), ("line", "8.03")])
async def test_tax_is_rounded_for_each_line_or_once_for_each_rate(
    client: Client, rounding: str, tax: str
) -> None:
    """19 % of 36.34 and of 5.95 are 6.9046 and 1.1305."""
    lines = [
        {**LINE, "OrderedSalesQuantity": 1, "SalesPrice": price, "SalesTaxItemGroupCode": "VAT19"}
        for price in (Decimal("36.34"), Decimal("5.95"))
    ]
    await order(client, *lines)
    await client.turn("fo", tax_rounding=rounding)
    (row,) = (await client.rows("SalesOrderHeadersV3", select="OrderTotalTaxAmount"))["value"]
    assert row["OrderTotalTaxAmount"] == Decimal(tax)


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"OrderingCustomerAccountNumber": "XX-999"},
            HEADER_REFUSED,
        ),
        ({"OrderingCustomerAccountNumber": None}, "Field 'Customer account' must be filled in."),
        ({"OrderingCustomerAccountNumber": "C-2024"}, "Customer C-2024 is blocked."),
        ({"InvoiceCustomerAccountNumber": "XX"}, "'XX' in field 'Customer account'"),
        ({"dataAreaId": None}, "'C-1001' in field 'Customer account'"),
        ({"CurrencyCode": "JPY"}, "'JPY' in field 'Currency'"),
        ({"DeliveryAddressCountryRegionId": "DE"}, "'DE' in field 'Country/region'"),
        ({"DeliveryAddressCountryRegionISOCode": "DEU"}, "'DEU' in field 'Country/region'"),
        ({"Nonsense": 1}, "The property 'Nonsense' does not exist on type"),
        ({"FinTagDisplayValue": "x"}, "The property 'FinTagDisplayValue' does not exist"),
        ({"IsSalesProcessingStopped": True}, "'IsSalesProcessingStopped' cannot be converted"),
        ({"IsSalesProcessingStopped": "Maybe"}, "Microsoft.Dynamics.DataEntities.NoYes"),
        ({"Email": 5}, "'Email' cannot be converted to type 'Edm.String'"),
        ({"TotalDiscountPercentage": "5"}, "'Edm.Decimal'"),
        ({"BaseDocumentLineNumber": Decimal("1.5")}, "'Edm.Int32'"),
        ({"RequestedShippingDate": "soon"}, "'Edm.DateTimeOffset'"),
        ({"TransportationDocumentLineId": "x"}, "'Edm.Guid'"),
    ],
)
async def test_a_header_that_does_not_fit_is_refused(
    client: Client, members: dict[str, Any], text: str
) -> None:
    answer = await write(client, "POST", "SalesOrderHeadersV3", {**HEADER, **members})
    assert text in await refused(answer)
    assert await judged(client) == []


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (
            {"ItemNumber": "NEW-0001"},
            LINE_REFUSED,
        ),
        ({"SalesOrderNumber": "1"}, "'1' in field 'Sales order'"),
        ({"SalesOrderNumber": None}, "Field 'Sales order' must be filled in."),
        ({"ItemNumber": "LAMP-99"}, "'LAMP-99' in field 'Item number'"),
        ({"ItemNumber": "OLD-0001"}, "Item 'OLD-0001' is blocked for 'Sales order'."),
        ({"OrderedSalesQuantity": 0}, "Field 'Quantity' must be filled in."),
        ({"SalesUnitSymbol": "TON"}, "'TON' in field 'Unit'"),
        ({"ItemNumber": "SHADE-0001"}, "Inventory dimension Color is mandatory"),
        ({"ItemNumber": "SHADE-0001", "ProductColorId": "Red"}, "dimension Size is mandatory"),
        (
            {"ItemNumber": "SHADE-0001", "ProductColorId": "Red", "ProductSizeId": "XL"},
            "Product variant SHADE-0001 : Red : XL is not released.",
        ),
    ],
)
async def test_a_line_that_does_not_fit_is_refused(
    client: Client, members: dict[str, Any], text: str
) -> None:
    number = await order(client)
    line = {**LINE, "SalesOrderNumber": number, **members}
    assert text in await refused(await write(client, "POST", "SalesOrderLinesV3", line))
    assert (await judged(client))[0]["lines"] == []


async def test_variants_services_and_items_with_a_site_are_sold(client: Client) -> None:
    shade = {"ItemNumber": "SHADE-0001", "ProductColorId": "Red", "ProductSizeId": "M"}
    await order(
        client,
        {**LINE, **shade},
        {**LINE, "ItemNumber": "FREIGHT"},
        {**LINE, "ItemNumber": "NEW-0001", "ShippingSiteId": "1"},
    )
    (told,) = await judged(client)
    assert [line["LineNumber"] for line in told["lines"]] == [1, 2, 3]


async def test_both_versions_show_the_same_rows_with_their_own_fields(client: Client) -> None:
    number = await order(client, LINE)
    for entity_set in ("SalesOrderHeadersV3", "SalesOrderHeadersV4"):
        (row,) = (await client.rows(entity_set, filter="CustomersOrderReference eq '000000123'"))[
            "value"
        ]
        assert row["SalesOrderNumber"] == number
        assert ("FinTagDisplayValue" in row) is (entity_set == "SalesOrderHeadersV4")
    for entity_set in ("SalesOrderLines", "SalesOrderLinesV3"):
        (row,) = (await client.rows(entity_set, filter=f"SalesOrderNumber eq '{number}'"))["value"]
        assert row["OrderLineReference"] == "000000123-01"


async def test_rows_are_filtered_paged_and_kept_to_their_company(client: Client) -> None:
    for index in range(60):
        await order(
            client, CustomersOrderReference=f"M{index % 2}", SalesOrderNumber=f"W-{index:03}"
        )
    found = await client.rows(
        "SalesOrderHeadersV3",
        filter="dataAreaId eq 'demf' and CustomersOrderReference eq 'm1'",
        select="SalesOrderNumber",
        count="true",
    )
    assert found["@odata.count"] == 30
    assert [row["SalesOrderNumber"] for row in found["value"]][:2] == ["W-001", "W-003"]
    everything = await client.rows("SalesOrderHeadersV3", select="SalesOrderNumber")
    assert len(everything["value"]) == 50
    assert "@odata.nextLink" in everything
    either = "CustomersOrderReference eq 'M0' or SalesOrderNumber eq 'W-001'"
    assert len((await client.rows("SalesOrderHeadersV3", filter=either))["value"]) == 31
    wild = "CustomersOrderReference eq 'M*' and IsSalesProcessingStopped eq"
    wild += " Microsoft.Dynamics.DataEntities.NoYes'Yes'"
    assert len((await client.rows("SalesOrderHeadersV3", filter=wild))["value"]) == 50
    mine = await client.get("/data/SalesOrderHeadersV3")
    assert (await mine.json())["value"] == []


async def test_a_row_is_read_changed_and_deleted_by_its_key(client: Client) -> None:
    number = await order(client, LINE)
    target = f"/data/SalesOrderHeadersV3{key(number)}"
    before = await (await client.get(target, **{"cross-company": "true"})).json()
    patched = await write(
        client,
        "PATCH",
        f"SalesOrderHeadersV3{key(number)}",
        {"IsSalesProcessingStopped": "No", "SalesOrderNumber": "other"},
    )
    after = await (await client.get(target, **{"cross-company": "true"})).json()
    assert patched.status == 204
    assert (await client.get(target)).status == 404
    assert (before["IsSalesProcessingStopped"], after["IsSalesProcessingStopped"]) == ("Yes", "No")
    assert after["SalesOrderNumber"] == number
    assert before["@odata.etag"] != after["@odata.etag"]
    (told,) = await judged(client)
    assert (told["is_stopped"], told["number"], told["reference"]) == (False, number, "000000123")

    deleted = await write(client, "DELETE", f"SalesOrderHeadersV3{key(number)}")
    assert deleted.status == 204
    assert (await client.rows("SalesOrderLinesV3"))["value"] == []
    assert (await write(client, "DELETE", f"SalesOrderHeadersV3{key(number)}")).status == 404


async def test_lines_are_changed_and_deleted_too(client: Client) -> None:
    await order(client, LINE, {**LINE, "OrderLineReference": "2"})
    first, second = (await judged(client))[0]["lines"]
    lot = f"SalesOrderLinesV3(dataAreaId='demf',InventoryLotId='{first['InventoryLotId']}')"
    await write(client, "PATCH", lot, {"OrderedSalesQuantity": 5})
    other = f"SalesOrderLines(dataAreaId='demf',InventoryLotId='{second['InventoryLotId']}')"
    await write(client, "DELETE", other)
    (left,) = (await judged(client))[0]["lines"]
    assert (left["OrderedSalesQuantity"], left["LineAmount"]) == (5, 85)


async def test_a_change_to_another_state_of_the_row_is_refused(client: Client) -> None:
    number = await order(client)
    target = f"SalesOrderHeadersV3{key(number)}"
    answer = await write(client, "PATCH", target, {"Email": "a@b.de"}, **{"If-Match": 'W/"old"'})
    assert answer.status == 412
    assert "cannot be converted" in await refused(
        await write(client, "PATCH", target, {"Email": 1})
    )


async def test_a_number_may_be_chosen_once(client: Client) -> None:
    await order(client, SalesOrderNumber="WEB-1")
    again = {**HEADER, "SalesOrderNumber": "web-1"}
    text = await refused(await write(client, "POST", "SalesOrderHeadersV3", again))
    assert "already exists" in text


async def test_an_order_with_posted_documents_is_not_deleted(client: Client) -> None:
    number = await order(client)
    target = f"SalesOrderHeadersV3{key(number)}"
    await write(client, "PATCH", target, {"SalesOrderProcessingStatus": "Confirmed"})
    assert "posted documents" in await refused(await write(client, "DELETE", target))


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "ReleasedProductsV2", 405),
        ("POST", "Nonsense", 404),
        ("PATCH", "SalesOrderHeadersV3", 405),
        ("POST", "SalesOrderHeadersV3(dataAreaId='demf',SalesOrderNumber='1')", 405),
        ("PATCH", "SalesOrderHeadersV3(SalesOrderNumber='1')", 400),
        ("GET", "SalesOrderHeadersV3/SalesOrderLines", 404),
    ],
)
async def test_what_cannot_be_written_so_is_refused(
    client: Client, method: str, target: str, status: int
) -> None:
    assert (await write(client, method, target, {})).status == status


@pytest.mark.parametrize("body", [b"{", b"[]", b""])
async def test_a_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    answer = await write(client, "POST", "SalesOrderHeadersV3", body)
    assert "not a JSON object" in await refused(answer)


async def test_a_changeset_happens_as_a_whole(client: Client) -> None:
    header = ("SalesOrderHeadersV3", {**HEADER, "SalesOrderNumber": "WEB-1"})
    lines = [("SalesOrderLinesV3", {**LINE, "SalesOrderNumber": "WEB-1"})] * 2
    status, text = await post_batch(client, changeset(client, header, *lines))
    assert status == 200
    assert text.count("HTTP/1.1 201 Created") == 3
    assert text.count("HTTP/1.1 200 OK") == 1
    (told,) = await judged(client)
    assert (told["number"], len(told["lines"])) == ("WEB-1", 2)
    assert (await client.calls("fo"))["operations"] == {"batch": 1}


async def test_a_changeset_with_a_mistake_happens_not_at_all(client: Client) -> None:
    header = ("SalesOrderHeadersV3", {**HEADER, "SalesOrderNumber": "WEB-1"})
    good = ("SalesOrderLinesV3", {**LINE, "SalesOrderNumber": "WEB-1"})
    bad = ("SalesOrderLinesV3", {**LINE, "SalesOrderNumber": "WEB-1", "ItemNumber": "NEW-0001"})
    status, text = await post_batch(client, changeset(client, header, good, bad))
    assert status == 200
    assert text.count("HTTP/1.1 400 Bad Request") == 1
    assert "HTTP/1.1 201" not in text
    assert "Inventory dimension Site is mandatory" in text
    assert await judged(client) == []
    assert (await client.rows("SalesOrderLinesV3"))["value"] == []


@pytest.mark.parametrize("body", [b"", b"--b--\r\n", b"--b\r\n\r\nGET\r\n--b--\r\n"])
async def test_what_is_no_batch_is_refused(client: Client, body: bytes) -> None:
    assert (await post_batch(client, body))[0] == 400


async def test_calls_are_counted_by_what_they_do(client: Client) -> None:
    number = await order(client, LINE)
    await client.rows("SalesOrderHeadersV4")
    await write(client, "PATCH", f"SalesOrderHeadersV3{key(number)}", {"Email": "a@b.de"})
    await write(client, "DELETE", f"SalesOrderHeadersV3{key(number)}")
    await write(client, "POST", "SalesOrderLines", {})
    assert (await client.calls("fo"))["operations"] == {
        "order_header_create": 1,
        "order_line_create": 2,
        "order_header_read": 1,
        "order_header_update": 1,
        "order_header_delete": 1,
    }


async def test_an_answer_may_be_lost_after_the_commit(client: Client) -> None:
    await client.turn("fo", commit_then_drop=1)
    with pytest.raises(ClientConnectionError):
        await order(client)
    assert len(await judged(client)) == 1
    refusal = await write(client, "POST", "SalesOrderHeadersV3", {**HEADER, "Nonsense": 1})
    assert refusal.status == 400
    assert (await client.get("/data/SalesOrderHeadersV3")).status == 200


async def test_a_renamed_field_is_known_by_its_new_name_alone(client: Client) -> None:
    old = await order(client)
    renames = {"SalesOrderHeadersV3.CustomersOrderReference": "CustRef"}
    await client.turn("fo", rename_fields=renames)
    text = await refused(await write(client, "POST", "SalesOrderHeadersV3", HEADER))
    assert "The property 'CustomersOrderReference' does not exist" in text
    row = await create(
        client,
        "SalesOrderHeadersV3",
        {"dataAreaId": "demf", "OrderingCustomerAccountNumber": "C-1001", "CustRef": "N1"},
    )
    assert row["CustRef"] == "N1"
    assert "CustomersOrderReference" not in row
    found = await client.rows("SalesOrderHeadersV3", filter="CustRef eq '000000123'")
    assert [each["SalesOrderNumber"] for each in found["value"]] == [old]
    for option in (
        {"$filter": "CustomersOrderReference eq 'N1'"},
        {"$select": "CustomersOrderReference"},
    ):
        answer = await client.get("/data/SalesOrderHeadersV3", **option)
        assert "property named 'CustomersOrderReference'" in await refused(answer)
    same = await client.rows("SalesOrderHeadersV4", filter="CustomersOrderReference eq 'N1'")
    assert len(same["value"]) == 1

    await client.turn("fo", rename_fields={})
    back = await client.rows("SalesOrderHeadersV3", filter="CustomersOrderReference eq 'N1'")
    assert len(back["value"]) == 1


async def test_a_field_that_becomes_mandatory_is_asked_for(client: Client) -> None:
    await client.turn("fo", mandatory_fields=["SalesOrderHeadersV3.SalesOrderPoolId"])
    text = await refused(await write(client, "POST", "SalesOrderHeadersV3", HEADER))
    assert "Field 'SalesOrderPoolId' must be filled in." in text
    await order(client, SalesOrderPoolId="WEB")


async def metadata(client: Client, path: str) -> Any:
    answer = await client.get(f"/Metadata/{path}")
    return from_json(await answer.read()) if answer.status == 200 else answer.status


async def test_metadata_says_what_a_set_looks_like_now(client: Client) -> None:
    before = await metadata(client, "PublicEntities('SalesOrderHeaderV3')")
    fields = {each["Name"]: each for each in before["Properties"]}
    assert before["EntitySetName"] == "SalesOrderHeadersV3"
    assert fields["SalesOrderNumber"]["IsKey"]
    assert fields["OrderingCustomerAccountNumber"]["IsMandatory"]
    assert not fields["Email"]["IsMandatory"]
    stopped = fields["IsSalesProcessingStopped"]
    assert stopped["TypeName"] == "Microsoft.Dynamics.DataEntities.NoYes"
    assert stopped["DataType"] == "Enum"

    await client.turn(
        "fo",
        rename_fields={"SalesOrderHeadersV3.Email": "Mail"},
        mandatory_fields=["SalesOrderHeadersV3.SalesOrderPoolId"],
    )
    after = await metadata(client, "PublicEntities('SalesOrderHeaderV3')")
    fields = {each["Name"]: each for each in after["Properties"]}
    assert "Email" not in fields
    assert "Mail" in fields
    assert fields["SalesOrderPoolId"]["IsMandatory"]


async def test_metadata_lists_sets_and_enums(client: Client) -> None:
    listed = (await metadata(client, "DataEntities"))["value"]
    names = {each["PublicCollectionName"]: each["PublicEntityName"] for each in listed}
    assert names["SalesOrderLinesV3"] == "SalesOrderLineV3"
    status = await metadata(client, "PublicEnumerations('SalesStatus')")
    assert {"Name": "Backorder", "Value": 1} in status["Members"]
    assert await metadata(client, "PublicEntities('Nonsense')") == 404
    assert await metadata(client, "PublicEnumerations('Nonsense')") == 404
