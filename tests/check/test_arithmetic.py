"""Time zones and price sums: exact, and without an ERP."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.check.price_sum import adds_up, expected
from pricing_proxy.check.time_zones import offset_of_member, offset_text, standard_offset
from pricing_proxy.d365.fo.models import PriceLine
from pricing_proxy.money import NumberText

CENT = Decimal("0.01")


@pytest.mark.parametrize(
    ("member", "offset"),
    [
        ("GMTPLUS0100_AMSTERDAM_BERLIN_BERN_ROME", "+01:00"),
        ("GMTMINUS0500_EASTERNTIME", "-05:00"),
        ("GMTMINUS0330_NEWFOUNDLAND", "-03:30"),
        ("GMTPLUS0545_KATHMANDU", "+05:45"),
        ("GMTPlus0100_Brussels", "+01:00"),
        ("GMT_COORDINATEDUNIVERSALTIME", "+00:00"),
        ("GMT", "+00:00"),
    ],
)
def test_enum_member_carries_its_offset(member: str, offset: str) -> None:
    found = offset_of_member(member)

    assert found is not None
    assert offset_text(found) == offset


@pytest.mark.parametrize("member", ["", "Berlin", "GMTPLUS", "GMTPLUS1", "GMTMINUS05000", "GMT9"])
def test_other_spelling_has_no_offset(member: str) -> None:
    assert offset_of_member(member) is None


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("Europe/Berlin", "+01:00"),
        ("Europe/Dublin", "+00:00"),
        ("America/New_York", "-05:00"),
        ("Australia/Sydney", "+10:00"),
        ("Africa/Casablanca", "+00:00"),
        ("Asia/Kolkata", "+05:30"),
        ("UTC", "+00:00"),
    ],
)
def test_standard_offset_knows_no_summer_time(zone: str, offset: str) -> None:
    assert offset_text(standard_offset(ZoneInfo(zone), 2026)) == offset


@given(st.integers(-14 * 60, 14 * 60))
def test_member_and_text_agree(minutes: int) -> None:
    text = offset_text(timedelta(minutes=minutes))
    word = {"+": "PLUS", "-": "MINUS"}[text[0]]

    member = f"GMT{word}{text[1:].replace(':', '')}_SOMEWHERE"
    assert offset_of_member(member) == timedelta(minutes=minutes)


def line(net: str, **numbers: str) -> PriceLine:
    members: dict[str, Any] = {
        "unitPrice": "100",
        "priceUnit": "1",
        "netAmount": net,
        **numbers,
    }
    texts = {name: NumberText(text) for name, text in members.items()}
    return PriceLine.model_validate({"ref": "1", "currency": "EUR", **texts})


@pytest.mark.parametrize(
    ("priced", "is_right"),
    [
        (line("1000"), True),
        (line("1000.005"), True),
        (line("1000.0051"), False),
        (line("999.99"), False),
        (line("10", priceUnit="100"), True),
        (line("1000", priceUnit="0"), True),
        (line("1002.50", priceCharges="2.5"), True),
        (line("1025", priceCharges="2.5"), False),
        (line("855", lineDiscAmount="5", lineDiscPercent="10"), True),
        (line("850", lineDiscAmount="5", lineDiscPercent="10"), False),
        (line("900", lineDiscPercent="10", multilineDiscPercent="5"), True),
        (line("950", lineDiscPercent="10", multilineDiscPercent="5"), True),
        (line("850", lineDiscPercent="10", multilineDiscPercent="5"), True),
        (line("855", lineDiscPercent="10", multilineDiscPercent="5"), True),
        (line("860", lineDiscPercent="10", multilineDiscPercent="5"), False),
    ],
)
def test_net_amount_follows_from_price_and_discounts(priced: PriceLine, is_right: bool) -> None:  # noqa: FBT001 -- a column of the table
    assert adds_up(priced, Decimal(10), step=CENT) is is_right


def test_currency_that_rounds_to_five_cents_may_be_off_by_half_of_it() -> None:
    assert adds_up(line("1000.02"), Decimal(10), step=Decimal("0.05"))
    assert not adds_up(line("1000.03"), Decimal(10), step=Decimal("0.05"))


def test_expected_amount_is_shown_to_four_decimals() -> None:
    priced = line("0", unitPrice="10", priceUnit="3")

    assert str(expected(priced, Decimal(1))) == "3.3333"


amounts = st.decimals("0.01", "99999", places=4)


@given(price=amounts, price_unit=st.sampled_from(["1", "10", "100", "7"]), quantity=amounts)
def test_amount_rounded_to_a_cent_always_adds_up_and_two_cents_more_never_do(
    price: Decimal, price_unit: str, quantity: Decimal
) -> None:
    exact = Fraction(quantity) * Fraction(price) / int(price_unit)
    net = Decimal(round(exact * 100)).scaleb(-2)
    numbers = {"unitPrice": str(price), "priceUnit": price_unit}

    assert adds_up(line(str(net), **numbers), quantity, step=CENT)
    assert not adds_up(line(str(net + CENT + CENT), **numbers), quantity, step=CENT)
