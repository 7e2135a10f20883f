"""Every worked example of F&O's rules that was found, named by its source."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.agreements.fo.net import LineTerms, SummedDiscount
from pricing_proxy.agreements.fo.quote import AskedPrice, LocalQuote
from pricing_proxy.agreements.fo.rows import (
    AgreedDiscount,
    AgreedPrice,
    PricedCustomer,
    PricedItem,
)
from pricing_proxy.agreements.fo.rules import DiscountPolicy, PricingTerms
from tests.agreements.both_sides import OurSide

DATA = Path(__file__).parent.parent / "data" / "pricing_worked_examples.json"
POLICIES = {
    "Line": DiscountPolicy.LINE,
    "Multiline": DiscountPolicy.MULTILINE,
    "MAX": DiscountPolicy.MAX,
    "MIN": DiscountPolicy.MIN,
    "Line+Multiline": DiscountPolicy.LINE_PLUS_MULTILINE,
    "Line*Multiline": DiscountPolicy.LINE_TIMES_MULTILINE,
}
ON = date(2025, 3, 7)


def examples() -> list[Any]:
    cases = json.loads(DATA.read_text(), parse_float=Decimal)["cases"]
    return [pytest.param(case, id=f"{case['source']}: {case['name']}") for case in cases]


def line_of(
    query: dict[str, Any],
    *,
    prices: tuple[AgreedPrice, ...] = (),
    discounts: tuple[AgreedDiscount, ...] = (),
    policy: str = "Line",
) -> tuple[LineTerms, PricingTerms]:
    quantity = Decimal(query["quantity"])
    side = OurSide(
        item=PricedItem(
            number=query["item"],
            sales_unit=query["unit"],
            inventory_unit=query["unit"],
            base_price=Decimal(query.get("unit_price", 0)),
            line_discount_group=query["item_line_disc_group"],
            conversions={("box", query["unit"]): Fraction(12)},
        ),
        customer=PricedCustomer(
            account=query["customer"],
            price_group=query["price_group"],
            line_discount_group=query["line_disc_group"],
        ),
        terms=PricingTerms(currency=query["currency"], policy=POLICIES[policy]),
        prices=prices,
        discounts=discounts,
        asked=AskedPrice(
            quantity=quantity,
            unit=query["unit"],
            currency=query["currency"],
            on=date.fromisoformat(query["date"]),
        ),
    )
    quote = side.quote()
    assert isinstance(quote, LocalQuote)
    line = quote.at(quantity)
    assert line is not None
    return line, side.terms


def row_of(number: int, row: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    dates = ("from_date", "to_date")
    ends: dict[str, Any] = {}
    ends.update((each, date.fromisoformat(row[each])) for each in dates if each in row)
    return {
        "record_id": number,
        "currency": query["currency"],
        "unit": row.get("unit", query["unit"]),
        "from_quantity": Decimal(row.get("from_qty", 0)),
        "to_quantity": Decimal(row.get("to_qty", 0)),
        "find_next": row["find_next"],
        "account": query["customer"] if row["account"] == "table" else "",
        **ends,
    }


@pytest.mark.parametrize("case", examples())
def test_worked_example_comes_out(case: dict[str, Any]) -> None:
    query, expected = case["query"], case["expected"]
    rows = [(row, row_of(number, row, query)) for number, row in enumerate(case["rows"])]
    if case["kind"] == "price":
        prices = tuple(
            AgreedPrice(
                **shared,
                group=query["price_group"] if row["account"] == "group" else "",
                item=query["item"],
                price=Decimal(row["price"]),
                price_unit=Decimal(row["price_unit"]),
            )
            for row, shared in rows
        )
        line, _ = line_of(query, prices=prices)
        assert line.price / line.price_unit == expected["unit_price"]
        assert line.price_row is not None
        return
    discounts = tuple(
        AgreedDiscount(
            **shared,
            group=query["line_disc_group"] if row["account"] == "group" else "",
            item=query["item"] if row["item_code"] == "table" else "",
            item_group=query["item_line_disc_group"] if row["item_code"] == "group" else "",
            percent1=Decimal(row["p1"]),
            percent2=Decimal(row["p2"]),
            amount=Decimal(row["amount"]),
        )
        for row, shared in rows
    )
    if case["kind"] == "combination":
        percent = Decimal(query["line_percent"])
        shared = row_of(0, {"find_next": True, "account": "table"}, query)
        discounts = (AgreedDiscount(**shared, item=query["item"], percent1=percent),)
    line, terms = line_of(query, discounts=discounts, policy=query.get("policy", "Line"))
    multiline = SummedDiscount(percent1=Decimal(query.get("multiline_percent", 0)))
    if "p1" in expected:
        assert line.discount.percent1 == expected["p1"]
    quantity = Decimal(query["quantity"])
    assert line.line_net(quantity, terms, multiline) == Fraction(Decimal(expected["net"]))


QUERY = {
    "customer": "US-050",
    "price_group": "B2B",
    "line_disc_group": "LD1",
    "item": "D0001",
    "item_line_disc_group": "SPK",
    "unit": "ea",
    "currency": "USD",
    "date": ON.isoformat(),
}


def test_price_management_md_ten_for_fifty_is_twenty_cents_each() -> None:
    row = AgreedPrice(
        record_id=1, item="D0001", unit="ea", currency="USD", price=Decimal(10),
        price_unit=Decimal(50),
    )  # fmt: skip

    line, terms = line_of({**QUERY, "quantity": 1}, prices=(row,))

    assert line.line_net(Decimal(1), terms) == Fraction(1, 5)


def test_sample_of_the_custom_service_ten_pieces_with_two_discounts() -> None:
    """`pricing.custom-service.response.json`, from the rows of the other samples."""
    shared: dict[str, Any] = {"currency": "USD", "find_next": True}
    price = AgreedPrice(
        record_id=5637144576, account="US-050", item="D0001", unit="ea", currency="USD",
        price=Decimal(15), find_next=False,
    )  # fmt: skip
    cheaper = AgreedPrice(
        record_id=5637144579, item="D0001", unit="ea", price=Decimal(10), **shared
    )
    own = AgreedDiscount(
        record_id=5637145001, account="US-050", item_group="SPK", percent1=Decimal(2),
        percent2=Decimal(2), **shared,
    )  # fmt: skip
    group = AgreedDiscount(record_id=5637145002, group="LD1", percent1=Decimal(3), **shared)

    line, terms = line_of(
        {**QUERY, "quantity": 10}, prices=(price, cheaper), discounts=(own, group)
    )

    assert (line.price, line.price_unit, line.discount.percent) == (
        Decimal(15),
        Decimal(1),
        Decimal("6.9"),
    )
    assert line.line_net(Decimal(10), terms) == Fraction("139.65")
