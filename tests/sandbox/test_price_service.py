"""The price service over HTTP: number texts, errors per line, and what refuses a whole batch."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import Client, line


async def test_number_texts_keep_their_scale(client: Client) -> None:
    answer = await client.ask_prices(line("LAMP-01", 10))

    assert await answer.text() == (
        '{"$id":"1","lines":[{"$id":"2","ref":"LAMP-01","unitPrice":19.00,"priceUnit":1,'
        '"priceCharges":0,"lineDiscPercent":10,"lineDiscAmount":0,"multilineDiscPercent":0,'
        '"netAmount":171.00,"currency":"EUR","source":"TradeAgreement","error":null}]}'
    )


async def test_each_line_is_answered_under_its_ref_in_order(client: Client) -> None:
    lines = [line(f"LAMP-{number:02}", number) for number in range(1, 25)]
    priced = await client.priced(*lines)

    assert [each["ref"] for each in priced] == [each["ref"] for each in lines]
    assert len({each["unitPrice"] for each in priced}) == 24


async def test_half_of_a_surrogate_pair_is_no_text(client: Client) -> None:
    """No answer could repeat it, and so it was an error of the sandbox's own."""
    answer = await client.ask_prices(line("LAMP-\ud83d", 1))
    assert answer.status == 400


async def test_quantity_may_be_a_fraction_and_is_exact(client: Client) -> None:
    priced = await client.priced(line("CABLE-0001", 0.1, unit="M"), customerAccount="C-1003")

    assert priced[0]["netAmount"] == (priced[0]["unitPrice"] * Decimal("0.1")).quantize(
        Decimal("0.01")
    )


async def test_price_per_hundred_is_priced_per_hundred(client: Client) -> None:
    priced = await client.priced(line("LAMP-21", 200), customerAccount="C-1003")

    assert priced[0]["priceUnit"] == 100
    assert priced[0]["netAmount"] == 2 * priced[0]["unitPrice"]


async def test_variant_is_priced_by_its_dimensions(client: Client) -> None:
    black = line("SHADE-0001", colorId="Black", sizeId="S")
    red = line("SHADE-0001", colorId="red", sizeId="s")
    priced = await client.priced(black, red, customerAccount="C-1003")

    assert priced[0]["error"] is priced[1]["error"] is None
    assert priced[0]["unitPrice"] != priced[1]["unitPrice"]


async def test_box_is_priced_by_the_items_own_conversion(client: Client) -> None:
    priced = await client.priced(
        line("LAMP-02", unit="BOX"), line("LAMP-03", unit="BOX"), customerAccount="C-1003"
    )

    assert [str(each["unitPrice"]) for each in priced] == ["747.50", "399.00"]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (line("LAMP-99"), "ItemNotFound"),
        (line("SHADE-0001", colorId="Pink"), "ItemNotFound"),
        (line("LAMP-01", colorId="Black"), "ItemNotFound"),
        (line("LAMP-01", unit="M"), "UnitNotConvertible"),
        (line("LAMP-01", unit="NONE"), "UnitNotConvertible"),
        (line("OLD-0001"), "NotForSale"),
        (line("NEW-0001"), "NoPriceFound"),
    ],
)
async def test_line_that_cannot_be_priced_says_why_and_fails_no_other(
    client: Client, asked: dict[str, Any], error: str
) -> None:
    failed, good = await client.priced(asked, line("LAMP-01"))

    assert (failed["error"], failed["unitPrice"], failed["netAmount"]) == (error, 0, 0)
    assert good["error"] is None


async def test_unknown_customer_is_said_on_every_line(client: Client) -> None:
    priced = await client.priced(line("LAMP-01"), line("LAMP-02"), customerAccount="C-0")

    assert {each["error"] for each in priced} == {"CustomerNotFound"}


async def test_contract_price_ends_with_the_year(client: Client) -> None:
    days = ("2026-12-31", "2027-01-01")
    answers = [await client.priced(line("LAMP-02"), date=day) for day in days]

    assert [str(answer[0]["unitPrice"]) for answer in answers] == ["29.00", "29.90"]
    assert [answer[0]["source"] for answer in answers] == ["TradeAgreement", "BasePrice"]


@pytest.mark.parametrize(
    "request_member",
    [
        {"dataAreaId": "usmf"},
        {"customerAccount": None},
        {"date": "tomorrow"},
        {"lines": "none"},
        {"lines": [{"ref": "1"}]},
        {"lines": [line("LAMP-01", "10")]},
        {"lines": [line("LAMP-01", quantity=True)]},
        {"lines": [line("LAMP-01", 10**40)]},
        {"lines": [line("LAMP-01", float("nan"))]},
        {"lines": [line("LAMP-01", colorId=5)]},
        {"lines": [line("LAMP-01", number) for number in range(101)]},
    ],
)
async def test_request_outside_the_contract_is_refused_whole(
    client: Client, request_member: dict[str, Any]
) -> None:
    answer = await client.ask_prices(line("LAMP-01"), **request_member)

    assert answer.status == 500
    assert (await answer.json())["error"]["innererror"]["type"] == (
        "System.InvalidOperationException"
    )


@pytest.mark.parametrize("body", [{}, {"request": {}}, [], None, "text"])
async def test_body_without_the_parameter_is_refused(client: Client, body: Any) -> None:
    answer = await client.post_prices(body)

    assert answer.status == 500
    assert "innererror" in (await answer.json())["error"]


async def test_a_hundred_lines_are_priced(client: Client) -> None:
    assert len(await client.priced(*[line("LAMP-01", n) for n in range(1, 101)])) == 100


async def test_dropped_skus_are_left_out_silently(client: Client) -> None:
    await client.turn("fo", drop_lines=["lamp-02", "SHADE-0001 : : S : Black :"])
    priced = await client.priced(
        line("LAMP-01"),
        line("LAMP-02"),
        line("SHADE-0001", colorId="Black", sizeId="S"),
        line("SHADE-0001", colorId="Black", sizeId="M"),
    )

    assert [each["ref"] for each in priced] == ["LAMP-01", "SHADE-0001"]


async def test_batch_with_a_poisoned_sku_is_refused_whole(client: Client) -> None:
    await client.turn("fo", poison_skus=["LAMP-02"])

    assert (await client.ask_prices(line("LAMP-01"))).status == 200
    answer = await client.ask_prices(line("LAMP-01"), line("LAMP-02"))
    assert answer.status == 500
    assert "innererror" in (await answer.json())["error"]


async def test_batch_with_a_customer_s_poisoned_line_is_refused_to_that_customer(
    client: Client,
) -> None:
    """As F&O does where a validation fails for one customer, such as a blocked agreement."""
    await client.turn("fo", poison_lines=[{"customer": "c-1001", "sku": "lamp-02"}])

    assert (await client.ask_prices(line("LAMP-01"))).status == 200
    refused = await client.ask_prices(line("LAMP-01"), line("LAMP-02"))
    other = await client.ask_prices(line("LAMP-01"), line("LAMP-02"), customerAccount="C-1002")

    assert (refused.status, other.status) == (400, 200)
    assert "LAMP-02" in (await refused.json())["error"]["innererror"]["message"]


async def test_some_batches_are_victims_of_a_deadlock_and_go_well_when_asked_again(
    client: Client,
) -> None:
    """A 500 with the application's message, which says nothing about any line."""
    await client.turn("fo", deadlock_rate=0.4)

    answers = [await client.ask_prices(line("LAMP-01")) for _ in range(60)]
    victims = [answer for answer in answers if answer.status == 500]

    assert 10 < len(victims) < 40
    assert "deadlock" in (await victims[0].json())["error"]["innererror"]["message"]
    assert {answer.status for answer in answers} == {200, 500}
