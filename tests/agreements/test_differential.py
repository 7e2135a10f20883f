"""The local calculation against the simulated ERP's own, over random books of agreements.

`AGREEMENT_BOOKS=100000` plays so many; `make soak` does.
"""

import os
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import chain

import pytest

from pricing_proxy.agreements.fo.checking import RefusalReason
from pricing_proxy.agreements.fo.net import SummedDiscount
from pricing_proxy.agreements.fo.quote import LocalQuote, LocalRefusal
from pricing_proxy.sandbox.agreement_match import Question
from pricing_proxy.sandbox.discount_search import find_line_discount, line_net
from pricing_proxy.sandbox.price_search import find_price
from tests.agreements.deciding import all_rules, deciding_rules, summed
from tests.agreements.random_books import RandomBook, random_book

# Each branch has a test of its own; measured, these take three times as long.
pytestmark = pytest.mark.no_cover
BOOKS = int(os.environ.get("AGREEMENT_BOOKS", "300"))
PART = 1000
# Whether a rule decides takes fifty more answers of each book.
COUNTED = min(BOOKS, 1000)
LEAST = COUNTED // 100
_STEPS = (Decimal("-0.001"), Decimal(0), Decimal("0.001"))


@pytest.mark.parametrize("first", range(0, BOOKS, PART))
def test_both_calculations_say_the_same(first: int) -> None:
    said: Counter[str] = Counter()
    for seed in range(first, min(first + PART, BOOKS)):
        each = random_book(seed)
        side = each.ours()
        prices = side.price_list()
        for quantity in each.quantities:
            question = replace(each.question, quantity=quantity)
            quote = prices.quote(side.customer, replace(side.asked, quantity=quantity))
            ours = f"refused: {quote.reason}" if isinstance(quote, LocalRefusal) else None
            if isinstance(quote, LocalQuote):
                assert_same(each, question, quote)
            else:
                assert_needed(each, question, quote)
            said[ours or "answered"] += 1

    print(f"\nbooks from {first}: {dict(said)}")  # noqa: T201 -- for whoever runs it with -s
    assert said["answered"] > 0.8 * said.total()


def assert_same(each: RandomBook, question: Question, quote: LocalQuote) -> None:
    line = quote.at(question.quantity)
    price = find_price(each.book, question)
    if price is None or line is None:
        assert (line, price) == (None, None), f"book {each.seed}"
        return
    theirs = find_line_discount(each.book, question)
    own = line.discount
    assert (line.price, line.price_unit, line.charges, line.price_row is not None) == (
        price.price,
        price.price_unit,
        price.charges,
        price.source == "TradeAgreement",
    ), f"book {each.seed}"
    assert (own.percent1, own.percent2, own.amount, own.percent) == (
        theirs.percent1,
        theirs.percent2,
        theirs.amount,
        theirs.percent_as_decimal,
    ), f"book {each.seed}"
    multiline, terms = summed(each), each.ours().terms
    for cart, simulated in ((SummedDiscount(), type(theirs)()), (multiline, each.multiline)):
        assert line.line_net(question.quantity, terms, cart) == line_net(
            question.quantity, price, theirs, simulated, each.policy, rules=each.book.rules
        ), f"book {each.seed}"


def assert_needed(each: RandomBook, question: Question, refusal: LocalRefusal) -> None:
    """Hold that the row that is named is one to convert, and that some quantity has no other."""
    assert refusal.reason is RefusalReason.GENERIC_CURRENCY, f"book {each.seed}"
    prices = [row for row in each.book.price_rows() if row.record_id == refusal.record_id]
    discounts = [
        row
        for rows in each.book.line_discounts.values()
        for row in rows
        if row.record_id == refusal.record_id
    ]
    kinds = [(row.is_generic, row.currency != question.currency) for row in (*prices, *discounts)]
    assert kinds == [(True, True)], f"book {each.seed}"
    asked = [replace(question, quantity=quantity) for quantity in around_bounds(each, question)]
    if prices:
        found = [find_price(each.book, one) for one in asked]
        assert any(one is None or one.source == "BasePrice" for one in found), f"book {each.seed}"
    else:
        sums = [find_line_discount(each.book, one) for one in asked]
        assert any(one == type(one)() for one in sums), f"book {each.seed}"


def around_bounds(each: RandomBook, question: Question) -> list[Decimal]:
    """Return quantities below, at and above each bound, in the asked unit or the inventory's."""
    if each.book.rules.charges_over == "line_quantity" and question.item.charges_included:
        return [question.quantity]
    rows = (*each.book.price_rows(), *chain.from_iterable(each.book.line_discounts.values()))
    bounds = {bound for row in rows for bound in (row.from_quantity, row.to_quantity)}
    factors = [Decimal(1), Decimal(12), Decimal(10), Decimal("2.5")]
    near = {bound / factor + step for bound in bounds for factor in factors for step in _STEPS}
    return sorted(quantity for quantity in near if quantity > 0)


def test_each_rule_decides_one_book_of_a_hundred_and_the_base_price_not_too_many() -> None:
    """A rule that never decides would be compared in vain."""
    decided: Counter[str] = Counter()
    by_base = 0
    for seed in range(COUNTED):
        each = random_book(seed)
        enough = {rule for rule, count in decided.items() if count >= LEAST}
        decided.update(set(deciding_rules(each, enough)))
        side = each.ours()
        quote = side.quote()
        line = quote.at(side.asked.quantity) if isinstance(quote, LocalQuote) else None
        by_base += line is not None and line.price_row is None

    rare = {rule: decided[rule] for rule in sorted(all_rules()) if decided[rule] < LEAST}
    print(f"\nof {COUNTED} books at least {LEAST} by each rule, but for {rare}")  # noqa: T201
    print(f"by the base price: {by_base}")  # noqa: T201
    assert {rule for rule in rare if not rule.startswith("3.8")} == set()
    # Each answer to an open question, as it is set, is what decides somewhere.
    assert {rule for rule in rare if not decided[rule]} == set()
    assert LEAST <= by_base <= COUNTED / 5
