"""Carts: the local calculation against the simulated ERP's, and examples that say each number."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from pricing_proxy.agreements.fo.cart import PricedCart
from pricing_proxy.agreements.fo.checking import RefusalReason
from pricing_proxy.agreements.fo.net import exact
from pricing_proxy.agreements.fo.quote import LocalRefusal
from pricing_proxy.agreements.fo.rows import AgreedDiscount
from pricing_proxy.agreements.fo.rules import (
    AmountRounding,
    DiscountPolicy,
    MultilineForAll,
    PricingTerms,
    SearchRules,
    Switches,
    TotalRest,
)
from pricing_proxy.sandbox.cart_search import CartLine, price_cart
from pricing_proxy.sandbox.discount_search import find_line_discount
from pricing_proxy.sandbox.price_search import find_price
from tests.agreements.both_sides import OurCart, OurSide
from tests.agreements.examples import CUSTOMER, LAMP, TERMS, discount, side
from tests.agreements.random_carts import RandomCart, random_cart

CARTS = int(os.environ.get("AGREEMENT_BOOKS", "300"))
PART = 1000
COUNTED = min(CARTS, 1000)
LEAST = COUNTED // 100


@pytest.mark.no_cover
@pytest.mark.parametrize("first", range(0, CARTS, PART))
def test_both_calculations_of_a_cart_say_the_same(first: int) -> None:
    said: Counter[str] = Counter()
    for seed in range(first, min(first + PART, CARTS)):
        each = random_cart(seed)
        ours = each.ours().priced()
        if isinstance(ours, LocalRefusal):
            assert_needed(each, ours)
            said[ours.reason] += 1
            continue
        theirs = price_cart(each.book, simulated_lines(each), each.policy)
        for own, simulated in zip(ours.lines, theirs, strict=True):
            assert (own.net, own.total_discount) == (
                simulated.net,
                simulated.part_of_total,
            ), f"cart {seed}"
            assert (own.multiline.percent1, own.multiline.percent2, own.multiline.amount) == (
                simulated.multiline.percent1,
                simulated.multiline.percent2,
                simulated.multiline.amount,
            ), f"cart {seed}"
        said["answered"] += 1

    print(f"\ncarts from {first}: {dict(said)}")  # noqa: T201 -- for whoever runs it with -s
    assert said["answered"] > 0.8 * said.total()


def simulated_lines(each: RandomCart) -> list[CartLine]:
    lines = []
    for question in each.questions:
        price = find_price(each.book, question)
        assert price is not None
        discount = find_line_discount(each.book, question)
        lines.append(CartLine(question=question, price=price, discount=discount))
    return lines


def assert_needed(each: RandomCart, refusal: LocalRefusal) -> None:
    if refusal.reason is RefusalReason.MIXED_UNITS:
        assert len({question.unit for question in each.questions}) > 1, f"cart {each.seed}"
        return
    assert refusal.reason is RefusalReason.GENERIC_CURRENCY, f"cart {each.seed}"
    assert not each.book.rules.generic_currency, f"cart {each.seed}"


def multiline_rows(**changes: Any) -> Callable[[OurCart], OurCart]:
    return lambda cart: replace(
        cart, multiline=tuple(replace(row, **changes) for row in cart.multiline)
    )


def total_rows(**changes: Any) -> Callable[[OurCart], OurCart]:
    return lambda cart: replace(cart, totals=tuple(replace(row, **changes) for row in cart.totals))


def without_multiline(member: str, *, named: bool) -> Callable[[OurCart], OurCart]:
    return lambda cart: replace(
        cart, multiline=tuple(row for row in cart.multiline if bool(getattr(row, member)) != named)
    )


def without_totals(member: str) -> Callable[[OurCart], OurCart]:
    return lambda cart: replace(
        cart, totals=tuple(row for row in cart.totals if not getattr(row, member))
    )


def all_lines(**changes: Any) -> Callable[[OurCart], OurCart]:
    return lambda cart: replace(cart, lines=tuple(replace(side, **changes) for side in cart.lines))


def all_terms(**changes: Any) -> Callable[[OurCart], OurCart]:
    return lambda cart: all_lines(terms=replace(cart.terms, **changes))(cart)


def all_rules(**changes: Any) -> Callable[[OurCart], OurCart]:
    return lambda cart: all_terms(rules=replace(cart.terms.rules, **changes))(cart)


def all_items(**changes: Any) -> Callable[[OurCart], OurCart]:
    return lambda cart: replace(
        cart,
        lines=tuple(replace(side, item=replace(side.item, **changes)) for side in cart.lines),
    )


ZERO = Decimal(0)
RULES: Mapping[str, Callable[[OurCart], OurCart]] = {
    "3.2 activation switches": all_terms(switches=Switches()),
    "3.5 multiline of a customer": without_multiline("account", named=True),
    "3.5 multiline of a group": without_multiline("group", named=True),
    "3.5 multiline for a group of items": without_multiline("item_group", named=True),
    "3.5 multiline for all items": without_multiline("item_group", named=False),
    "3.5 groups of items": all_items(multiline_discount_group="BULK"),
    "3.5 multiline bracket": multiline_rows(from_quantity=ZERO, to_quantity=ZERO),
    "3.5 multiline adds up": multiline_rows(find_next=False),
    "3.5 multiline find next No ends": multiline_rows(find_next=True),
    "3.5 multiline unit": multiline_rows(unit=""),
    "3.5 multiline amount": multiline_rows(amount=ZERO),
    "3.5 multiline generic currency": multiline_rows(is_generic=False),
    "3.5 total of a customer": without_totals("account"),
    "3.5 total of a group": without_totals("group"),
    "3.5 total bracket": total_rows(from_quantity=ZERO, to_quantity=ZERO),
    "3.5 total adds up": total_rows(find_next=False),
    "3.5 total find next No ends": total_rows(find_next=True),
    "3.5 total percentage": total_rows(percent1=ZERO, percent2=ZERO),
    "3.5 total amount": total_rows(amount=ZERO),
    "3.5 items that take no part in the total": all_items(counts_for_total=True),
    "3.8 multiline for all, every line or not": all_rules(
        multiline_for_all=MultilineForAll.EVERY_LINE
    ),
    "3.8 multiline for all, unmatched or not": all_rules(
        multiline_for_all=MultilineForAll.UNMATCHED
    ),
    "3.8 multiline for all, without group or not": all_rules(
        multiline_for_all=MultilineForAll.WITHOUT_GROUP
    ),
    "3.8 rest on the last line or not": all_rules(total_rest=TotalRest.LAST_LINE),
    "3.8 rest on the largest line or not": all_rules(total_rest=TotalRest.LARGEST_LINE),
}
POLICIES = {f"3.6 {policy}": policy for policy in DiscountPolicy}
ALONE = "3.5 quantities of several lines are summed"


@pytest.mark.no_cover
def test_each_rule_decides_one_cart_of_a_hundred() -> None:
    decided: Counter[str] = Counter()
    for seed in range(COUNTED):
        each = random_cart(seed).ours()
        said = money_of(each)
        enough = {rule for rule, count in decided.items() if count >= LEAST}
        decided.update(
            rule
            for rule, taken in RULES.items()
            if rule not in enough and money_of(taken(each)) != said
        )
        policy = each.terms.policy
        other = DiscountPolicy.MULTILINE if policy is DiscountPolicy.LINE else DiscountPolicy.LINE
        decided[f"3.6 {policy}"] += money_of(all_terms(policy=other)(each)) != said
        alone = [money_of(replace(each, lines=(line,), totals=())) for line in each.lines]
        together = replace(each, totals=()).priced()
        if isinstance(together, PricedCart):
            decided[ALONE] += alone != [[(line.net, 0)] for line in together.lines]

    print(f"\nof {COUNTED} carts: {dict(sorted(decided.items()))}")  # noqa: T201 -- with -s
    rare = {rule for rule in (*RULES, *POLICIES, ALONE) if decided[rule] < LEAST}
    assert rare == set()


def money_of(cart: OurCart) -> list[Any]:
    found = cart.priced()
    if isinstance(found, LocalRefusal):
        return [found.reason]
    return [(line.net, line.total_discount) for line in found.lines]


def test_a_total_discount_is_shared_to_the_cent() -> None:
    """Parts that are rounded add up to what the whole says."""
    seen = 0
    for seed in range(200):
        each = random_cart(seed).ours()
        percentless = total_rows(percent1=ZERO, percent2=ZERO)(each)
        found = percentless.priced()
        if isinstance(found, PricedCart) and found.total_discount.amount:
            seen += 1
            parts = sum(line.total_discount for line in found.lines)
            assert parts == found.total_discount.amount, seed
    assert seen > 20


BULK = replace(LAMP, multiline_discount_group="BULK", base_price=Decimal(100))
BUYER = replace(CUSTOMER, multiline_discount_group="ML", total_discount_group="TD")


def cart(
    *lines: OurSide,
    multiline: tuple[AgreedDiscount, ...] = (),
    totals: tuple[AgreedDiscount, ...] = (),
    policy: DiscountPolicy = DiscountPolicy.MULTILINE,
    **answers: Any,
) -> OurCart:
    terms = PricingTerms(
        currency="EUR",
        rates=TERMS.rates,
        policy=policy,
        rules=replace(SearchRules(), **answers),
    )
    return OurCart(
        lines=tuple(replace(each, terms=terms, customer=BUYER) for each in lines),
        multiline=multiline,
        totals=totals,
    )


def nets(asked: OurCart) -> list[Decimal]:
    found = asked.priced()
    assert isinstance(found, PricedCart)
    return [exact(line.net - line.total_discount) for line in found.lines]


def test_the_lines_of_a_group_are_counted_together() -> None:
    """Sample rows of F&O: 5 % from 20 pieces of a group of items."""
    row = discount("5", 1, group="ML", item_group="bulk", unit="pcs", from_quantity=20)
    lines = (
        side(item=BULK, quantity="15"),
        side(item=replace(BULK, number="TUBE"), quantity="5"),
        side(quantity="30"),
    )

    assert nets(cart(*lines, multiline=(row,))) == [1425, 475, 1500]
    assert nets(cart(*lines[1:], multiline=(row,))) == [500, 1500]
    assert nets(cart(*lines, multiline=(replace(row, group="OTHER"),))) == [1500, 500, 1500]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (MultilineForAll.WITHOUT_GROUP, [95, 100, 45]),
        (MultilineForAll.UNMATCHED, [95, 90, 45]),
        (MultilineForAll.EVERY_LINE, [85, 90, 45]),
    ],
)
def test_discounts_for_all_items_are_for_the_lines_that_the_rules_say(
    answer: MultilineForAll, expected: list[int]
) -> None:
    rows = discount("5", 1, item_group="BULK"), discount("10", 2)
    other = replace(BULK, multiline_discount_group="CABLES")
    lines = side(item=BULK), side(item=other), side()

    assert nets(cart(*lines, multiline=rows, multiline_for_all=answer)) == expected


def test_under_the_policy_line_multiline_discounts_count_for_nothing() -> None:
    bad = discount("NaN", 1, item_group="BULK")

    asked = cart(side(item=BULK), multiline=(bad,), policy=DiscountPolicy.LINE)
    assert nets(asked) == [100]
    found = cart(side(item=BULK), multiline=(bad,)).priced()
    assert found == LocalRefusal(RefusalReason.IMPLAUSIBLE_NUMBER, record_id=1)


def test_quantities_of_different_units_refuse_where_their_sum_decides() -> None:
    boxed = replace(BULK, conversions={("BOX", "PCS"): Fraction(10)})
    lines = side(item=boxed, quantity="5"), side(item=boxed, quantity="15", unit="BOX")
    row = discount("5", 1, item_group="BULK", from_quantity=20)

    found = cart(*lines, multiline=(row,)).priced()
    assert found == LocalRefusal(RefusalReason.MIXED_UNITS)
    small = replace(row, from_quantity=Decimal(5))
    assert nets(cart(*lines, multiline=(small,))) == [475, 14250]


def test_the_total_discount_is_of_what_the_lines_that_take_part_cost() -> None:
    apart = replace(LAMP, counts_for_total=False)
    lines = side(quantity="10"), side(item=apart, quantity="20"), side(quantity="10")
    row = discount("2", 1, group="TD", from_quantity=1000)

    assert nets(cart(*lines, totals=(row,))) == [490, 1000, 490]
    assert nets(cart(*lines[:2], totals=(row,))) == [500, 1000]
    free = replace(apart, base_price=Decimal(1))
    assert nets(cart(side(item=free), totals=(replace(row, from_quantity=Decimal(0)),))) == [1]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (TotalRest.LAST_LINE, ["49.66", "99.33", "49.67", "50"]),
        (TotalRest.LARGEST_LINE, ["49.66", "99.34", "49.66", "50"]),
    ],
)
def test_what_rounding_leaves_of_an_amount_goes_to_one_line(
    rest: TotalRest, expected: list[str]
) -> None:
    apart = replace(LAMP, counts_for_total=False)
    lines = side(), side(quantity="2"), side(), side(item=apart)
    row = discount("0", 1, amount=Decimal("1.34"))
    to_cents = AmountRounding(Decimal("0.01"))

    asked = cart(*lines, totals=(row,), total_rest=rest, line_rounding=to_cents)
    assert [str(each) for each in nets(asked)] == expected


def test_a_total_discount_in_doubt_refuses_the_cart() -> None:
    found = cart(side(), totals=(discount("NaN", 3),)).priced()

    assert found == LocalRefusal(RefusalReason.IMPLAUSIBLE_NUMBER, record_id=3)
