"""A price belongs to the line that asked for it, or to none."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.d365.fo.price_calls import (
    OddLine,
    PricedLines,
    PriceRequest,
    PriceRequestLine,
    read_price_answer,
)
from pricing_proxy.d365.json_numbers import NOT_A_NUMBER, read_odd_json
from pricing_proxy.money import ImplausibleNumber, NumberText
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamMismatchError

quantities = st.decimals(min_value=Decimal("0.000001"), max_value=Decimal(999_999_999), places=6)
refs = st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=20, unique=True)


def request_for(*names: str, quantity: Decimal = Decimal(1)) -> PriceRequest:
    lines = (
        PriceRequestLine(ref=name, item_number="LAMP-01", unit="PCS", quantity=quantity)
        for name in names
    )
    return PriceRequest(
        company="demf",
        customer="C-1001",
        currency="EUR",
        day=date(2026, 11, 23),
        lines=tuple(lines),
    )


def answer_line(ref: str, **members: Any) -> dict[str, Any]:
    number = NumberText
    return {
        "$id": "2",
        "ref": ref,
        "unitPrice": number("19.00"),
        "priceUnit": number("1"),
        "netAmount": number("19.00"),
        "currency": "EUR",
        "error": None,
    } | members


def read(request: PriceRequest, *lines: dict[str, Any]) -> PricedLines:
    return read_price_answer(request, {"lines": list(lines)}, system="fo")


@given(quantity=quantities)
def test_a_quantity_is_sent_digit_by_digit_as_a_number(quantity: Decimal) -> None:
    body = request_for("1", quantity=quantity).body()
    assert f'"quantity":{quantity:f}}}'.encode() in body
    line = json.loads(body, parse_float=Decimal, parse_int=Decimal)["_request"]["lines"][0]
    assert line["quantity"] == quantity


def test_the_body_has_the_agreed_members() -> None:
    variant = PriceRequestLine(
        ref="1",
        item_number="T0020",
        unit="ea",
        quantity=Decimal("2.50"),
        color="Black",
        size="M",
        style="S",
        configuration="K",
        version="V",
    )
    plain = PriceRequestLine(ref="2", item_number="D0001", unit="ea", quantity=Decimal(10))
    request = PriceRequest(
        company="usmf",
        customer="US-050",
        currency="USD",
        day=date(2025, 3, 7),
        lines=(variant, plain),
    )
    assert json.loads(request.body()) == {
        "_request": {
            "dataAreaId": "usmf",
            "customerAccount": "US-050",
            "currency": "USD",
            "date": "2025-03-07",
            "lines": [
                {
                    "ref": "1",
                    "itemNumber": "T0020",
                    "colorId": "Black",
                    "sizeId": "M",
                    "styleId": "S",
                    "configId": "K",
                    "versionId": "V",
                    "unit": "ea",
                    "quantity": 2.5,
                },
                {"ref": "2", "itemNumber": "D0001", "unit": "ea", "quantity": 10},
            ],
        }
    }


@given(asked=refs, data=st.data())
def test_lines_are_matched_by_ref_and_the_rest_is_missing(
    asked: list[str], data: st.DataObject
) -> None:
    answered = data.draw(st.permutations(asked))[: data.draw(st.integers(0, len(asked)))]
    answer = read(request_for(*asked), *(answer_line(ref, source=ref) for ref in answered))
    assert {ref: line.source for ref, line in answer.lines.items()} == {r: r for r in answered}
    assert answer.missing == tuple(ref for ref in asked if ref not in answered)


def test_a_line_answered_twice_spoils_the_answer() -> None:
    with pytest.raises(UpstreamMismatchError, match="repeats"):
        read(request_for("1", "2"), answer_line("1"), answer_line("1"))


def test_a_line_nobody_asked_for_spoils_the_answer() -> None:
    with pytest.raises(UpstreamMismatchError, match="nobody asked"):
        read(request_for("1"), answer_line("1"), answer_line("2"))


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"currency": "USD"}, OddLine.OTHER_CURRENCY),
        ({"currency": None}, OddLine.OTHER_CURRENCY),
        ({"currency": 7}, OddLine.UNREADABLE),
        ({"netAmount": None}, OddLine.UNREADABLE),
        ({"netAmount": NOT_A_NUMBER}, OddLine.UNREADABLE),
        ({"netAmount": "19.00"}, OddLine.UNREADABLE),
        ({"lineDiscPercent": {}}, OddLine.UNREADABLE),
        ({"netAmount": ImplausibleNumber("1e99")}, OddLine.IMPLAUSIBLE),
        ({"lineDiscPercent": ImplausibleNumber("1e99")}, OddLine.IMPLAUSIBLE),
        ({"error": ["CustomerBlocked"]}, OddLine.UNREADABLE),
    ],
)
def test_an_odd_line_spoils_nothing_but_itself(members: dict[str, Any], why: OddLine) -> None:
    answer = read(request_for("1", "2", "3"), answer_line("1"), answer_line("2", **members))
    assert list(answer.lines) == ["1"]
    assert (answer.odd, answer.missing) == ({"2": why}, ("3",))


JUNK = ["null", "NaN", "-Infinity", "1e99", '"x"', '""', "[]", "{}", "true", "7", "-0.00"]
LINE_MEMBERS = [
    *("unitPrice", "priceUnit", "priceCharges", "lineDiscPercent", "lineDiscAmount"),
    *("netAmount", "currency", "source", "error", "more"),
]


@given(
    junk=st.dictionaries(st.sampled_from(LINE_MEMBERS), st.sampled_from(JUNK), min_size=1),
    place=st.integers(0, 2),
    nameless=st.lists(st.sampled_from(["null", "7", "{}", '{"ref":null,"netAmount":1}'])),
)
def test_whatever_one_line_holds_the_others_are_read(
    junk: dict[str, str], place: int, nameless: list[str]
) -> None:
    plain = {"unitPrice": "19.00", "priceUnit": "1", "netAmount": "19.00", "currency": '"EUR"'}
    lines = [
        "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}"
        for members in (
            {"ref": f'"{number}"', **plain, **(junk if number == place else {})}
            for number in range(3)
        )
    ]
    body = read_odd_json(f'{{"lines":[{",".join([*nameless, *lines])}]}}'.encode())
    answer = read_price_answer(request_for("0", "1", "2"), body, system="fo")
    assert answer.missing == ()
    for ref in {"0", "1", "2"} - {str(place)}:
        assert answer.lines[ref].netAmount == "19.00"
    odd = answer.lines.get(str(place))
    if odd is not None and odd.error is None:
        assert all(name in odd.model_fields_set or name == "more" for name in junk)
        assert odd.currency == "EUR"
        assert isinstance(odd.netAmount, NumberText)


@pytest.mark.parametrize("nameless", [None, 1, "2", [], {}, {"ref": None}, {"ref": ["2"]}])
def test_what_names_no_line_is_nobodys(nameless: Any) -> None:
    answer = read(request_for("1", "2"), nameless, answer_line("1"))
    assert (list(answer.lines), answer.odd, answer.missing) == (["1"], {}, ("2",))


def test_an_error_needs_nothing_beside_it() -> None:
    line = answer_line("1", error="CustomerBlocked", netAmount=NOT_A_NUMBER, currency=7)
    answer = read(request_for("1"), line)
    assert answer.lines["1"].error == "CustomerBlocked"


def test_a_line_without_a_price_needs_no_currency() -> None:
    answer = read(request_for("1"), {"ref": "1", "error": "NoPriceFound"})
    assert answer.missing == ()


@pytest.mark.parametrize("body", [None, [], {}, {"lines": None}, {"lines": [1]}, {"lines": [{}]}])
def test_what_is_no_price_answer_is_a_broken_contract(body: Any) -> None:
    with pytest.raises(UpstreamContractError, match="not a price answer"):
        read_price_answer(request_for("1"), body, system="fo")


def test_an_error_message_holds_no_price() -> None:
    with pytest.raises(UpstreamContractError) as caught:
        read_price_answer(request_for("1"), {"lines": {"1": "4711.00"}}, system="fo")
    assert "4711" not in str(caught.value)


@pytest.mark.parametrize("quantity", ["0", "-1", "NaN", "Infinity"])
def test_a_quantity_is_above_zero(quantity: str) -> None:
    with pytest.raises(ValueError, match="above zero"):
        request_for("1", quantity=Decimal(quantity))


def test_a_call_has_its_limits() -> None:
    assert len(request_for(*map(str, range(100))).lines) == 100
    with pytest.raises(ValueError, match="1 to 100"):
        request_for(*map(str, range(101)))
    with pytest.raises(ValueError, match="1 to 100"):
        request_for()
    with pytest.raises(ValueError, match="ref of its own"):
        request_for("1", "1")
