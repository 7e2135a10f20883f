"""The control port: dials, and prices posted while the systems run."""

from typing import Any

import pytest
from aiohttp import ClientConnectorError

from pricing_proxy.sandbox.server import Sandbox
from tests.sandbox.conftest import Client, line

DIALS: dict[str, Any] = {
    "latency_ms": 0,
    "latency_spread_ms": 0,
    "error_rate": 0.0,
    "retry_after": None,
    "throttle_rate": 0.0,
    "commit_then_drop": 0.0,
    "dead": False,
    "black_hole": False,
    "token_revoked": False,
    "proof_faults": {},
    "drop_lines": [],
    "odd_lines": {},
    "poison_skus": [],
    "poison_lines": [],
    "deadlock_rate": 0.0,
    "gateway_page": None,
    "price_page": None,
    "rename_fields": {},
    "mandatory_fields": [],
    "tax_rounding": "total",
    "return_price_unit": False,
    "short_sets": {},
    "hidden_sets": {},
    "absent_sets": [],
    "reservation": "None",
    "zero_stock": False,
    "zero_prices": False,
    "catalog_share": 1.0,
    "event_loss": 0.0,
    "clock_ahead_seconds": 0,
}
SHOP_DIALS: dict[str, Any] = {
    **DIALS,
    "number_prefix": None,
    "account_attribute": False,
    "bare_taxes": 0.0,
    "row_latency_ms": 0,
    "search_down": False,
    "commit_then_refuse": 0.0,
    "input_limit": False,
    "array_limit": None,
    "max_page_size": None,
    "default_page_size": None,
    "write_cost": 0.0,
    "consumer_speed": 1.0,
    "consumer_dead": False,
    "page_latency_ms": 25,
    "page_ms_per_write": 5,
    "index_seconds": 60,
    "stock_index_seconds": 0,
    "translated": False,
    "order_save_ms": 0,
    "website_prices": False,
}


@pytest.mark.parametrize(
    ("system", "dials"), [("entra", DIALS), ("fo", DIALS), ("magento", SHOP_DIALS)]
)
async def test_every_system_has_its_dials(
    client: Client, system: str, dials: dict[str, Any]
) -> None:
    assert await (await client.control("GET", f"{system}/dials")).json() == dials
    assert await client.turn(system, latency_ms=5) == {**dials, "latency_ms": 5}
    assert await (await client.control("GET", f"{system}/dials")).json() == {
        **dials,
        "latency_ms": 5,
    }


async def test_magento_dies_and_comes_back(client: Client, sandbox: Sandbox) -> None:
    await client.turn("magento", dead=True)
    with pytest.raises(ClientConnectorError):
        await client.session.get(f"{sandbox.magento_url}/rest/V1/orders")
    await client.turn("magento", dead=False)
    answer = await client.session.get(f"{sandbox.magento_url}/rest/V1/orders")
    assert answer.status == 401


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("nonsense", 1),
        ("latency_ms", -1),
        ("latency_ms", 1.5),
        ("latency_ms", True),
        ("error_rate", 1.1),
        ("error_rate", "0.5"),
        ("retry_after", -1),
        ("retry_after", ""),
        ("retry_after", "7\r\nX-Other: 1"),
        ("retry_after", "\u0663"),
        ("retry_after", "9" * 5000),
        ("retry_after", True),
        ("dead", 1),
        ("dead", "true"),
        ("black_hole", None),
        ("drop_lines", "LAMP-01"),
        ("odd_lines", ["LAMP-01"]),
        ("odd_lines", {"LAMP-01": 1}),
        ("odd_lines", {"LAMP-01": ""}),
        ("poison_skus", [1]),
        ("poison_lines", {"customer": "C-1", "sku": "S-1"}),
        ("poison_lines", [{"customer": "C-1"}]),
        ("poison_lines", [{"customer": "C-1", "sku": 1}]),
        ("deadlock_rate", 2),
        ("gateway_page", 600),
        ("price_page", 199),
        ("price_page", "404"),
        ("throttle_rate", 2),
        ("commit_then_drop", -0.1),
        ("tax_rounding", "unit"),
        ("return_price_unit", 100),
        ("short_sets", {"CustomersV3": -1}),
        ("short_sets", ["CustomersV3"]),
        ("hidden_sets", {"CustomersV3": "60"}),
        ("rename_fields", ["CustomersV3.LanguageId"]),
        ("rename_fields", {"LanguageId": "Language"}),
        ("rename_fields", {"CustomersV3.LanguageId": "a b"}),
        ("mandatory_fields", "CustomersV3.LanguageId"),
        ("mandatory_fields", ["LanguageId"]),
        ("mandatory_fields", [1]),
        ("clock_ahead_seconds", "7200"),
        ("website_prices", True),
    ],
)
async def test_wrong_dial_is_a_422_that_names_it_and_turns_nothing(
    client: Client, member: str, value: Any
) -> None:
    await _refused(client, "fo", member, value)
    assert await (await client.control("GET", "fo/dials")).json() == DIALS


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("number_prefix", True),
        ("number_prefix", "12345678901"),
        ("account_attribute", None),
        ("bare_taxes", 1.5),
        ("row_latency_ms", -1),
        ("search_down", 1),
        ("array_limit", 0),
        ("default_page_size", "10"),
        ("write_cost", -1),
        ("consumer_speed", 0),
        ("consumer_speed", True),
        ("index_seconds", 90_000),
    ],
)
async def test_wrong_dial_of_the_shop_is_refused_likewise(
    client: Client, member: str, value: Any
) -> None:
    await _refused(client, "magento", member, value)
    assert await (await client.control("GET", "magento/dials")).json() == SHOP_DIALS


async def _refused(client: Client, system: str, member: str, value: Any) -> None:
    answer = await client.control("PATCH", f"{system}/dials", {"latency_ms": 9, member: value})
    problem = await answer.json()

    assert answer.status == 422
    assert answer.content_type == "application/problem+json"
    assert problem["errors"][0]["pointer"] == f"/{member}"


@pytest.mark.parametrize("path", ["bc/dials", "bc/calls"])
async def test_unknown_system_is_a_404(client: Client, path: str) -> None:
    answer = await client.control("GET", path)

    assert answer.status == 404
    assert (await answer.json())["type"] == "/problems/unknown_system"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_broken_body_is_a_400(client: Client, body: bytes) -> None:
    address = f"{client.sandbox.control_url}/systems/fo/dials"
    answer = await client.session.patch(address, data=body)

    assert answer.status == 400


async def post(client: Client, **members: Any) -> Any:
    whole = {"account_type": "table", "account": "C-1001", "sku": "LAMP-01", "price": "17.50"}
    answer = await client.control("POST", "fo/prices", {**whole, **members})
    assert answer.status == 201, await answer.text()
    return await answer.json()


async def unit_price(client: Client, sku: str = "LAMP-01", quantity: int = 1, **more: Any) -> str:
    return str((await client.priced(line(sku, quantity), **more))[0]["unitPrice"])


@pytest.mark.parametrize("price", ["17.50", "21.00"])
async def test_posted_price_holds_at_once_whether_lower_or_higher(
    client: Client, price: str
) -> None:
    before = await client.rows("TradeAgreementJournalHeaders")
    journal = (await post(client, price=price))["journal"]
    after = await client.rows("TradeAgreementJournalHeaders")
    posted = after["value"][-1]

    assert await unit_price(client) == price
    assert len(after["value"]) == len(before["value"]) + 1
    assert (posted["JournalNumber"], posted["Posted"]) == (journal, "Yes")
    assert posted["PostedDate"] == "2026-11-23T12:00:00Z"


async def test_posted_price_replaces_the_agreement_it_succeeds(client: Client) -> None:
    where = "CustomerAccountNumber eq 'C-1001' and ItemNumber eq 'LAMP-02'"
    where += " and PriceCurrencyCode eq 'EUR'"
    await post(client, sku="LAMP-02", price=28)
    rows = (await client.rows("SalesPriceAgreements", filter=where))["value"]

    assert [row["Price"] for row in rows] == [28]
    assert rows[0]["WillSearchContinue"] == "No"


async def test_predecessor_stays_valid_around_a_limited_price(client: Client) -> None:
    await post(client, price="17.50", from_date="2026-11-25", to_date="2026-11-26")
    days = {day: await unit_price(client, date=f"2026-11-{day}") for day in range(24, 28)}

    assert days == {24: "19.00", 25: "17.50", 26: "17.50", 27: "19.00"}


async def test_price_of_a_bracket_leaves_the_others_alone(client: Client) -> None:
    await post(client, price="16.10", from_quantity="20", to_quantity="30", find_next=True)

    assert await unit_price(client, quantity=19) == "19.00"
    assert await unit_price(client, quantity=20) == "16.10"
    assert await unit_price(client, quantity=31) == "19.00"


async def test_prices_for_a_group_and_for_all_reach_whom_they_name(client: Client) -> None:
    await post(client, account_type="group", account="B2B", price="18.11")
    await post(client, account_type="all", account=None, price="18.22")

    assert await unit_price(client, customerAccount="C-1002") == "18.11"
    assert await unit_price(client, customerAccount="C-1003") == "18.22"


async def test_price_of_a_variant_is_its_own(client: Client) -> None:
    sku = "SHADE-0001 : : S : Black :"
    await post(client, account_type="all", account=None, sku=sku, price="5.55")
    small = line("SHADE-0001", colorId="Black", sizeId="S")
    medium = line("SHADE-0001", colorId="Black", sizeId="M")
    priced = await client.priced(small, medium, customerAccount="C-1003")

    assert str(priced[0]["unitPrice"]) == "5.55"
    assert str(priced[1]["unitPrice"]) != "5.55"


async def test_other_terms_are_taken_over(client: Client) -> None:
    terms = {"price_unit": "100", "currency": "USD", "unit": "BOX"}
    await post(client, price="1234.5600", **terms)
    priced = await client.priced(line("LAMP-01", unit="BOX"), currency="USD")

    assert str(priced[0]["unitPrice"]) == "1234.5600"
    assert priced[0]["priceUnit"] == 100


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("nonsense", 1),
        ("account_type", "everybody"),
        ("account", None),
        ("account", "C-0"),
        ("sku", "LAMP-99"),
        ("sku", 5),
        ("price", None),
        ("price", "cheap"),
        ("price", "-1"),
        ("price", "NaN"),
        ("price", "1e30"),
        ("price", "0.0000001"),
        ("price", True),
        ("price_unit", []),
        ("from_quantity", "x"),
        ("to_quantity", "x"),
        ("currency", "JPY"),
        ("unit", "TON"),
        ("from_date", "soon"),
        ("to_date", 20261123),
        ("find_next", "yes"),
    ],
)
async def test_wrong_member_of_a_price_is_a_422_that_names_it(
    client: Client, member: str, value: Any
) -> None:
    whole = {"account_type": "table", "account": "C-1001", "sku": "LAMP-01", "price": "17.50"}
    answer = await client.control("POST", "fo/prices", {**whole, member: value})

    assert answer.status == 422
    assert (await answer.json())["errors"][0]["pointer"] == f"/{member}"
    assert await unit_price(client) == "19.00"


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"account_type": "all"}, "/account"),
        ({"from_date": "2026-12-02", "to_date": "2026-12-01"}, "/to_date"),
    ],
)
async def test_members_that_contradict_each_other_are_refused(
    client: Client, members: dict[str, str], pointer: str
) -> None:
    whole = {"account_type": "table", "account": "C-1001", "sku": "LAMP-01", "price": "17.50"}
    answer = await client.control("POST", "fo/prices", {**whole, **members})

    assert answer.status == 422
    assert (await answer.json())["errors"][0]["pointer"] == pointer


async def test_a_page_of_somebody_else_turns_no_dials(client: Client, sandbox: Sandbox) -> None:
    """It would only need a name of its own that leads to this machine."""
    address = f"{sandbox.control_url}/systems/fo/dials"
    headers = {"Host": "attacker.example"}
    async with client.session.patch(address, json={"dead": True}, headers=headers) as answer:
        assert answer.status == 421
    assert await (await client.control("GET", "fo/dials")).json() == DIALS
