"""Customers, addresses, contacts and returns of the simulated F&O."""

from typing import Any

import pytest

from pricing_proxy.sandbox.wire import from_json
from tests.sandbox.conftest import Client, line
from tests.sandbox.documents import (
    LINE,
    changeset,
    create,
    judged,
    order,
    post_batch,
    refused,
    write,
)

CUSTOMER = {
    "dataAreaId": "demf",
    "OrganizationName": "Fabrikam Bikes",
    "CustomerGroupId": "30",
    "SalesCurrencyCode": "EUR",
}
PERSON = {"PartyType": "Person", "OrganizationName": None}


def by_account(account: str) -> str:
    return f"CustomersV3(dataAreaId='demf',CustomerAccount='{account}')"


async def told(client: Client, path: str) -> Any:
    return from_json(await (await client.control("GET", f"fo/{path}")).read())


async def test_a_new_customer_has_an_account_a_party_and_prices(client: Client) -> None:
    body = {**CUSTOMER, "DiscountPriceGroupId": "B2B", "PrimaryContactEmail": "ap@example.com"}
    row = await create(client, "CustomersV3", body)
    account = row["CustomerAccount"]
    assert (account, row["PartyType"], row["LanguageId"]) == ("C-900001", "Organization", "de")
    assert row["PartyNumber"]
    found = await client.rows("CustomersV3", filter="PrimaryContactEmail eq 'AP@example.com'")
    assert [each["CustomerAccount"] for each in found["value"]] == [account]
    group = await client.priced(line("LAMP-01"), customerAccount="C-1002")
    assert (await client.priced(line("LAMP-01"), customerAccount=account)) == group
    await order(client, OrderingCustomerAccountNumber=account)


async def test_the_named_customers_have_tax_numbers_that_are_found(client: Client) -> None:
    """So that whoever types one in the shop comes upon another's account."""
    for number in range(1, 4):
        found = await client.rows("CustomersV3", filter=f"TaxExemptNumber eq 'de10000000{number}'")
        assert [each["CustomerAccount"] for each in found["value"]] == [f"C-100{number}"]


async def test_a_person_needs_names_of_its_own(client: Client) -> None:
    answer = await write(client, "POST", "CustomersV3", {**CUSTOMER, **PERSON})
    assert "Field 'Name' must be filled in." in await refused(answer)
    row = await create(client, "CustomersV3", {**CUSTOMER, **PERSON, "PersonLastName": "Doe"})
    assert client.sandbox.book.customers[row["CustomerAccount"].casefold()].name == "Doe"


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"OrganizationName": ""}, "Field 'Name' must be filled in."),
        ({"CustomerGroupId": None}, "Field 'Customer group' must be filled in."),
        ({"SalesCurrencyCode": None}, "Field 'Currency' must be filled in."),
        ({"CustomerGroupId": "31"}, "'31' in field 'Customer group'"),
        ({"SalesCurrencyCode": "JPY"}, "'JPY' in field 'Currency'"),
        ({"PartyType": "Club"}, "'Club' in field 'Record type'"),
        ({"AddressCountryRegionId": "DE"}, "'DE' in field 'Country/region'"),
        ({"dataAreaId": "dat"}, "'dat' in field 'Company'"),
        ({"CustomerAccount": "c-1001"}, "already exists"),
    ],
)
async def test_a_customer_that_does_not_fit_is_refused(
    client: Client, members: dict[str, Any], text: str
) -> None:
    before = dict(client.sandbox.book.customers)
    answer = await write(client, "POST", "CustomersV3", {**CUSTOMER, **members})
    assert text in await refused(answer)
    assert client.sandbox.book.customers == before


async def test_a_change_reaches_whom_orders_ask(client: Client) -> None:
    target = by_account("C-1001")
    await write(client, "PATCH", target, {"OnHoldStatus": "All"})
    row = {"dataAreaId": "demf", "OrderingCustomerAccountNumber": "C-1001"}
    text = await refused(await write(client, "POST", "SalesOrderHeadersV3", row))
    assert "Customer C-1001 is blocked." in text
    assert "'99'" in await refused(await write(client, "PATCH", target, {"CustomerGroupId": "99"}))
    assert "in use" in await refused(await write(client, "DELETE", target))


async def test_a_customer_of_a_changeset_that_fails_was_never_there(client: Client) -> None:
    known = dict(client.sandbox.book.customers)
    bad = {"dataAreaId": "demf", "CustomerAccountNumber": "C-0"}
    parts = (("CustomersV3", CUSTOMER), ("CustomerPostalAddresses", bad))
    _, text = await post_batch(client, changeset(client, *parts))
    assert "HTTP/1.1 400" in text
    assert client.sandbox.book.customers == known
    assert len((await client.rows("CustomersV3", select="CustomerAccount"))["value"]) == len(known)


async def test_an_address_in_the_body_becomes_the_primary_one(client: Client) -> None:
    body = {
        **CUSTOMER,
        "AddressStreet": "1 Bike Road",
        "AddressCity": "Redmond",
        "AddressZipCode": "98052",
    }
    row = await create(client, "CustomersV3", {**body, "AddressCountryRegionId": "USA"})
    listed = [each for each in await told(client, "customers") if each["addresses"]]
    (address,) = listed[0]["addresses"]
    assert address["AddressLocationId"] == row["AddressLocationId"]
    assert (address["IsPrimary"], address["AddressLocationRoles"]) == ("Yes", "Business")
    assert address["FormattedAddress"] == "1 Bike Road\n98052 Redmond\nUSA"


async def test_addresses_have_roles_and_one_is_primary(client: Client) -> None:
    owner = {"dataAreaId": "demf", "CustomerAccountNumber": "C-1001", "IsPrimary": "Yes"}
    roles = {"AddressLocationRoles": "Invoice;Delivery"}
    first = await create(client, "CustomerPostalAddresses", {**owner, **roles})
    second = await create(client, "CustomerPostalAddresses", {**owner, "IsRoleHome": "Yes"})
    assert (first["AddressLocationId"], second["AddressLocationId"]) == ("000000001", "000000002")
    assert first["AddressLocationRoles"] == "Delivery;Invoice"
    assert (first["IsRoleDelivery"], first["IsRoleHome"]) == ("Yes", "No")
    assert second["AddressLocationRoles"] == "Home"
    assert first["Effective"] == "2026-11-23T07:30:00Z"
    key = (
        "CustomerPostalAddresses(dataAreaId='demf',CustomerAccountNumber='C-1001',"
        "CustomerLegalEntityId='demf',AddressLocationId='000000001',"
        "Effective=2026-11-23T07:30:00Z)"
    )
    assert (await write(client, "PATCH", key, {"AddressCity": "Ulm"})).status == 204
    rows = (await client.rows("CustomerPostalAddresses"))["value"]
    assert [(row["AddressCity"], row["IsPrimary"]) for row in rows] == [("Ulm", "No"), ("", "Yes")]
    assert (await write(client, "DELETE", key)).status == 204
    wrong = {**owner, "CustomerAccountNumber": "C-0"}
    answer = await write(client, "POST", "CustomerPostalAddresses", wrong)
    assert "'C-0' in field 'Customer account'" in await refused(answer)


async def test_contacts_belong_to_a_party(client: Client) -> None:
    body = {"dataAreaId": "demf", "AssociatedPartyNumber": "P-1001", "FirstName": "Jane"}
    row = await create(client, "ContactPersons", body)
    assert (row["ContactPersonId"], row["ContactPersonName"]) == ("000042", "Jane")
    assert row["LastEditDateTime"] == "2026-11-23T07:30:00Z"
    answer = await write(client, "POST", "ContactPersons", {**body, "AssociatedPartyNumber": "P-0"})
    assert "'P-0' in field 'Party ID'" in await refused(answer)


HEADER = {"dataAreaId": "demf", "CustomerAccountNumber": "C-1001"}


async def returned(client: Client, **members: Any) -> dict[str, Any]:
    """Return a new return's row."""
    return await create(client, "ReturnOrderHeadersV2", {**HEADER, **members})


async def test_a_return_is_linked_to_the_lot_that_was_sold(client: Client) -> None:
    await order(client, LINE)
    lot = (await judged(client))[0]["lines"][0]["InventoryLotId"]
    header = await returned(client, DefaultReturnWarehouseId="13", CustomersOrderReference="RMA-7")
    number = header["ReturnOrderNumber"]
    body = {
        "dataAreaId": "demf",
        "ReturnOrderNumber": number,
        "ItemNumber": "LAMP-01",
        "ReturnSalesQuantity": -2,
        "ReturningInventoryLotId": lot,
        "ReturnDispositionCode": "Credit",
    }
    row = await create(client, "ReturnOrderLinesV2", body)
    assert (number, header["RMANumber"], header["ReturnStatus"]) == ("000698", "000031", "Created")
    assert (row["SalesPrice"], row["LineAmount"]) == (17, -34)
    assert (row["ReturnWarehouseId"], row["RMANumber"]) == ("13", "000031")
    (listed,) = (await client.rows("ReturnOrderHeadersV2"))["value"]
    assert (listed["ReturnStatus"], listed["OrderTotalAmount"]) == ("Open", -34)
    again = await write(client, "POST", "ReturnOrderLinesV2", {**body, "ReturnSalesQuantity": -1})
    assert f"More is returned of lot {lot} than was sold." in await refused(again)
    (whole,) = await told(client, "returns")
    assert [each["ReturnSalesQuantity"] for each in whole["lines"]] == [-2]


@pytest.mark.parametrize(("takes_it", "amount"), [(False, -700), (True, -7)])
async def test_the_price_of_a_return_is_for_one_piece_or_for_as_many_as_the_orders(
    client: Client, *, takes_it: bool, amount: int
) -> None:
    """No field of a return says so: an ERP of another kind of set-up is a dial."""
    await client.turn("fo", return_price_unit=takes_it)
    await order(client, {**LINE, "SalesPriceQuantity": 100, "SalesPrice": 350})
    lot = (await judged(client))[0]["lines"][0]["InventoryLotId"]
    header = await returned(client)
    row = await create(
        client,
        "ReturnOrderLinesV2",
        {
            "dataAreaId": "demf",
            "ReturnOrderNumber": header["ReturnOrderNumber"],
            "ItemNumber": "LAMP-01",
            "ReturnSalesQuantity": -2,
            "SalesPrice": 350,
            "ReturningInventoryLotId": lot,
        },
    )
    assert row["LineAmount"] == amount


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({"ReturnOrderNumber": "1"}, "'1' in field 'Return order'"),
        ({"ItemNumber": "LAMP-99"}, "'LAMP-99' in field 'Item number'"),
        ({"ReturnSalesQuantity": 1}, "Quantity must be negative."),
        ({"ReturnSalesQuantity": None}, "Field 'Quantity' must be filled in."),
        ({"ReturnDispositionCode": "Burn"}, "'Burn' in field 'Disposition code'"),
        ({"ReturningInventoryLotId": "9"}, "'9' in field 'Return lot ID'"),
    ],
)
async def test_a_return_line_that_does_not_fit_is_refused(
    client: Client, members: dict[str, Any], text: str
) -> None:
    number = (await returned(client))["ReturnOrderNumber"]
    body = {"dataAreaId": "demf", "ReturnOrderNumber": number, "ItemNumber": "LAMP-01"}
    answer = await write(
        client, "POST", "ReturnOrderLinesV2", {**body, "ReturnSalesQuantity": -1, **members}
    )
    assert text in await refused(answer)
    assert (await told(client, "returns"))[0]["lines"] == []


async def test_returns_are_changed_and_deleted(client: Client) -> None:
    answer = await write(
        client, "POST", "ReturnOrderHeadersV2", {**HEADER, "CustomerAccountNumber": "X"}
    )
    assert "'X' in field 'Customer account'" in await refused(answer)
    number = (await returned(client))["ReturnOrderNumber"]
    body = {"dataAreaId": "demf", "ReturnOrderNumber": number, "ItemNumber": "FREIGHT"}
    row = await create(client, "ReturnOrderLinesV2", {**body, "ReturnSalesQuantity": -1})
    lot = f"ReturnInventoryLotId='{row['ReturnInventoryLotId']}'"
    header = f"ReturnOrderHeadersV2(dataAreaId='demf',ReturnOrderNumber='{number}')"
    target = f"ReturnOrderLinesV2(dataAreaId='demf',ReturnOrderNumber='{number}',{lot})"
    assert (await write(client, "PATCH", header, {"CustomerReturnReasonCode": "21"})).status == 204
    assert (await write(client, "PATCH", target, {"ReturnStatus": "Registered"})).status == 204
    assert "registered lines" in await refused(await write(client, "DELETE", header))
    assert (await write(client, "PATCH", target, {"ReturnStatus": "Awaiting"})).status == 204
    second = await create(client, "ReturnOrderLinesV2", {**body, "ReturnSalesQuantity": -3})
    other = target.replace(row["ReturnInventoryLotId"], second["ReturnInventoryLotId"])
    assert (await write(client, "DELETE", other)).status == 204
    assert len((await told(client, "returns"))[0]["lines"]) == 1
    assert (await write(client, "DELETE", header)).status == 204
    assert await told(client, "returns") == []
