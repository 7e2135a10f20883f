"""Each question that F&O's documentation leaves open, both ways (facts of pricing, 3.8)."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from pricing_proxy.agreements.fo.net import LineTerms, SummedDiscount
from pricing_proxy.agreements.fo.rows import ItemDimensions, PricedItem
from pricing_proxy.agreements.fo.rules import (
    AmountRounding,
    AmountsInProduct,
    BlankCurrency,
    ChargesSpread,
    DimensionMatch,
    DiscountPolicy,
    FindNextNo,
    OtherUnit,
    RoundingMethod,
    RowOrder,
    SearchRules,
    UpperBound,
    ZeroBasePrice,
    ZeroPrice,
)
from tests.agreements.examples import LAMP, TERMS, discount, line, paid, price, quote

BOXED = replace(LAMP, conversions={("BOX", "PCS"): Fraction(10)})


@pytest.mark.parametrize(
    ("answer", "expected"), [(FindNextNo.ENDS_SEARCH, 15), (FindNextNo.ENDS_COMBINATION, 12)]
)
def test_1_find_next_no_ends_the_search_or_its_combination(
    answer: FindNextNo, expected: int
) -> None:
    rows = (
        price("15", 1, account="C1", find_next=False),
        price("9", 2, account="C1"),
        price("12", 3, group="B2B"),
    )
    assert paid(*rows, rules=SearchRules(find_next_no=answer)) == expected


def test_1_it_does_so_for_discounts_too() -> None:
    rows = discount("3", 1, account="C1", find_next=False), discount("4", 2)
    combination = SearchRules(find_next_no=FindNextNo.ENDS_COMBINATION)

    assert line(*rows).discount.percent1 == 3
    assert line(*rows, rules=combination).discount.percent1 == 7


@pytest.mark.parametrize(("answer", "expected"), [(RowOrder.QUANTITY, 11), (RowOrder.RECORD, 9)])
def test_2_rows_of_one_combination_go_by_quantity_or_by_record(
    answer: RowOrder, expected: int
) -> None:
    rows = price("9", 1, from_quantity=5, find_next=False), price("11", 2, find_next=False)

    assert paid(*rows, quantity="5", rules=SearchRules(row_order=answer)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"), [(ZeroPrice.ENDS, 50), (ZeroPrice.IGNORED, 10), (ZeroPrice.COUNTS, 0)]
)
def test_3_zero_without_find_next_ends_the_search_or_is_ignored_or_is_a_price(
    answer: ZeroPrice, expected: int
) -> None:
    rows = price("0", 1, account="C1", find_next=False), price("10", 2)

    assert paid(*rows, rules=SearchRules(zero_price=answer)) == expected


@pytest.mark.parametrize("answer", ZeroPrice)
def test_3_zero_with_find_next_is_never_a_price(answer: ZeroPrice) -> None:
    rows = price("0", 1, account="C1"), price("10", 2)

    assert paid(*rows, rules=SearchRules(zero_price=answer)) == 10


def test_4_a_base_price_of_zero_is_none_or_free() -> None:
    item = replace(LAMP, base_price=Decimal(0))
    free = SearchRules(zero_base_price=ZeroBasePrice.FREE)

    assert quote(item=item).at(Decimal(1)) is None
    assert paid(item=item, rules=free) == 0


@pytest.mark.parametrize(
    ("answer", "expected"), [(DimensionMatch.ALL_THAT_FIT, 10), (DimensionMatch.MOST_SPECIFIC, 12)]
)
def test_5_rows_that_name_fewer_dimensions_compete_or_do_not(
    answer: DimensionMatch, expected: int
) -> None:
    black = ItemDimensions(color="Black")
    rows = price("12", 1, dimensions=black), price("10", 2)

    assert paid(*rows, dimensions=black, rules=SearchRules(dimensions=answer)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (OtherUnit.CONVERTED_QUANTITY, 20),
        (OtherUnit.REQUESTED_QUANTITY, 30),
        (OtherUnit.NONE, 500),
    ],
)
def test_6_without_a_price_in_the_asked_unit_the_inventory_unit_is_tried_or_not(
    answer: OtherUnit, expected: int
) -> None:
    rows = price("2", 1, from_quantity=20), price("3", 2)
    rules = SearchRules(other_unit=answer)

    assert paid(*rows, item=BOXED, unit="BOX", quantity="2", rules=rules) == expected


@pytest.mark.parametrize(
    ("answer", "expected"), [(UpperBound.INCLUSIVE, 8), (UpperBound.EXCLUSIVE, 10)]
)
def test_7_the_upper_bound_is_within_its_bracket_or_not(answer: UpperBound, expected: int) -> None:
    rows = price("8", 1, to_quantity=5), price("10", 2)

    assert paid(*rows, quantity="5", rules=SearchRules(upper_bound=answer)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(AmountsInProduct.FIRST, "63.00"), (AmountsInProduct.STEPWISE, "62.10")],
)
def test_9_amounts_come_off_first_or_each_with_its_percentage(
    answer: AmountsInProduct, expected: str
) -> None:
    own = SummedDiscount(percent1=Decimal(30), amount=Decimal(7))
    multiline = SummedDiscount(percent1=Decimal(0), amount=Decimal(3))
    terms = LineTerms(
        price=Decimal(100),
        price_unit=Decimal(1),
        charges=Decimal(0),
        price_row=1,
        discount=own,
    )
    policy = replace(
        TERMS,
        policy=DiscountPolicy.LINE_TIMES_MULTILINE,
        rules=SearchRules(amounts_in_product=answer),
    )

    assert terms.unit_net(policy, multiline) == Fraction(expected)


def test_10_a_row_with_account_and_group_is_the_customers_alone() -> None:
    row = price("8", 1, account="C2", group="B2B")

    assert paid(row, price("10", 2)) == 10


def test_10_find_next_that_is_not_set_is_no() -> None:
    assert paid(price("15", 1, account="C1", find_next=None), price("10", 2)) == 15


@pytest.mark.parametrize(("answer", "expected"), [(BlankCurrency.NONE, 0), (BlankCurrency.ANY, 5)])
def test_10_a_discount_without_a_currency_fits_none_or_any(
    answer: BlankCurrency, expected: int
) -> None:
    found = line(discount("5", currency=""), rules=SearchRules(blank_currency=answer))

    assert found.discount.percent1 == expected


CHARGED = replace(LAMP, charges_included=True, charges_quantity=Decimal(4))


def test_11_charges_within_the_price_are_spread_over_their_quantity() -> None:
    row = price("10", charges=2)

    assert paid(row, item=CHARGED, quantity="8") == Decimal("10.5")
    assert len(quote(row, item=CHARGED).breaks) == 1


def test_11_or_over_the_lines_quantity_and_then_there_are_no_breaks() -> None:
    rules = SearchRules(charges_spread=ChargesSpread.LINE_QUANTITY)
    rows = price("10", 1, charges=2), price("10.5", 2)

    assert paid(*rows, item=CHARGED, quantity="8", rules=rules) == Decimal("10.25")
    assert line(*rows, item=CHARGED, quantity="1", rules=rules).price_row == 2
    found = quote(*rows, item=CHARGED, quantity="8", rules=rules)
    assert not found.breaks
    assert found.only_for == 8
    with pytest.raises(ValueError, match="only for 8"):
        found.at(Decimal(9))


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (RoundingMethod.NORMAL, "10.05"),
        (RoundingMethod.DOWN, "10.00"),
        (RoundingMethod.UP, "10.05"),
    ],
)
def test_14_prices_are_rounded_where_a_rule_says_so(method: RoundingMethod, expected: str) -> None:
    rules = SearchRules(price_rounding=AmountRounding(Decimal("0.05"), method))

    assert paid(price("10.025")) == Decimal("10.025")
    assert str(line(price("10.025"), rules=rules).price) == expected


@pytest.mark.parametrize(
    ("method", "net", "expected"),
    [
        (RoundingMethod.NORMAL, "0.125", "0.13"),
        (RoundingMethod.NORMAL, "-0.125", "-0.13"),
        (RoundingMethod.DOWN, "0.129", "0.12"),
        (RoundingMethod.UP, "0.121", "0.13"),
        (RoundingMethod.UP, "0.12", "0.12"),
    ],
)
def test_14_a_rule_of_rounding_keeps_what_lies_on_a_step(
    method: RoundingMethod, net: str, expected: str
) -> None:
    assert AmountRounding(Decimal("0.01"), method).apply(Fraction(net)) == Decimal(expected)


def test_14_line_amounts_are_rounded_where_a_rule_says_so() -> None:
    rules = SearchRules(line_rounding=AmountRounding(Decimal("0.01")))
    found = line(price("0.333"), quantity="3")

    assert found.line_net(Decimal(3), TERMS) == Fraction("0.999")
    assert found.line_net(Decimal(3), replace(TERMS, rules=rules)) == 1


def test_unit_price_of_an_item_without_its_own_charges_quantity_holds_all_charges() -> None:
    item = PricedItem(number="LAMP", sales_unit="PCS", inventory_unit="PCS", charges_included=True)

    assert paid(price("10", charges=2), item=item) == 12
