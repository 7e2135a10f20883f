"""OData over HTTP, with the options and the limits that F&O has."""

from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from pricing_proxy.sandbox.odata_filter import BadQueryError, FieldTypes, row_condition
from pricing_proxy.sandbox.wire import from_json
from tests.sandbox.conftest import Client

ENVELOPE = {"code", "message", "innererror"}


async def accounts(client: Client, **options: str) -> list[str]:
    body = await client.rows("CustomersV3", **options)
    return [row["CustomerAccount"] for row in body["value"]]


async def test_row_has_an_etag_a_context_and_exact_numbers(client: Client) -> None:
    answer = await client.get(
        "/data/ReleasedProductsV2",
        **{"$filter": "ItemNumber eq 'lamp-01'", "cross-company": "true"},
    )
    text = await answer.text()
    body = from_json(text.encode())

    assert body["@odata.context"] == f"{client.sandbox.fo_url}/data/$metadata#ReleasedProductsV2"
    assert body["value"][0]["@odata.etag"].startswith('W/"')
    assert '"SalesPrice":19.90,' in text
    assert body["value"][0]["SalesPriceDate"] == "1900-01-01T12:00:00Z"


async def test_select_narrows_the_row(client: Client) -> None:
    body = await client.rows("CustomersV3", select="CustomerAccount, SalesCurrencyCode", top="1")

    assert set(body["value"][0]) == {"@odata.etag", "CustomerAccount", "SalesCurrencyCode"}


async def test_without_cross_company_only_the_users_own_company_is_seen(client: Client) -> None:
    """The users' company is not the market's: forgetting the option must show."""
    rows = await client.get("/data/CustomersV3")
    key = "/data/CustomersV3(dataAreaId='demf',CustomerAccount='C-1001')"
    row = await client.get(key)

    assert (await rows.json())["value"] == []
    assert row.status == 404
    assert (await client.get(key, **{"cross-company": "true"})).status == 200


async def test_sets_without_a_company_need_no_cross_company(client: Client) -> None:
    answer = await client.get("/data/Currencies")

    assert {row["CurrencyCode"] for row in (await answer.json())["value"]} == {"EUR", "USD", "CHF"}


async def test_a_set_can_end_too_early_or_be_hidden_in_part(client: Client) -> None:
    """What hurt: a page without its link, and a right that was lost; `$count` tells them apart."""
    dials, whole = client.sandbox.systems["fo"].dials, len(client.sandbox.book.customers)
    dials.patch({"short_sets": {"CustomersV3": 2}})
    short = await client.rows("CustomersV3", count="true")
    dials.patch({"short_sets": {}, "hidden_sets": {"CustomersV3": 0}})
    hidden = await client.rows("CustomersV3", count="true")

    assert (len(short["value"]), short["@odata.count"]) == (2, whole)
    assert (hidden["value"], hidden["@odata.count"]) == ([], 0)
    assert "@odata.nextLink" not in short
    assert "@odata.nextLink" not in hidden


async def test_pages_follow_opaque_links_to_the_end(client: Client) -> None:
    whole = len(client.sandbox.book.items)
    body = await client.rows("ReleasedProductsV2", select="ItemNumber", count="true")
    numbers, pages = [], 0
    while True:
        pages += 1
        assert body["@odata.count"] == whole
        numbers += [row["ItemNumber"] for row in body["value"]]
        link = body.get("@odata.nextLink")
        if link is None:
            break
        assert len(body["value"]) == 50
        assert "$skiptoken" in parse_qs(urlsplit(link).query)
        answer = await client.session.get(link, headers=client.headers)
        body = await answer.json()

    assert numbers == sorted(item.number for item in client.sandbox.book.items.values())
    assert pages == -(-whole // 50)


async def test_top_and_skip_hold_across_pages(client: Client) -> None:
    body = await client.rows("ReleasedProductsV2", skip="10", top="60", select="ItemNumber")
    link = body["@odata.nextLink"]
    rest = await (await client.session.get(link, headers=client.headers)).json()

    assert len(body["value"]) == 50
    assert len(rest["value"]) == 10
    assert "@odata.nextLink" not in rest


async def test_rows_come_in_the_order_asked_for(client: Client) -> None:
    body = await client.rows(
        "CustomersV3", orderby="SalesCurrencyCode desc,CustomerAccount asc", top="40"
    )
    order = [(row["SalesCurrencyCode"], row["CustomerAccount"]) for row in body["value"]]

    assert [code for code, _ in order] == sorted((code for code, _ in order), reverse=True)
    dollars = [account for code, account in order if code == "USD"]
    assert dollars == sorted(dollars)


async def test_count_counts_all_that_match_and_needs_no_rows(client: Client) -> None:
    body = await client.rows(
        "CustomersV3", filter="SalesCurrencyCode eq 'EUR'", count="true", top="0"
    )

    assert body["value"] == []
    assert body["@odata.count"] == sum(
        customer.currency == "EUR" for customer in client.sandbox.book.customers.values()
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CustomerAccount eq 'C-1001'", ["C-1001"]),
        ("CustomerAccount eq 'c-1001'", ["C-1001"]),
        ("CustomerAccount eq 'C-10*'", ["C-1001", "C-1002", "C-1003"]),
        ("CustomerAccount lt 'C-1003' and not (CustomerAccount eq 'C-1001')", ["C-1002"]),
        ("CustomerAccount eq 'C-1001' or CustomerAccount eq 'C-1003'", ["C-1001", "C-1003"]),
        ("CustomerAccount lt 'C-1003' and CustomerAccount ne '*2'", ["C-1001"]),
        ("CustomerAccount eq 'C-1001' and dataAreaId eq 'DEMF'", ["C-1001"]),
        ("OrganizationName eq 'O''Neill'", []),
    ],
)
async def test_filter_finds_what_it_says(client: Client, text: str, expected: list[str]) -> None:
    assert await accounts(client, filter=text) == expected


async def test_enum_compares_with_its_literal_and_is_shown_by_name(client: Client) -> None:
    literal = "Microsoft.Dynamics.DataEntities.NoYes'Yes'"
    body = await client.rows(
        "ProductDefaultOrderSettings", filter=f"IsSalesProcessingStopped eq {literal}"
    )

    assert {row["IsSalesProcessingStopped"] for row in body["value"]} == {"Yes"}
    assert {row["ItemNumber"][:3] for row in body["value"]} == {"OLD"}


async def test_numbers_and_dates_compare_by_value(client: Client) -> None:
    dear = await client.rows("ReleasedProductsV2", filter="SalesPrice gt 29.9 and SalesPrice le 40")
    dated = await client.rows(
        "SalesPriceAgreements", filter="PriceApplicableFromDate gt 2026-11-23T00:00:00Z", top="1"
    )

    assert [row["ItemNumber"] for row in dear["value"]] == ["LAMP-03"]
    assert dated["value"][0]["PriceApplicableFromDate"] == "2026-12-23T12:00:00Z"


@pytest.mark.parametrize(
    "options",
    [
        {"$filter": "CustomerAccount in ('C-1001','C-1002')"},
        {"$filter": "OnHoldStatus has Microsoft.Dynamics.DataEntities.CustVendorBlocked'No'"},
        {"$filter": "contains(CustomerAccount,'C')"},
        {"$filter": "OnHoldStatus eq 'No'"},
        {"$filter": "OnHoldStatus eq Microsoft.Dynamics.DataEntities.NoYes'No'"},
        {"$filter": "OnHoldStatus eq Microsoft.Dynamics.DataEntities.CustVendorBlocked'Maybe'"},
        {"$filter": "OnHoldStatus gt Microsoft.Dynamics.DataEntities.CustVendorBlocked'No'"},
        {"$filter": "Nonsense eq 'C-1001'"},
        {"$filter": "CustomerAccount eq 5"},
        {"$filter": "CustomerAccount eq"},
        {"$filter": "(CustomerAccount eq 'C-1001'"},
        {"$filter": "CustomerAccount eq 'C-1001' CustomerAccount"},
        {"$filter": "CustomerAccount eq 'C-1001"},
        {"$filter": "'C-1001' eq CustomerAccount"},
        {"$filter": "CustomerAccount"},
        {"$filter": "not " * 60 + "CustomerAccount eq 'C-1001'"},
        {"$select": "Nonsense"},
        {"$orderby": "Nonsense"},
        {"$orderby": "CustomerAccount sideways"},
        {"$top": "-1"},
        {"$skip": "x"},
        {"$skiptoken": "x"},
        {"$expand": "Company"},
        {"$apply": "aggregate(CreditLimit)"},
    ],
)
async def test_what_f_and_o_does_not_support_is_refused_in_its_envelope(
    client: Client, options: dict[str, str]
) -> None:
    answer = await client.get("/data/CustomersV3", **options, **{"cross-company": "true"})

    assert answer.status == 400
    assert set((await answer.json())["error"]) == ENVELOPE


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/data/CustomersV3(CustomerAccount='C-1001',dataAreaId='demf')", 200),
        ("/data/CustomersV3(dataAreaId='demf',CustomerAccount='C-9999')", 404),
        ("/data/CustomersV3(CustomerAccount='C-1001')", 400),
        ("/data/CustomersV3(nonsense)", 400),
        ("/data/CustomersV3(dataAreaId='demf',CustomerAccount='C-1001')?$select=Nonsense", 400),
        ("/data/Nonsense", 404),
        ("/data/Nonsense(Key='1')", 404),
        ("/data/customersv3", 404),
    ],
)
async def test_keyed_read_needs_the_whole_key(client: Client, path: str, status: int) -> None:
    mark = "&" if "?" in path else "?"
    answer = await client.get(f"{path}{mark}cross-company=true")

    assert answer.status == status


async def test_row_under_a_number_key_is_found(client: Client) -> None:
    first = (await client.rows("SalesPriceAgreements", top="1"))["value"][0]
    path = f"/data/SalesPriceAgreements(dataAreaId='demf',RecordId={first['RecordId']})"
    answer = await client.get(path, **{"cross-company": "true"})
    body = from_json(await answer.read())

    assert body.pop("@odata.context").endswith("#SalesPriceAgreements/$entity")
    assert body == first


async def test_data_cannot_be_written(client: Client) -> None:
    address = f"{client.sandbox.fo_url}/data/ReleasedProductsV2"
    answer = await client.session.post(address, json={}, headers=client.headers)

    assert answer.status == 405


async def test_version_action_answers_its_value(client: Client) -> None:
    path = "/data/DataManagementEntities/Microsoft.Dynamics.DataEntities.GetApplicationVersion"
    address = f"{client.sandbox.fo_url}{path}"
    answer = await client.session.post(address, headers=client.headers)

    assert (await answer.json())["value"] == "10.0.44"


TYPES = FieldTypes(
    {"A": 1, "B": Decimal(2), "Name": "x", "Flag": "Yes", "Day": "2026-11-23T12:00:00Z"},
    {"Flag": "NoYes"},
    {"NoYes": ("No", "Yes")},
)


@pytest.mark.parametrize(
    ("text", "is_true"),
    [
        ("A eq 1 or A eq 2 and B eq 9", True),
        ("(A eq 1 or A eq 2) and B eq 9", False),
        ("not A eq 1 or B eq 2", True),
        ("not (A eq 1 or B eq 2)", False),
        ("not not A eq 1", True),
        ("B ge 2.0 and B le 2", True),
        ("A ne -1 and A lt 1.5", True),
        ("Day eq 2026-11-23T12:00:00Z", True),
        ("Day gt 2026-11-23", True),
        ("Day lt 2026-11-23T13:00:00+01:00", False),
        ("Flag ne Microsoft.Dynamics.DataEntities.NoYes'No'", True),
        ("Name eq '*'", True),
        ("Name eq ''", False),
    ],
)
def test_operators_bind_as_odata_says(text: str, is_true: bool) -> None:  # noqa: FBT001 - a table
    row: Any = TYPES.sample

    assert row_condition(text, TYPES).test(row) is is_true


def test_text_that_is_no_date_is_refused() -> None:
    with pytest.raises(BadQueryError):
        row_condition("Day eq 2026-13-40", TYPES)
