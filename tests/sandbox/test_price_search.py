"""The naive price search against worked examples of F&O's rules and against its own rules."""

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.sandbox.agreement_match import Question
from pricing_proxy.sandbox.book import (
    NO_DIMENSIONS,
    Book,
    Conversion,
    Customer,
    Dimensions,
    Discount,
    Item,
    PriceAgreement,
    Relation,
)
from pricing_proxy.sandbox.discount_search import (
    FoundDiscount,
    Policy,
    find_line_discount,
    line_net,
    rounded,
)
from pricing_proxy.sandbox.price_search import FoundPrice, find_price

DATA = Path(__file__).parent.parent / "data" / "pricing_worked_examples.json"
TODAY = date(2026, 11, 23)
CUSTOMER = Customer(
    account="C1", name="One", currency="EUR", price_group="PG", line_discount_group="LD"
)
ITEM = Item(number="I", name="Item", base_price=Decimal("50.00"), line_discount_group="IG")
ACCOUNTS = {"table": "C1", "group": "PG", "all": ""}


def examples() -> list[Any]:
    cases = json.loads(DATA.read_text(), parse_float=Decimal)["cases"]
    return [pytest.param(case, id=case["name"]) for case in cases]


def agreement(account: str = "all", price: str = "10", **more: Any) -> PriceAgreement:
    terms = {
        "record_id": 1,
        "account_code": Relation[account.upper()],
        "account": ACCOUNTS[account],
        "item": "I",
        "currency": "EUR",
        "unit": "PCS",
        "price": Decimal(price),
        "find_next": True,
        **more,
    }
    return PriceAgreement(**terms)


def discount(account: str = "all", item: str = "all", **more: Any) -> Discount:
    accounts, items = {**ACCOUNTS, "group": "LD"}, {"table": "I", "group": "IG", "all": ""}
    terms = {
        "record_id": 1,
        "account_code": Relation[account.upper()],
        "account": accounts[account],
        "item_code": Relation[item.upper()],
        "item": items[item],
        "currency": "EUR",
        "find_next": True,
        **more,
    }
    return Discount(**terms)


def book_of(*rows: PriceAgreement | Discount, item: Item = ITEM) -> Book:
    book = Book(company="demf", currency="EUR", today=TODAY, rates={"USD": Decimal("1.08")})
    book.add_items(item)
    book.add_prices(*(row for row in rows if isinstance(row, PriceAgreement)))
    book.add_line_discounts(*(row for row in rows if isinstance(row, Discount)))
    return book


def question(quantity: str = "1", *, item: Item = ITEM, **more: Any) -> Question:
    terms = {
        "customer": CUSTOMER,
        "item": item,
        "dimensions": NO_DIMENSIONS,
        "unit": "PCS",
        "quantity": Decimal(quantity),
        "currency": "EUR",
        "on": TODAY,
        **more,
    }
    return Question(**terms)


def found(*rows: PriceAgreement, **asked: Any) -> Decimal | None:
    price = find_price(book_of(*rows), question(**asked))
    return price.price if price else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _example_row(number: int, row: dict[str, Any], query: dict[str, Any]) -> Any:
    shared = {
        "record_id": number,
        "currency": query["currency"],
        "unit": row.get("unit", query["unit"]),
        "from_quantity": Decimal(row.get("from_qty", 0)),
        "to_quantity": Decimal(row.get("to_qty", 0)),
        "from_date": _day(row.get("from_date")),
        "to_date": _day(row.get("to_date")),
        "find_next": row["find_next"],
    }
    if "price" in row:
        price = {"price": Decimal(row["price"]), "price_unit": Decimal(row["price_unit"])}
        return agreement(row["account"], **{**shared, **price, "price": str(row["price"])})
    parts = {"percent1": row["p1"], "percent2": row["p2"], "amount": row["amount"]}
    numbers = {name: Decimal(value) for name, value in parts.items()}
    return discount(row["account"], row["item_code"], **shared, **numbers)


@pytest.mark.parametrize("case", examples())
def test_worked_examples_come_out(case: dict[str, Any]) -> None:
    query, expected = case["query"], case["expected"]
    rows = [_example_row(number, row, query) for number, row in enumerate(case["rows"])]
    asked = question(
        str(query["quantity"]),
        unit=query["unit"],
        currency=query["currency"],
        on=date.fromisoformat(query["date"]),
    )
    book = book_of(*rows)
    if case["kind"] == "price":
        price = find_price(book, asked)
        assert price is not None
        assert price.price / price.price_unit == expected["unit_price"]
        return
    base = FoundPrice(
        price=Decimal(query["unit_price"]),
        price_unit=Decimal(1),
        charges=Decimal(0),
        source="",
    )
    line = find_line_discount(book, asked)
    multiline = FoundDiscount(percent1=Decimal(query.get("multiline_percent", 0)))
    if case["kind"] == "combination":
        line = FoundDiscount(percent1=Decimal(query["line_percent"]))
    if "p1" in expected:
        assert line.percent1 == expected["p1"]
    net = line_net(asked.quantity, base, line, multiline, Policy(query.get("policy", "Line")))
    assert net == Fraction(Decimal(expected["net"]))


def test_find_next_no_ends_the_whole_search() -> None:
    rows = agreement("table", "15", find_next=False), agreement("group", "12"), agreement()

    assert found(*rows) == 15


def test_zero_price_is_no_price_but_still_ends_the_search() -> None:
    assert found(agreement("table", "0", find_next=False), agreement()) == Decimal("50.00")


def test_rows_of_one_combination_are_tried_by_quantity_then_record() -> None:
    late = agreement(price="9", record_id=1, from_quantity=Decimal(5), find_next=False)
    early = agreement(price="11", record_id=2, find_next=False)

    assert found(late, early, quantity="10") == 11


@pytest.mark.parametrize(("quantity", "price"), [("9", "20"), ("10", "18"), ("10.5", "18")])
def test_brackets_include_both_bounds(quantity: str, price: str) -> None:
    below = agreement(price="20", from_quantity=Decimal(1), to_quantity=Decimal(10))
    above = agreement(price="18", from_quantity=Decimal(10))

    assert found(below, above, quantity=quantity) == Decimal(price)


def test_period_includes_its_first_and_last_day() -> None:
    for day, price in ((-1, "50.00"), (0, "10"), (1, "10"), (2, "50.00")):
        row = agreement(from_date=TODAY, to_date=TODAY + timedelta(days=1))
        assert found(row, on=TODAY + timedelta(days=day)) == Decimal(price)


def test_price_of_the_inventory_unit_is_converted_and_its_bracket_tested_in_it() -> None:
    item = Item(number="I", name="Item", base_price=Decimal(0), sales_unit="BOX")
    row = agreement(price="1.50", unit="PCS", from_quantity=Decimal(20))
    book = book_of(row, item=item)
    book.add_conversions(Conversion(source="BOX", target="PCS", numerator=10))

    assert find_price(book, question("1", item=item, unit="BOX")) is None
    price = find_price(book, question("2", item=item, unit="BOX"))
    assert price is not None
    assert str(price.price) == "15.00"


def test_price_of_the_asked_unit_wins_over_a_cheaper_one_of_the_inventory_unit() -> None:
    item = Item(number="I", name="Item", base_price=Decimal(0), sales_unit="BOX")
    rows = agreement(price="16", unit="BOX"), agreement(price="1", unit="PCS")
    book = book_of(*rows, item=item)
    book.add_conversions(Conversion(source="BOX", target="PCS", numerator=10))

    price = find_price(book, question(item=item, unit="BOX"))
    assert price is not None
    assert price.price == 16


def test_conversion_of_the_item_wins_over_the_general_one() -> None:
    book = book_of()
    book.add_conversions(
        Conversion(source="BOX", target="PCS", numerator=10),
        Conversion(source="BOX", target="PCS", numerator=4, item="i"),
    )

    price = find_price(book, question(unit="BOX"))
    assert price is not None
    assert str(price.price) == "200.00"


def test_base_price_is_converted_to_the_currency_of_the_question() -> None:
    assert found(currency="USD") == Decimal("54.0000")
    assert found(currency="JPY") is None


def test_row_with_dimensions_fits_only_them_and_a_row_without_fits_all() -> None:
    black = agreement(price="8", dimensions=Dimensions(color="Black"))

    assert found(black, agreement(), dimensions=Dimensions(color="BLACK")) == 8
    assert found(black, agreement(), dimensions=Dimensions(color="Red")) == 10
    assert found(black, agreement()) == 10


def test_charges_are_added_to_the_line_or_spread_into_the_price() -> None:
    row = agreement(price="10", price_unit=Decimal(5), charges=Decimal(4))
    spread = Item(
        number="I",
        name="Item",
        base_price=Decimal(0),
        charges_included=True,
        charges_quantity=Decimal(8),
    )

    apart = find_price(book_of(row), question())
    within = find_price(book_of(row, item=spread), question(item=spread))
    assert apart is not None
    assert within is not None
    assert line_net(Decimal(10), apart, FoundDiscount()) == 24
    assert (within.price, within.charges) == (Decimal("12.5"), Decimal(0))


def test_discount_amount_is_taken_off_the_price_unit_before_percentages() -> None:
    price = FoundPrice(
        price=Decimal(100), price_unit=Decimal(10), charges=Decimal(3), source="TradeAgreement"
    )
    reduced = FoundDiscount(percent1=Decimal(10), amount=Decimal(20))

    assert line_net(Decimal(5), price, reduced) == 39


@pytest.mark.parametrize(
    ("policy", "net"),
    [
        (Policy.LINE, "81"),
        (Policy.MULTILINE, "92"),
        (Policy.MAX, "81"),
        (Policy.MIN, "92"),
        (Policy.LINE_PLUS_MULTILINE, "72"),
        (Policy.LINE_TIMES_MULTILINE, "72.9"),
    ],
)
def test_policy_decides_which_discounts_count_with_percentages_and_amounts(
    policy: Policy, net: str
) -> None:
    price = FoundPrice(
        price=Decimal(100), price_unit=Decimal(1), charges=Decimal(0), source="TradeAgreement"
    )
    line = FoundDiscount(percent1=Decimal(10), amount=Decimal(10))
    multiline = FoundDiscount(percent1=Decimal(0), amount=Decimal(8))
    both = FoundDiscount(percent1=Decimal(10), percent2=Decimal(0), amount=Decimal(0))
    if policy in {Policy.LINE_PLUS_MULTILINE, Policy.LINE_TIMES_MULTILINE}:
        multiline = both

    assert line_net(Decimal(1), price, line, multiline, policy) == Fraction(Decimal(net))


def test_unit_smaller_than_the_inventory_unit_is_converted_downwards() -> None:
    book = book_of(item=Item(number="I", name="Item", base_price=Decimal(0), inventory_unit="BOX"))
    book.add_prices(agreement(price="10", unit="BOX"))
    for factor, price in ((4, "2.5"), (3, "3.333333")):
        book.conversions.clear()
        book.add_conversions(Conversion(source="BOX", target="PCS", numerator=factor))
        found_price = find_price(book, question(item=book.items["i"]))
        assert found_price is not None
        assert str(found_price.price) == price


def test_unit_without_a_conversion_has_no_price() -> None:
    assert found(agreement(), unit="TON") is None


def test_discounts_add_up_over_all_nine_combinations_until_one_ends_it() -> None:
    codes = ("table", "group", "all")
    rows = [discount(a, i, percent1=Decimal(1)) for a in codes for i in codes]
    ending = discount("group", "all", percent1=Decimal(1), record_id=9, find_next=False)

    assert find_line_discount(book_of(*rows), question()).percent1 == 9
    assert find_line_discount(book_of(*rows, ending), question()).percent1 == 7


def test_discount_rows_with_dimensions_come_first() -> None:
    general = discount(percent1=Decimal(1), record_id=1)
    black = discount(
        percent1=Decimal(2), record_id=2, find_next=False, dimensions=Dimensions(color="Black")
    )
    asked = question(dimensions=Dimensions(color="Black"))

    assert find_line_discount(book_of(general, black), asked).percent1 == 2


def test_discount_without_a_unit_fits_any_and_one_with_a_unit_only_its_own() -> None:
    rows = discount(percent1=Decimal(1)), discount(percent1=Decimal(2), unit="BOX")

    assert find_line_discount(book_of(*rows), question()).percent1 == 1


ROWS = st.lists(
    st.builds(
        agreement,
        account=st.sampled_from(["table", "group", "all"]),
        price=st.integers(0, 20).map(str),
        record_id=st.integers(1, 5),
        from_quantity=st.integers(0, 3).map(Decimal),
        to_quantity=st.integers(0, 5).map(Decimal),
        find_next=st.booleans(),
    ),
    max_size=8,
)


@given(rows=ROWS, quantity=st.integers(0, 6).map(str))
def test_with_find_next_everywhere_the_lowest_applicable_price_wins(
    rows: list[PriceAgreement], quantity: str
) -> None:
    size = Decimal(quantity)
    rows = [
        agreement(
            row.account_code.value.lower(),
            str(row.price),
            from_quantity=row.from_quantity,
            to_quantity=row.to_quantity,
        )
        for row in rows
    ]
    prices = [
        row.price
        for row in rows
        if row.price > 0
        and row.from_quantity <= size
        and (row.to_quantity == 0 or size <= row.to_quantity)
    ]

    assert found(*rows, quantity=quantity) == min(prices, default=Decimal("50.00"))


@given(rows=ROWS, quantity=st.integers(0, 6).map(str))
def test_what_the_customer_row_without_find_next_says_no_wider_row_can_change(
    rows: list[PriceAgreement], quantity: str
) -> None:
    first = agreement("table", "33", record_id=0, find_next=False)
    wider = [row for row in rows if row.account_code is not Relation.TABLE]

    assert found(first, *wider, quantity=quantity) == 33


@given(amount=st.fractions(max_denominator=10_000))
def test_rounding_moves_an_amount_by_half_a_cent_at_most_and_halves_away_from_zero(
    amount: Fraction,
) -> None:
    result = Fraction(rounded(amount, 2))

    assert abs(result - amount) <= Fraction(1, 200)
    if abs(result - amount) == Fraction(1, 200):
        assert abs(result) > abs(amount)
