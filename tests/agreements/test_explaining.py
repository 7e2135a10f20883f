"""What is said of each row, and that it is what the search really did."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from pricing_proxy.agreements.fo.checking import KeptOutReason
from pricing_proxy.agreements.fo.considered import ConsideredRow, RowVerdict
from pricing_proxy.agreements.fo.explaining import explained_discounts, explained_prices
from pricing_proxy.agreements.fo.quote import LocalQuote, LocalRefusal
from pricing_proxy.agreements.fo.rows import Code, ItemDimensions
from pricing_proxy.agreements.fo.rules import (
    DimensionMatch,
    FindNextNo,
    SearchRules,
    Switches,
    ZeroPrice,
)
from tests.agreements.both_sides import OurSide
from tests.agreements.examples import LAMP, TERMS, TODAY, discount, price, side
from tests.agreements.random_books import random_book

DAY = timedelta(days=1)
BOXED = replace(LAMP, conversions={("BOX", "PCS"): Fraction(12)})


def told(asked: OurSide) -> dict[int, tuple[RowVerdict, int | None]]:
    found = explained_prices(asked.price_list(), asked.customer, asked.asked)
    return {each.row.record_id: (each.verdict, each.by) for each in found}


def told_of_discounts(asked: OurSide) -> dict[int, tuple[RowVerdict, int | None]]:
    found = explained_discounts(asked.price_list(), asked.customer, asked.asked)
    return {each.row.record_id: (each.verdict, each.by) for each in found}


@pytest.mark.parametrize(
    ("terms", "verdict"),
    [
        ({"currency": "USD"}, RowVerdict.CURRENCY),
        ({"unit": "BOX"}, RowVerdict.UNIT),
        ({"dimensions": ItemDimensions(color="Blue")}, RowVerdict.DIMENSIONS),
        ({"from_date": TODAY + DAY}, RowVerdict.NOT_YET),
        ({"to_date": TODAY - DAY}, RowVerdict.NO_LONGER),
        ({"from_quantity": 2}, RowVerdict.BRACKET),
    ],
)
def test_what_a_row_fails_at_is_said(terms: dict[str, Any], verdict: RowVerdict) -> None:
    assert told(side(price("9", 1, **terms), item=BOXED)) == {1: (verdict, None)}


def test_the_winner_and_whom_it_beat_are_named() -> None:
    rows = price("12", 1, account="C1"), price("9", 2, group="B2B"), price("11", 3)

    assert told(side(*rows)) == {
        1: (RowVerdict.LOWER_PRICE, 2),
        2: (RowVerdict.WON, None),
        3: (RowVerdict.LOWER_PRICE, 2),
    }


def test_the_row_that_ended_the_search_is_named() -> None:
    rows = (
        price("12", 1, account="C1", find_next=False),
        price("8", 2, account="C1"),
        price("9", 3),
    )
    combination = SearchRules(find_next_no=FindNextNo.ENDS_COMBINATION)

    won, ended = (RowVerdict.WON, None), (RowVerdict.ENDED, 1)
    assert told(side(*rows)) == {1: won, 2: ended, 3: ended}
    assert told(side(*rows, rules=combination)) == {
        1: (RowVerdict.LOWER_PRICE, 3),
        2: ended,
        3: won,
    }


def test_zero_specificity_and_switches_are_named() -> None:
    black = ItemDimensions(color="Black")
    zero = price("0", 1, account="C1"), price("9", 2)
    named = price("9", 1, dimensions=black), price("8", 2)
    ignoring = SearchRules(zero_price=ZeroPrice.IGNORED)
    ranking = SearchRules(dimensions=DimensionMatch.MOST_SPECIFIC)
    off = replace(TERMS, switches=Switches(price=frozenset({Code.ALL}), line_discount=frozenset()))
    won = RowVerdict.WON, None

    assert told(side(*zero)) == {1: (RowVerdict.ZERO, None), 2: won}
    final = replace(zero[0], find_next=False)
    assert told(side(final, zero[1], rules=ignoring)) == {1: (RowVerdict.ZERO, None), 2: won}
    asked = side(*named, dimensions=black, rules=ranking)
    assert told(asked) == {1: won, 2: (RowVerdict.LESS_SPECIFIC, None)}
    assert told(side(*zero, terms=off)) == {1: (RowVerdict.SWITCHED_OFF, None), 2: won}
    assert told_of_discounts(side(discount("5", 4), terms=off)) == {
        4: (RowVerdict.SWITCHED_OFF, None)
    }


def test_rows_that_were_kept_out_are_named_with_their_fault() -> None:
    rows = price("9", 1, from_quantity=9, to_quantity=2), discount("5", 4, currency="XXX")
    asked = side(*rows, price("9", 2, account="C2", from_quantity=9, to_quantity=2))
    [found] = explained_prices(asked.price_list(), asked.customer, asked.asked)
    [added] = explained_discounts(asked.price_list(), asked.customer, asked.asked)

    assert (found.verdict, found.fault) == (RowVerdict.KEPT_OUT, KeptOutReason.EMPTY_BRACKET)
    assert (added.verdict, added.fault) == (RowVerdict.KEPT_OUT, KeptOutReason.UNKNOWN_CURRENCY)


def test_what_another_unit_or_currency_decided_is_said() -> None:
    rows = price("100", 1, unit="BOX"), price("9", 2)
    generic = price("1", 3, currency="GBP", is_generic=True)
    terms = replace(TERMS, generic_currency="GBP")

    assert told(side(*rows, generic, item=BOXED, unit="BOX", terms=terms)) == {
        1: (RowVerdict.WON, None),
        2: (RowVerdict.ANOTHER_STAGE, 1),
        3: (RowVerdict.ANOTHER_STAGE, 1),
    }
    assert told(side(generic, terms=terms)) == {3: (RowVerdict.WON, None)}
    discounts = discount("5", 4), discount("6", 5, currency="GBP", is_generic=True)
    assert told_of_discounts(side(*discounts, terms=terms)) == {
        4: (RowVerdict.ADDED, None),
        5: (RowVerdict.ANOTHER_STAGE, None),
    }


def test_a_row_in_doubt_leaves_all_undecided() -> None:
    rows = price("12", 1, account="C1"), price("-1", 2, group="B2B"), price("9", 3)
    discounts = discount("5", 4, account="C1"), discount("NaN", 5), discount("1", 6)
    generic = price("1", 7, currency="GBP", is_generic=True)

    undecided, doubt = (RowVerdict.UNDECIDED, 2), (RowVerdict.IN_DOUBT, None)
    assert told(side(*rows)) == {1: undecided, 2: doubt, 3: (RowVerdict.ENDED, 2)}
    assert told_of_discounts(side(*discounts)) == {
        4: (RowVerdict.UNDECIDED, 5),
        5: doubt,
        6: (RowVerdict.ENDED, 5),
    }
    assert told(side(generic)) == {7: doubt}


def test_what_is_said_is_what_the_search_did() -> None:
    said: Counter[RowVerdict] = Counter()
    for seed in range(80):
        each = random_book(seed)
        asked = each.ours()
        prices = asked.price_list()
        found = explained_prices(prices, asked.customer, asked.asked)
        added = explained_discounts(prices, asked.customer, asked.asked)
        said.update(row.verdict for row in (*found, *added))
        assert_all_are_there(asked, found, added)
        quote = asked.quote()
        if isinstance(quote, LocalQuote):
            assert_as_quoted(quote, asked.asked.quantity, found, added)
        else:
            assert isinstance(quote, LocalRefusal)

    never = set(RowVerdict) - set(said)
    assert never <= {RowVerdict.UNDECIDED}, said


def assert_as_quoted(
    quote: LocalQuote, quantity: Decimal, found: list[ConsideredRow], added: list[ConsideredRow]
) -> None:
    won = [each.row.record_id for each in found if each.verdict is RowVerdict.WON]
    summed = [each.row.record_id for each in added if each.verdict is RowVerdict.ADDED]
    line = quote.at(quantity)
    if line is None:
        assert won == []
    else:
        assert won == ([] if line.price_row is None else [line.price_row])
        assert tuple(summed) == line.discount.record_ids


def assert_all_are_there(
    asked: OurSide, found: list[ConsideredRow], added: list[ConsideredRow]
) -> None:
    """Hold that each row of the customer, its group and everybody is said of, once."""
    for rows, considered, group in (
        (asked.prices, found, asked.customer.price_group),
        (asked.discounts, added, asked.customer.line_discount_group),
    ):
        parties = asked.customer.parties(group)
        own = [row.record_id for row in rows if row.party in parties and is_for_it(row, asked)]
        assert sorted(own) == sorted(each.row.record_id for each in considered)


def is_for_it(row: Any, asked: OurSide) -> bool:
    return not hasattr(row, "item_party") or row.item_party in asked.item.parties()
