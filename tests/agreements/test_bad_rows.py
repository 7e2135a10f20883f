"""Rows that cannot be meant are kept out or refuse their line, by name, and never a neighbour's."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from pricing_proxy.agreements.fo.checking import KeptOutReason, RefusalReason
from pricing_proxy.agreements.fo.party_rows import MOST_ROWS
from pricing_proxy.agreements.fo.price_list import discount_rows_of, price_rows_of
from pricing_proxy.agreements.fo.rows import (
    EVERYBODY,
    AgreedPrice,
    AgreedSale,
    Code,
)
from pricing_proxy.agreements.fo.sorting import (
    customers_by_account,
    discounts_by_item_party,
    prices_by_item,
)
from tests.agreements.examples import (
    CUSTOMER,
    LAMP,
    TERMS,
    TODAY,
    discount,
    line,
    paid,
    price,
    quote,
    refusal,
)

DAY = timedelta(days=1)


def kept_out_prices(*rows: AgreedPrice) -> list[tuple[int, KeptOutReason]]:
    held = price_rows_of(rows, LAMP, TERMS)
    parties = {row.party for row in rows}
    found = [each for party in parties for each in held.kept_out(party)]
    return [(each.row.record_id, each.reason) for each in found]


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"from_date": TODAY, "to_date": TODAY - DAY}, KeptOutReason.EMPTY_PERIOD),
        ({"from_quantity": 10, "to_quantity": 5}, KeptOutReason.EMPTY_BRACKET),
        ({"to_quantity": -5}, KeptOutReason.EMPTY_BRACKET),
        ({"item": "LAMP-2"}, KeptOutReason.OTHER_ITEM),
        ({"currency": "XXX"}, KeptOutReason.UNKNOWN_CURRENCY),
        ({"currency": ""}, KeptOutReason.UNKNOWN_CURRENCY),
        ({"unit": "TON"}, KeptOutReason.UNKNOWN_UNIT),
        ({"unit": ""}, KeptOutReason.UNKNOWN_UNIT),
    ],
)
def test_what_can_never_apply_is_kept_out_and_named(
    terms: dict[str, Any], reason: KeptOutReason
) -> None:
    row = price("1", 7, account="C1", find_next=False, **terms)

    assert kept_out_prices(row, price("10", 8)) == [(7, reason)]
    assert paid(row, price("10", 8)) == 10


def test_a_row_read_twice_counts_once() -> None:
    rows = discount("5", 7), discount("5", 7)
    held = discount_rows_of(rows, EVERYBODY, TERMS)

    assert [(each.row.record_id, each.reason) for each in held.kept_out(EVERYBODY)] == [
        (7, KeptOutReason.READ_TWICE)
    ]
    assert len(held.of(EVERYBODY)) == 1
    assert line(*rows).discount.percent1 == 5


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"from_date": TODAY, "to_date": TODAY - DAY}, KeptOutReason.EMPTY_PERIOD),
        ({"item": "LAMP"}, KeptOutReason.OTHER_ITEM),
        ({"currency": "XXX"}, KeptOutReason.UNKNOWN_CURRENCY),
    ],
)
def test_discounts_that_can_never_apply_are_kept_out(
    terms: dict[str, Any], reason: KeptOutReason
) -> None:
    held = discount_rows_of([discount("5", 7, **terms)], EVERYBODY, TERMS)

    assert [each.reason for each in held.kept_out(EVERYBODY)] == [reason]


DOUBTFUL = [
    ({"price": Decimal(-1)}, RefusalReason.NEGATIVE_PRICE),
    ({"charges": Decimal(-1)}, RefusalReason.NEGATIVE_PRICE),
    ({"price_unit": Decimal(0)}, RefusalReason.PRICE_UNIT),
    ({"price": Decimal("NaN")}, RefusalReason.IMPLAUSIBLE_NUMBER),
    ({"price": Decimal("1e400")}, RefusalReason.IMPLAUSIBLE_NUMBER),
    ({"price": Decimal("1e-400")}, RefusalReason.IMPLAUSIBLE_NUMBER),
    ({"to_quantity": Decimal("Infinity")}, RefusalReason.IMPLAUSIBLE_NUMBER),
    ({"attribute_pricing_id": "FORMULA"}, RefusalReason.ATTRIBUTES),
]


@pytest.mark.parametrize(("terms", "reason"), DOUBTFUL)
def test_a_row_in_doubt_refuses_the_line_and_is_named(
    terms: dict[str, Any], reason: RefusalReason
) -> None:
    found = refusal(replace(price("1", 7), **terms), price("10", 8))

    assert (found.reason, found.record_id) == (reason, 7)


@pytest.mark.parametrize(("terms", "reason"), DOUBTFUL)
def test_who_never_meets_it_is_priced(terms: dict[str, Any], reason: RefusalReason) -> None:
    """Another customer's, a narrower row's that ends the search, another day's or unit's."""
    bad = replace(price("1", 7), **terms)
    own = price("12", 8, account="C1", find_next=False)

    assert paid(replace(bad, account="C2"), price("10", 8)) == 10
    assert paid(bad, own) == 12
    assert paid(replace(bad, from_date=TODAY + DAY), price("10", 8)) == 10
    assert refusal(bad, own, customer=replace(CUSTOMER, account="C2")).reason is reason


def test_a_row_in_doubt_at_any_quantity_refuses_all() -> None:
    bad = price("-1", 7, from_quantity=100)

    assert refusal(bad, price("10", 8), quantity="1").record_id == 7


def test_two_rows_of_one_record_id_are_not_to_be_trusted() -> None:
    found = refusal(price("10", 7), price("11", 7))

    assert (found.reason, found.record_id) == (RefusalReason.CONTRADICTION, 7)


def test_a_discount_in_doubt_refuses_only_where_there_is_a_price() -> None:
    bad = discount("NaN", 7)
    unpriced = replace(LAMP, base_price=Decimal(0))

    assert refusal(bad).record_id == 7
    assert quote(bad, item=unpriced).at(Decimal(1)) is None


def test_too_many_rows_of_one_party_refuse_its_lines_only() -> None:
    own = [
        price("10", number, account="C1", from_quantity=number) for number in range(MOST_ROWS + 1)
    ]

    found = refusal(*own)
    assert (found.reason, found.record_id) == (RefusalReason.TOO_MANY_ROWS, MOST_ROWS)
    assert paid(*own[1:], quantity="5") == 10
    assert paid(*own, customer=replace(CUSTOMER, account="C2")) == 50


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"base_price": Decimal(-1)}, RefusalReason.NEGATIVE_PRICE),
        ({"charges": Decimal(-1)}, RefusalReason.NEGATIVE_PRICE),
        ({"base_price_unit": Decimal(0)}, RefusalReason.PRICE_UNIT),
        ({"base_price": Decimal("NaN")}, RefusalReason.IMPLAUSIBLE_NUMBER),
    ],
)
def test_a_base_price_in_doubt_refuses_the_lines_that_need_it(
    terms: dict[str, Any], reason: RefusalReason
) -> None:
    item = replace(LAMP, **terms)

    found = refusal(item=item)
    assert (found.reason, found.record_id) == (reason, None)
    assert paid(price("10"), item=item) == 10


def test_unified_pricing_refuses_everything() -> None:
    found = refusal(price(), terms=replace(TERMS, unified_pricing=True))

    assert found.reason is RefusalReason.UNIFIED_PRICING


def test_a_sales_agreement_in_force_refuses_and_one_to_come_bounds_the_price() -> None:
    def with_sale(**terms: Any) -> dict[str, Any]:
        sale = AgreedSale(agreement="SA-1", **terms)
        return {"customer": replace(CUSTOMER, agreed_sales=(sale,))}

    found = refusal(price(), **with_sale(item="lamp", from_date=TODAY, to_date=TODAY))
    assert (found.reason, found.agreement) == (RefusalReason.SALES_AGREEMENT, "SA-1")
    assert refusal(price(), **with_sale()).agreement == "SA-1"
    assert quote(price(), **with_sale(item="OTHER")).valid_until is None
    assert quote(price(), **with_sale(to_date=TODAY - DAY)).valid_until is None
    coming = with_sale(from_date=TODAY + 9 * DAY)
    assert quote(price(), **coming).valid_until == TODAY + 8 * DAY
    sooner = price(to_date=TODAY + 2 * DAY)
    assert quote(sooner, **coming).valid_until == TODAY + 2 * DAY
    assert refusal(price("-1"), **coming).reason is RefusalReason.NEGATIVE_PRICE


def test_a_row_in_the_generic_currency_refuses_where_converting_is_not_allowed() -> None:
    generic = price("6", 7, currency="GBP", is_generic=True)

    found = refusal(generic)
    assert (found.reason, found.record_id) == (RefusalReason.GENERIC_CURRENCY, 7)
    assert paid(generic, price("10", 8)) == 10
    assert paid(replace(generic, is_generic=False)) == 50
    allowed = replace(TERMS, generic_currency="gbp")
    assert paid(generic, terms=allowed) == 12
    assert paid(generic, terms=allowed, currency="GBP") == 6
    unknown = replace(TERMS, generic_currency="XXX")
    assert refusal(generic, terms=unknown).reason is RefusalReason.GENERIC_CURRENCY


def test_a_discount_in_the_generic_currency_is_converted_or_refuses() -> None:
    generic = discount("5", 7, amount=3, currency="GBP", is_generic=True)

    assert refusal(generic).reason is RefusalReason.GENERIC_CURRENCY
    assert line(generic, discount("1", 8)).discount.percent1 == 1
    found = line(generic, terms=replace(TERMS, generic_currency="GBP")).discount
    assert [found.percent1, found.amount, *found.record_ids] == [5, 6, 7]


def test_currencies_and_units_that_nobody_can_convert_are_refused() -> None:
    assert refusal(currency="XXX").reason is RefusalReason.UNKNOWN_CURRENCY
    free_rate = replace(TERMS, rates={"XXX": Decimal(0)})
    assert refusal(currency="XXX", terms=free_rate).reason is RefusalReason.UNKNOWN_CURRENCY
    assert refusal(unit="TON").reason is RefusalReason.UNKNOWN_UNIT


def test_overlapping_brackets_and_prices_of_zero_are_valid() -> None:
    rows = price("10", 1, to_quantity=10), price("8", 2, from_quantity=5), price("0", 3)

    assert kept_out_prices(*rows) == []
    assert [paid(*rows, quantity=each) for each in ("4", "5", "10", "11")] == [10, 8, 8, 8]


def test_codes_compare_without_case_and_outer_blanks() -> None:
    row = price("9", 1, account=" c1", item="lamp ", unit="pcs", currency="eur")

    assert paid(row) == 9


def test_rows_for_items_that_nobody_knows_are_kept_out_and_named() -> None:
    rows = price("9", 1), price("9", 2, item="GONE"), price("8", 3, item="lamp ")
    discounts = (
        discount("5", 4, item="lamp"),
        discount("5", 5, item="GONE"),
        discount("5", 6, item_group="Lamps"),
        discount("5", 7),
    )

    by_item, unknown = prices_by_item(rows, {"lamp"})
    by_party, unknown_too = discounts_by_item_party(discounts, {"lamp"})

    assert by_item == {"lamp": [rows[0], rows[2]]}
    assert by_party == {
        (Code.TABLE, "lamp"): [discounts[0]],
        (Code.GROUP, "lamps"): [discounts[2]],
        EVERYBODY: [discounts[3]],
    }
    assert [(each.row.record_id, each.reason) for each in (*unknown, *unknown_too)] == [
        (2, KeptOutReason.UNKNOWN_ITEM),
        (5, KeptOutReason.UNKNOWN_ITEM),
    ]


def test_a_customer_read_in_two_groups_is_refused_until_it_is_read_in_one() -> None:
    moved = replace(CUSTOMER, account="c1", price_group="RETAIL")
    other = replace(CUSTOMER, account="C2")

    found = customers_by_account((CUSTOMER, other, moved, CUSTOMER, other))
    assert found == {"c1": replace(CUSTOMER, is_contradicted=True), "c2": other}
    assert refusal(price(), customer=found["c1"]).reason is RefusalReason.CUSTOMER_CHANGES
    assert paid(price(), customer=found["c2"]) == 10
    assert customers_by_account((moved, moved)) == {"c1": moved}
